// Bundles, counts and delay splits; the targets of each rule are in rules.cpp.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "connectivity/wiring.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "connectivity/samplers.hpp"
#include "tessera/errors.hpp"
#include "tessera/neuron_model.hpp"

namespace tessera {
namespace {

using Kind = ConnectivityRule::Kind;

/// Rows longer than this in one chunk and delay group (few sources with very many synapses) are listed
/// instead, so that a count always fits the queue of the vector kernel.
constexpr double kLongestUniformRow = 1500.0;

bool drawn_uniformly(const Projection& projection, const WeightTable& weights, const DelayTable& delays,
                     bool self_projection, double sources, double chunks) {
  const ConnectivityRule& rule = projection.rule;
  const bool counted = rule.kind == Kind::fixed_total_number || rule.kind == Kind::fixed_outdegree;
  const double per_row = static_cast<double>(rule.number) / chunks * delays.largest_group_share() /
                         (rule.kind == Kind::fixed_outdegree ? 1.0 : sources);
  const auto [lowest, highest] = std::minmax_element(weights.values.begin(), weights.values.end());
  const bool one_sign = *lowest >= 0.0 || *highest <= 0.0;  // so the row has one input port
  return counted && one_sign && !has_distance_delay(projection) && rule.multapses && (rule.autapses || !self_projection) &&
         per_row < kLongestUniformRow;
}

bool has_trees(const ConnectivityRule& rule) {
  return rule.kind == Kind::fixed_total_number || rule.kind == Kind::fixed_indegree;
}

/// Ordered pairs of sources [begin, end) with the chunk's targets, the diagonal left out when asked.
std::uint64_t open_pairs(const Bundle& b, bool autapses, std::uint32_t begin, std::uint32_t end) {
  std::uint64_t pairs = static_cast<std::uint64_t>(end - begin) * b.targets.size;
  if (b.self_projection && !autapses) {
    const std::uint32_t from = std::max(begin, b.targets.begin);
    const std::uint32_t to = std::min(end, b.targets.begin + b.targets.size);
    if (to > from) pairs -= to - from;
  }
  return pairs;
}

/// Shortest and longest delay of a projection without a list, in steps.
std::pair<std::uint32_t, std::uint32_t> delay_range(const Network& network, const Projection& p) {
  if (!has_distance_delay(p)) return DelayTable::range_of(p.delay_ms, network.dt_ms);
  const Span span = distances(p, *network.find(p.source), *network.find(p.target));
  return {delay_steps(distance_delay_ms(p, span.shortest), network.dt_ms),
          delay_steps(distance_delay_ms(p, span.longest), network.dt_ms)};
}

/// Distinct step tables of a ring longer than four steps that a network may have: 256 kB.
constexpr std::uint32_t kMostStepTables = 64;

/// Small networks get long groups, because their rows are short: as long as one tile or, with the padding
/// of its chunks, two still hold the network, and tiles need not meet more often for it (argument 2 in
/// step_loop.cpp).
RingShape choose_shape(const Network& network, const std::vector<Chunk>& chunks,
                       const std::vector<Distribution>& delays, std::uint32_t min_delay_steps) {
  std::uint64_t neurons = 0, padded = 0;
  for (const Chunk& chunk : chunks) {
    if (network.populations[chunk.population].kind != Population::Kind::neurons) continue;
    neurons += chunk.size;
    padded += (chunk.size + kNeuronPadding - 1) / kNeuronPadding * kNeuronPadding;
  }
  const auto interval = [&](RingShape shape) { return (min_delay_steps - 1) / shape.steps() * shape.steps(); };
  RingShape shape;
  for (RingShape longer{shape.step_bits + 1}; longer.step_bits <= RingShape::kMostStepBits; ++longer.step_bits) {
    std::uint32_t tables = 0;
    for (const Distribution& delay : delays) {
      const auto [shortest, longest] = DelayTable::range_of(delay, network.dt_ms);
      tables += (longest - 1) / longer.steps() - (shortest - 1) / longer.steps() + 1;
    }
    const bool fits = neurons <= longer.slots() && padded <= 2 * longer.slots() && tables <= kMostStepTables;
    if (!fits || interval(longer) < interval(RingShape{})) break;
    shape = longer;
  }
  return shape;
}

}  // namespace

Wiring::Wiring(const Network& network, std::uint64_t seed)
    : network_(&network), key_(seed), chunks_(cut_into_chunks(network)) {
  std::vector<std::vector<std::uint32_t>> chunks_of(network.populations.size());
  for (std::uint32_t c = 0; c < chunks_.size(); ++c) chunks_of[chunks_[c].population].push_back(c);
  prepare_delays();
  for (std::uint32_t p = 0; p < network.projections.size(); ++p) add_projection(p, chunks_of);
}

void Wiring::prepare_delays() {
  if (network_->projections.empty()) return;
  std::vector<Distribution> distinct;
  min_delay_ = kMaxDelaySteps;
  const auto include = [this](std::uint32_t shortest, std::uint32_t longest) {
    min_delay_ = std::min(min_delay_, shortest);
    max_delay_ = std::max(max_delay_, longest);
  };
  for (const Projection& projection : network_->projections) {
    auto same = std::find(distinct.begin(), distinct.end(), projection.delay_ms);
    if (same == distinct.end()) same = distinct.insert(distinct.end(), projection.delay_ms);
    delay_table_of_.push_back(static_cast<std::uint32_t>(same - distinct.begin()));
    if (projection.rule.kind != Kind::explicit_list) {
      const auto [shortest, longest] = delay_range(*network_, projection);
      include(shortest, longest);
    }
    for (const auto& synapse : projection.rule.list) {
      const std::uint32_t steps = delay_steps(synapse.delay_ms, network_->dt_ms);
      include(steps, steps);
    }
  }
  shape_ = choose_shape(*network_, chunks_, distinct, min_delay_);
  for (const Distribution& delay : distinct) {
    delay_tables_.emplace_back(delay, network_->dt_ms, shape_);
    step_table_begin_.push_back(static_cast<std::uint32_t>(step_tables_.size()));
    for (const std::uint8_t step : delay_tables_.back().steps) step_tables_.push_back(step << shape_.slot_bits());
  }
}

std::uint32_t Wiring::step_code(const Bundle& b, std::uint32_t group) const {
  const DelayTable& table = delays(b);
  const std::uint32_t index = group - table.first_group;
  return step_tables_.empty() ? table.step_thresholds[index]
                              : step_table_begin_[delay_table_of_[b.projection]] + index * DelayTable::kStepDraws;
}

void Wiring::add_projection(std::uint32_t p, const std::vector<std::vector<std::uint32_t>>& chunks_of) {
  const Projection& projection = network_->projections[p];
  const auto source = static_cast<std::uint32_t>(network_->index_of(projection.source));
  const auto target = static_cast<std::uint32_t>(network_->index_of(projection.target));
  weight_tables_.push_back(std::make_unique<WeightTable>(projection.weight));
  explicit_.push_back(nullptr);
  sheets_.emplace_back();
  if (projection.rule.kind == Kind::gaussian_2d || has_distance_delay(projection)) {
    sheets_[p].emplace(network_->populations[source], network_->populations[target]);
  }
  reach_.push_back(projection.rule.kind == Kind::gaussian_2d ? std::make_unique<Reach>(*sheets_[p], projection.rule.sigma) : nullptr);
  expected_.push_back(expected_synapses(projection, network_->populations[source], network_->populations[target]));
  if (projection.rule.kind == Kind::explicit_list) {
    auto rows = std::make_unique<ExplicitRows>();
    rows->synapses = projection.rule.list;
    std::stable_sort(rows->synapses.begin(), rows->synapses.end(),
                     [](const auto& a, const auto& b) { return a.source < b.source; });
    rows->begin.assign(network_->populations[source].size + 1, 0);
    for (const auto& synapse : rows->synapses) ++rows->begin[synapse.source + 1];
    std::partial_sum(rows->begin.begin(), rows->begin.end(), rows->begin.begin());
    explicit_[p] = std::move(rows);
  }
  const auto first = static_cast<std::uint32_t>(bundles_.size());
  const bool self = source == target;
  const bool uniform = drawn_uniformly(projection, *weight_tables_[p], delay_tables_[delay_table_of_[p]], self,
                                       network_->populations[source].size,
                                       static_cast<double>(chunks_of[target].size()));
  for (const std::uint32_t c : chunks_of[target]) {
    const auto id = static_cast<std::uint32_t>(bundles_.size());
    bundles_.push_back({id, p, source, c, chunks_[c],
                        uniform ? Bundle::Drawing::uniform : Bundle::Drawing::listed, self});
  }
  trees_.resize(bundles_.size());
  first_bundle_.push_back(first);
  for (std::uint32_t id = first; id < bundles_.size(); ++id) tables_.push_back(tables_for(bundles_[id]));
  prepare_trees(bundles_[first], static_cast<std::uint32_t>(bundles_.size()) - first);
}

void Wiring::prepare_trees(const Bundle& first, std::uint32_t bundle_count) {
  const ConnectivityRule& rule = projection(first).rule;
  const std::uint32_t sources = network_->populations[first.source_population].size;
  if (!has_trees(rule)) return;
  std::uint64_t left = rule.number, open = 0;
  for (std::uint32_t i = 0; i < bundle_count; ++i) {
    open += open_pairs(bundles_[first.id + i], rule.autapses, 0, sources);
  }
  RandomStream stream(key_, Purpose::chunk_split, first.projection, 0);
  for (std::uint32_t i = 0; i < bundle_count; ++i) {
    const Bundle b = bundles_[first.id + i];
    std::uint64_t items = 0;
    if (rule.kind == Kind::fixed_indegree) {
      items = tables_[b.id]->stubs.permutation().stubs;
    } else {
      const std::uint64_t here = open_pairs(b, rule.autapses, 0, sources);
      items = rule.multapses ? draw_binomial(left, static_cast<double>(here), static_cast<double>(open), stream)
                             : draw_hypergeometric(left, here, open - here, stream);
      left -= items;
      open -= here;
    }
    const bool autapses = rule.autapses || rule.kind == Kind::fixed_indegree;
    trees_[b.id] = std::make_unique<SourceTree>(
        key_, b.id, items, sources, !rule.multapses && rule.kind != Kind::fixed_indegree,
        [b, autapses](std::uint32_t from, std::uint32_t to) { return open_pairs(b, autapses, from, to); });
  }
}

double Wiring::bytes_per_chunk(const ConnectivityRule& rule, std::uint32_t sources) {
  return sizeof(Bundle) + (has_trees(rule) ? SourceTree::bytes_for(sources) : 0.0);
}

std::size_t Wiring::bytes() const {
  std::size_t total = bundles_.size() * sizeof(Bundle) + weight_tables_.size() * sizeof(WeightTable) +
                      step_tables_.size() * sizeof(step_tables_[0]);
  for (const auto& tree : trees_) total += tree ? tree->bytes() : 0;
  for (const auto& reach : reach_) total += reach ? reach->x.bytes() + reach->y.bytes() : 0;
  for (const auto& tables : tables_) {
    if (!tables) continue;
    total += sizeof(RowTables) + tables->stubs.bytes() + tables->exceptions.bytes() + tables->counts.bytes() +
             tables->counts_but_one.bytes();
  }
  for (const auto& rows : explicit_) {
    if (rows) total += rows->synapses.size() * sizeof(rows->synapses[0]) + rows->begin.size() * 4;
  }
  return total;
}

double Wiring::expected_synapses_of(const Bundle& b) const {
  const Population& target = network_->populations[b.targets.population];
  return expected_[b.projection] * b.targets.size / target.size;
}

void Wiring::block_counts(const Bundle& b, std::uint32_t block, std::uint32_t* counts) const {
  if (trees_[b.id]) return trees_[b.id]->block_counts(block, counts);
  const std::uint32_t sources = network_->populations[b.source_population].size;
  for (std::uint32_t i = 0; i < SourceTree::kBlock; ++i) {
    const std::uint32_t source = block * SourceTree::kBlock + i;
    if (source < sources) counts[i] = outdegree_share(b, source);
  }
}

std::uint32_t Wiring::count(const Bundle& b, std::uint32_t source) const {
  return trees_[b.id] ? trees_[b.id]->share(source).count : outdegree_share(b, source);
}

/// A source's fixed out-degree is halved over its chunks, so that any one of them is found in as many
/// draws as the number of chunks has digits.
std::uint32_t Wiring::outdegree_share(const Bundle& b, std::uint32_t source) const {
  const ConnectivityRule& rule = projection(b).rule;
  const std::uint32_t first = first_bundle_[b.projection];
  const auto open = [&](std::uint32_t from, std::uint32_t to) {  // targets are consecutive
    Bundle chunks = bundles_[from];
    chunks.targets.size = bundles_[to - 1].targets.begin + bundles_[to - 1].targets.size - chunks.targets.begin;
    return open_pairs(chunks, rule.autapses, source, source + 1);
  };
  const std::uint32_t population = network_->populations[b.targets.population].size;
  std::uint32_t from = first, to = first + 1;
  while (bundles_[to - 1].targets.begin + bundles_[to - 1].targets.size < population) ++to;
  std::uint64_t items = rule.number;
  for (std::uint32_t node = 1; to - from > 1 && items > 0;) {
    const std::uint32_t middle = from + (to - from) / 2;
    const std::uint64_t left = open(from, middle), right = open(middle, to);
    RandomStream stream(key_, static_cast<Purpose>(static_cast<std::uint32_t>(Purpose::chunk_split) | node << 8),
                        b.projection, source + 1);
    const std::uint64_t share = rule.multapses ? draw_binomial(items, static_cast<double>(left), static_cast<double>(left + right), stream)
                                               : draw_hypergeometric(items, left, right, stream);
    const bool is_left = b.id < middle;
    items = is_left ? share : items - share;
    node = 2 * node + (is_left ? 0 : 1);
    (is_left ? to : from) = middle;
  }
  return static_cast<std::uint32_t>(items);
}

bool Wiring::counted(const Bundle& b) const {
  const Kind kind = projection(b).rule.kind;
  return kind == Kind::fixed_indegree || kind == Kind::fixed_outdegree || kind == Kind::fixed_total_number;
}

Wiring::Share Wiring::share(const Bundle& b, std::uint32_t source) const {
  if (trees_[b.id]) return trees_[b.id]->share(source);
  return {0, counted(b) ? outdegree_share(b, source) : 0};
}

std::uint32_t Wiring::block_first(const Bundle& b, std::uint32_t block) const {
  return trees_[b.id] ? trees_[b.id]->block_first(block) : 0;
}

// Draw i of the split is half (i % 2) of word (i % 8) / 2 of block i / 8: the order the vector kernel
// (kernels/split_delays.cpp) can follow.
void Wiring::split_delays(const Bundle& b, std::uint32_t source, std::uint32_t count,
                          std::uint32_t* per_group) const {
  const DelayTable& table = delays(b);
  std::fill_n(per_group, table.groups, 0u);
  if (table.groups == 1) {
    per_group[0] = count;
    return;
  }
  for (std::uint32_t block = 0; block * 8 < count; ++block) {
    const RandomWords words = random_words(key_, Purpose::delay_split, block, source, b.id);
    for (std::uint32_t i = 0; i < 8 && block * 8 + i < count; ++i) {
      const std::uint32_t draw = words[i / 2] >> (16 * (i % 2)) & 0xffff;
      ++per_group[table.group_of(draw) - table.first_group];
    }
  }
}

}  // namespace tessera
