// Which targets a source has in a bundle, rule by rule, and the weights and delays of the synapses.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "connectivity/keyed_permutation.hpp"
#include "connectivity/samplers.hpp"
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

/// The source's own place in the chunk, or the chunk's size when it is not there or may be a target.
std::uint32_t excluded_target(const Bundle& b, bool autapses, std::uint32_t source) {
  const bool inside = b.self_projection && !autapses && source >= b.targets.begin &&
                      source < b.targets.begin + b.targets.size;
  return inside ? source - b.targets.begin : b.targets.size;
}

}  // namespace

void Wiring::list_row(const Bundle& b, std::uint32_t source, std::vector<RowSynapse>& row) const {
  if (b.drawing == Bundle::Drawing::uniform) return list_uniform(b, source, row);
  if (explicit_[b.projection]) return list_explicit(b, source, row);
  std::vector<std::uint32_t> targets;
  list_targets(b, source, targets);
  const WeightTable& weight_table = weights(b);
  const DelayTable& delay_table = delays(b);
  for (std::uint32_t k = 0; k < targets.size(); ++k) {
    const RandomWords words = random_words(key_, Purpose::synapse, k, source, b.id);
    const std::uint32_t delay = has_distance_delay(projection(b))
                                    ? distance_delay_steps(b, source, targets[k])
                                    : delay_table.delay_of(words[0] >> 16, words[1] >> 22);
    row.push_back({targets[k], delay, weight_table.values[words[2] >> (32 - WeightTable::kBits)]});
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

void Wiring::list_explicit(const Bundle& b, std::uint32_t source, std::vector<RowSynapse>& row) const {
  const ExplicitRows& rows = *explicit_[b.projection];
  for (std::uint32_t i = rows.begin[source]; i < rows.begin[source + 1]; ++i) {
    const ConnectivityRule::Synapse& synapse = rows.synapses[i];
    if (synapse.target < b.targets.begin || synapse.target >= b.targets.begin + b.targets.size) continue;
    row.push_back({synapse.target - b.targets.begin, delay_steps(synapse.delay_ms, network_->dt_ms), synapse.weight});
  }
}

/// Distinct targets of a source whose number is drawn first.
std::uint32_t Wiring::distinct_count(const Bundle& b, std::uint32_t source) const {
  const ConnectivityRule& rule = projection(b).rule;
  if (rule.kind == Kind::fixed_outdegree) return outdegree_share(b, source);
  if (rule.kind == Kind::fixed_total_number) return trees_[b.id]->share(source).count;
  const bool excluded = excluded_target(b, rule.autapses, source) < b.targets.size;
  RandomStream stream(key_, Purpose::pair, source, b.id);
  return static_cast<std::uint32_t>(
      draw_binomial(b.targets.size - (excluded ? 1 : 0), rule.probability, 1.0, stream));
}

void Wiring::list_targets(const Bundle& b, std::uint32_t source,
                          std::vector<std::uint32_t>& targets) const {
  const ConnectivityRule& rule = projection(b).rule;
  const std::uint32_t self = excluded_target(b, rule.autapses, source);
  const std::uint32_t open = b.targets.size - (self < b.targets.size ? 1 : 0);
  switch (rule.kind) {
    case Kind::one_to_one:
      if (source >= b.targets.begin && source < b.targets.begin + b.targets.size) {
        targets.push_back(source - b.targets.begin);
      }
      return;
    case Kind::all_to_all:
      for (std::uint32_t t = 0; t < b.targets.size; ++t) {
        if (t != self) targets.push_back(t);
      }
      return;
    case Kind::fixed_indegree:
      return list_indegree(b, source, targets);
    case Kind::gaussian_2d:
      return list_gaussian(b, source, targets);
    case Kind::fixed_total_number:
    case Kind::fixed_outdegree:
      if (rule.multapses) {  // autapses left out: draws skip the source's own place
        RandomStream stream(key_, Purpose::pair, source, b.id);
        for (std::uint32_t n = count(b, source); n > 0; --n) {
          const std::uint32_t t = stream.next_below(open);
          targets.push_back(t + (t >= self ? 1 : 0));
        }
        return;
      }
      [[fallthrough]];
    case Kind::pairwise_bernoulli: {
      if (open == 0) return;
      const KeyedPermutation permuted(open, key_, source, b.id);
      const std::uint32_t n = distinct_count(b, source);
      for (std::uint32_t i = 0; i < n; ++i) {
        const std::uint32_t t = permuted(i);
        targets.push_back(t + (t >= self ? 1 : 0));
      }
      return;
    }
    case Kind::explicit_list:
      return;
  }
}

/// Every target has `number` stubs. With multapses the sources own consecutive intervals of a keyed
/// permutation of the chunk's stubs; without, target t takes the sources that a permutation of its own
/// ranks below `number`.
void Wiring::list_indegree(const Bundle& b, std::uint32_t source,
                           std::vector<std::uint32_t>& targets) const {
  const ConnectivityRule& rule = projection(b).rule;
  const auto degree = static_cast<std::uint32_t>(rule.number);
  if (degree == 0) return;
  const std::uint32_t self = excluded_target(b, rule.autapses, source);
  if (!rule.multapses) {
    const std::uint32_t sources = network_->populations[b.source_population].size;
    const bool no_self = b.self_projection && !rule.autapses;
    for (std::uint32_t t = 0; t < b.targets.size; ++t) {
      if (t == self) continue;
      const std::uint32_t neuron = b.targets.begin + t;
      const KeyedPermutation rank(sources - (no_self ? 1 : 0), key_, neuron, b.id);
      if (rank(source - (no_self && source > neuron ? 1 : 0)) < degree) targets.push_back(t);
    }
    return;
  }
  const SourceTree::Share share = trees_[b.id]->share(source);
  const KeyedPermutation stub(degree * b.targets.size, key_, 0xffffffffu, b.id);
  for (std::uint32_t i = 0; i < share.count; ++i) {
    const std::uint32_t t = stub(static_cast<std::uint32_t>(share.first + i)) / degree;
    if (t != self) targets.push_back(t);
  }
  if (redirected_[b.id]) {
    const auto& stubs = redirected_[b.id]->stubs;
    auto it = std::lower_bound(stubs.begin(), stubs.end(), std::pair{source, 0u});
    for (; it != stubs.end() && it->first == source; ++it) targets.push_back(it->second);
  }
}

/// Stubs that would connect a neuron to itself get another source, uniformly among the others.
void Wiring::find_redirected(const Bundle& b) {
  const auto degree = static_cast<std::uint32_t>(projection(b).rule.number);
  const std::uint32_t sources = network_->populations[b.source_population].size;
  auto moved = std::make_unique<Redirected>();
  if (degree > 0 && sources > 1) {
    const KeyedPermutation stub(degree * b.targets.size, key_, 0xffffffffu, b.id);
    for (std::uint32_t t = 0; t < b.targets.size; ++t) {
      const std::uint32_t source = b.targets.begin + t;
      const SourceTree::Share share = trees_[b.id]->share(source);
      RandomStream stream(key_, Purpose::redirect, source, b.id);
      for (std::uint32_t i = 0; i < share.count; ++i) {
        if (stub(static_cast<std::uint32_t>(share.first + i)) / degree != t) continue;
        const std::uint32_t other = (source + 1 + stream.next_below(sources - 1)) % sources;
        moved->stubs.emplace_back(other, t);
      }
    }
  }
  std::sort(moved->stubs.begin(), moved->stubs.end());
  redirected_[b.id] = std::move(moved);
}

/// Pairs are independent, so each one in reach has a number of its own.
void Wiring::list_gaussian(const Bundle& b, std::uint32_t source,
                           std::vector<std::uint32_t>& targets) const {
  const ConnectivityRule& rule = projection(b).rule;
  const SheetPair& sheets = *sheets_[b.projection];
  const Sheet from = sheets.source(), to = sheets.target();
  const std::uint32_t column = from.column(source), row = from.row(source);
  const std::uint32_t self = excluded_target(b, rule.autapses, source);
  const double reach = kGaussianReach * rule.sigma;
  for (std::uint32_t t = 0; t < b.targets.size; ++t) {
    if (t == self) continue;
    const std::uint32_t neuron = b.targets.begin + t;
    const double dy = sheets.y.gap(row, to.row(neuron));
    if (dy > reach) continue;
    const double dx = sheets.x.gap(column, to.column(neuron));
    if (dx > reach) continue;
    const RandomWords words = random_words(key_, Purpose::pair, t, source, b.id);
    if (words[0] < gaussian_probability(rule, dx, dy) * 0x1p32) targets.push_back(t);
  }
}

}  // namespace tessera
