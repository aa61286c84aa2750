// Which targets a source has in a bundle, rule by rule, and the weights and delays of the synapses.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "connectivity/wiring.hpp"

namespace tessera {
namespace {

using Kind = ConnectivityRule::Kind;

/// One 32-bit draw gives a target, a weight and the step inside a delay group: the integer part of
/// draw * size is the target, the leading bits of the fraction index the weight table, the next ten
/// place the step. With chunks of up to 16,384 neurons at least eight bits are left for the step.
struct UniformDraw {
  std::uint32_t target, weight_index, step_bits;
  UniformDraw(std::uint32_t word, std::uint32_t chunk_size) {
    const std::uint64_t product = static_cast<std::uint64_t>(word) * chunk_size;
    const auto fraction = static_cast<std::uint32_t>(product);
    target = static_cast<std::uint32_t>(product >> 32);
    weight_index = fraction >> (32 - WeightTable::kBits);
    step_bits = (fraction << WeightTable::kBits) >> 22;
  }
};

}  // namespace

std::uint32_t Wiring::excluded_target(const Bundle& b, std::uint32_t source) const {
  const bool inside = b.self_projection && !projection(b).rule.autapses && source >= b.targets.begin &&
                      source < b.targets.begin + b.targets.size;
  return inside ? source - b.targets.begin : b.targets.size;
}

void Wiring::list_row(const Bundle& b, std::uint32_t source, std::vector<RowSynapse>& row) const {
  if (b.drawing != Bundle::Drawing::listed) {
    std::vector<RowSynapse> drawn;
    list_uniform(b, source, drawn);
    if (b.drawing == Bundle::Drawing::corrected) put_right(b, source, drawn);
    row.insert(row.end(), drawn.begin(), drawn.end());
    return;
  }
  if (is_explicit(b)) return list_explicit(b, source, row);
  if (cells(b) != nullptr) return list_cell_row(b, source, row);
  TargetRow targets;
  list_targets(b, source, share(b, source), targets);
  for (std::uint32_t k = 0; k < targets.size(); ++k) {
    row.push_back(synapse_of(b, source, source, k, targets.targets()[k]));
  }
}

/// Weight and delay of item k of a row, as kernels/row_targets.hpp says.
RowSynapse Wiring::synapse_of(const Bundle& b, std::uint32_t row, std::uint32_t source, std::uint32_t k, std::uint32_t target) const {
  const std::uint32_t block = k / kRowBlock * 16 + k % 16, w = k % kRowBlock / 16;
  const std::uint32_t draw = random_words(key_, Purpose::synapse, block, row, b.id)[w];
  const std::uint32_t split = random_words(key_, Purpose::delay_split, block, row, b.id)[w];
  const std::uint32_t delay = has_distance_delay(projection(b)) ? distance_delay_steps(b, source, target)
                                                                : delays(b).delay_of(split >> 16, draw << 10 >> 22);
  return {target, delay, weights(b).values[draw >> (32 - WeightTable::kBits)]};
}

/// As kernels/row_targets.hpp says, with the cell in place of the source.
void Wiring::list_cell_row(const Bundle& b, std::uint32_t source, std::vector<RowSynapse>& row) const {
  const SourceCells& of = *cells(b);
  const std::uint32_t cell = of.cell_of(source);
  std::vector<std::uint32_t> places(of.room(cell)), target(1 + kRowPadding);
  of.places(cell, places.data());
  for (std::uint32_t k = 0; k < of.count(cell); ++k) {
    if (places[k] != source - of.begin(cell)) continue;
    stub_targets(stubs(b), of.first(cell) + k, 1, target.data());
    row.push_back(synapse_of(b, cell, source, k, target[0]));
  }
}

std::uint32_t Wiring::distance_delay_steps(const Bundle& b, std::uint32_t source, std::uint32_t target) const {
  const double distance = sheets_[b.projection]->distance(source, b.targets.begin + target);
  return delay_steps(distance_delay_ms(projection(b), distance), network_->dt_ms);
}

/// The scalar equation of the vector kernel (kernels/draw_rows.cpp): group by group, four draws a block.
void Wiring::list_uniform(const Bundle& b, std::uint32_t source, std::vector<RowSynapse>& row) const {
  const WeightTable& weight_table = weights(b);
  const DelayTable& delay_table = delays(b);
  std::vector<std::uint32_t> per_group(delay_table.groups);
  split_delays(b, source, count(b, source), per_group.data());
  for (std::uint32_t g = 0; g < delay_table.groups; ++g) {
    const std::uint32_t group = delay_table.first_group + g;
    RandomWords words{};
    for (std::uint32_t k = 0; k < per_group[g]; ++k) {
      if (k % 4 == 0) words = random_words(key_, Purpose::synapse, group << 20 | k / 4, source, b.id);
      const UniformDraw draw(words[k % 4], b.targets.size);
      row.push_back({draw.target, group * delay_table.group_steps + delay_table.step_of(group, draw.step_bits) + 1,
                     weight_table.values[draw.weight_index]});
    }
  }
}

/// What corrections.hpp says, word for word.
void Wiring::put_right(const Bundle& b, std::uint32_t source, std::vector<RowSynapse>& row) const {
  const DelayTable& delay_table = delays(b);
  const WeightTable& weight_table = weights(b);
  const ConnectivityRule& rule = projection(b).rule;
  if (rule.kind == Kind::fixed_indegree) {
    std::uint32_t added = 0;
    exceptions(b).visit(
        source,
        [&](std::uint32_t place) {
          row[place] = row.back();
          row.pop_back();
        },
        [&](std::uint32_t target) {
          const RandomWords words = random_words(key_, Purpose::added_synapse, added++, source, b.id);
          row.push_back({target, delay_table.delay_of(words[1] >> 16, words[0] << 10 >> 22), weight_table.values[words[0] >> 22]});
        });
    return;
  }
  const bool distinct = !rule.multapses || rule.kind == Kind::pairwise_bernoulli;
  std::vector<bool> taken(b.targets.size + 1, false);
  std::vector<std::pair<RowSynapse*, std::uint32_t>> repeated;  // with their group and place in it
  taken[excluded_target(b, source)] = true;
  std::uint32_t group = 0, in_group = 0;
  for (RowSynapse& synapse : row) {
    const std::uint32_t its_group = (synapse.delay_steps - 1) / delay_table.group_steps;
    in_group = its_group == group ? in_group + 1 : 1;
    group = its_group;
    if (taken[synapse.target]) repeated.emplace_back(&synapse, group << 20 | (in_group - 1));
    if (distinct) taken[synapse.target] = true;
  }
  for (const auto& [synapse, index] : repeated) {
    for (std::uint32_t j = 0; taken[synapse->target]; ++j) {
      const std::uint64_t word = random_words(key_, round_of(Purpose::redirect, j / 4), index, source, b.id)[j % 4];
      synapse->target = static_cast<std::uint32_t>(word * b.targets.size >> 32);
    }
    if (distinct) taken[synapse->target] = true;
  }
}

void Wiring::list_explicit(const Bundle& b, std::uint32_t source, std::vector<RowSynapse>& row) const {
  const ExplicitRows& rows = *explicit_[b.projection];
  for (std::uint32_t i = rows.begin[source]; i < rows.begin[source + 1]; ++i) {
    const ConnectivityRule::Synapse& synapse = rows.synapses[i];
    if (synapse.target < b.targets.begin || synapse.target >= b.targets.begin + b.targets.size) continue;
    row.push_back({synapse.target - b.targets.begin, delay_steps(synapse.delay_ms, network_->dt_ms), synapse.weight});
  }
}

void Wiring::list_targets(const Bundle& b, std::uint32_t source, Share share, TargetRow& row) const {
  const ConnectivityRule& rule = projection(b).rule;
  const std::uint32_t self = excluded_target(b, source);
  const RowKey key{key_, source, b.id};
  switch (rule.kind) {
    case Kind::one_to_one: {
      const bool inside = source - b.targets.begin < b.targets.size;  // below begin wraps around
      row.start(1)[0] = source - b.targets.begin;
      return row.resize(inside ? 1 : 0);
    }
    case Kind::all_to_all:
      return row.fill(b.targets.size, self);
    case Kind::fixed_indegree:
      return list_indegree(b, source, share, row);
    case Kind::gaussian_2d:
      return gaussian_[b.projection]->list(key, b.targets, tables_[b.index]->rows[gaussian_[b.projection]->row_of(source)], self, row);
    case Kind::fixed_total_number:
    case Kind::fixed_outdegree:
      return rule.multapses ? row.draw(key, share.count, b.targets.size, self)
                            : row.draw_distinct(key, share.count, b.targets.size, self);
    case Kind::pairwise_bernoulli:
      return row.draw_distinct(key, count(b, source), b.targets.size, self);
    case Kind::explicit_list:
      return;
  }
}

/// Every target has `number` stubs, and the sources own consecutive intervals of their permutation; the
/// exceptions put right what a rule does not allow.
void Wiring::list_indegree(const Bundle& b, std::uint32_t source, Share share, TargetRow& row) const {
  const RowTables& tables = *tables_[b.index];
  std::uint32_t* targets = row.start(share.count + tables.exceptions.most_added());
  if (share.count > 0) stub_targets(tables.stubs.permutation(), share.first, share.count, targets);
  row.resize(tables.exceptions.apply(source, targets, share.count));
  if (tables.inverted) row.invert(b.targets.size, excluded_target(b, source));
}

}  // namespace tessera
