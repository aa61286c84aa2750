// Bundles, counts and delay splits; the targets of each rule are in rules.cpp.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "connectivity/wiring.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/time_grid.hpp"
#include "connectivity/samplers.hpp"
#include "tessera/errors.hpp"
#include "tessera/neuron_model.hpp"

namespace tessera {
namespace {

using Kind = ConnectivityRule::Kind;

/// Rows longer than this in one chunk and delay group (few sources with very many synapses) are listed
/// instead, so that a count always fits the queue of the vector kernel.
constexpr double kLongestUniformRow = 1500.0;
/// Half of all pairs are different ones of ln 4 times as many draws.
constexpr double kMostDrawsPerSynapse = 1.0 / 1.39;

/// What decides how the rows of a projection are drawn.
struct RowsToDraw {
  const Projection& projection;
  const WeightTable& weights;
  const DelayTable& delays;
  bool self_projection = false, cells = false;
  double sources = 1.0, targets = 1.0, chunks = 1.0;
};

// In-degrees are made exact by some 0.8 sqrt(K) corrections per target. These are few beside the K^2 / 2N that
// multapses take there anyway, or beside what would be in flight otherwise: at most 15 for 100 synapses.
bool has_few_corrections(const RowsToDraw& rows) {
  const auto k = static_cast<double>(rows.projection.rule.number);
  return k * k * k >= rows.sources * rows.sources || (rows.delays.groups > 1 && k >= 30.0);
}

// Rows with one delay group are drawn when they are due, all at once: the rules that draw row by row then need no
// corrections. Where rows have most pairs, they are listed.
Bundle::Drawing choose_drawing(const RowsToDraw& rows) {
  using Drawing = Bundle::Drawing;
  const ConnectivityRule& rule = rows.projection.rule;
  const auto number = static_cast<double>(rule.number);
  const bool autapses = rule.autapses || !rows.self_projection;
  double synapses = 0.0;
  bool as_drawn = false;  // nothing needs to be put right
  switch (rule.kind) {
    case Kind::fixed_total_number:
    case Kind::fixed_outdegree:
      synapses = rule.kind == Kind::fixed_outdegree ? number * rows.sources : number;
      as_drawn = rule.multapses && autapses;
      break;
    case Kind::pairwise_bernoulli:
      synapses = rule.probability * rows.sources * rows.targets;
      break;
    case Kind::fixed_indegree:
      if (rows.cells || !has_few_corrections(rows)) return Drawing::listed;
      synapses = number * rows.targets;
      break;
    default:
      return Drawing::listed;
  }
  const bool unordered = rule.multapses && rule.kind != Kind::pairwise_bernoulli;
  if (!as_drawn && rule.kind != Kind::fixed_indegree && rows.delays.groups == 1) return Drawing::listed;
  if (!as_drawn && !unordered && synapses > 0.5 * rows.sources * rows.targets) return Drawing::listed;
  const auto [lowest, highest] = std::minmax_element(rows.weights.values.begin(), rows.weights.values.end());
  const bool one_sign = *lowest >= 0.0 || *highest <= 0.0;  // so the row has one input port
  const double per_row = synapses / rows.sources / rows.chunks * rows.delays.largest_group_share();
  const double longest = as_drawn ? kLongestUniformRow : kLongestUniformRow * kMostDrawsPerSynapse;
  if (!one_sign || has_distance_delay(rows.projection) || per_row >= longest) return Drawing::listed;
  return as_drawn ? Drawing::uniform : Drawing::corrected;
}

bool has_trees(const ConnectivityRule& rule) {
  return rule.kind == Kind::fixed_total_number || rule.kind == Kind::fixed_indegree;
}

/// Sources per cell, or 0: rules whose items fall on any source alike, where these have few.
std::uint32_t cell_width_of(const Projection& projection, bool self_projection, std::uint32_t sources, std::uint32_t largest_chunk) {
  const ConnectivityRule& rule = projection.rule;
  const bool open = rule.multapses && (rule.autapses || !self_projection) && !has_distance_delay(projection);
  if (rule.kind != Kind::fixed_indegree || !open) return 0;
  const double items = static_cast<double>(rule.number) * largest_chunk / std::max(sources, 1u);
  return items > 0.0 && items < SourceCells::kMostItems ? SourceCells::width_for(items) : 0;
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
  for (std::uint32_t c = 0; c < chunks_.size(); ++c) {
    while (first_chunk_.size() <= chunks_[c].population) first_chunk_.push_back(c);
  }
  while (first_chunk_.size() <= network.populations.size()) first_chunk_.push_back(static_cast<std::uint32_t>(chunks_.size()));
  prepare_delays();
  for (std::uint32_t p = 0; p < network.projections.size(); ++p) add_projection(p);
}

Wiring Wiring::without_chunks(const Wiring& other) {
  Wiring wiring;
  wiring.network_ = other.network_;
  wiring.key_ = other.key_;
  wiring.chunks_ = other.chunks_;
  wiring.first_chunk_ = other.first_chunk_;
  wiring.weight_tables_ = other.weight_tables_;
  wiring.weight_table_of_ = other.weight_table_of_;
  wiring.first_of_weights_ = other.first_of_weights_;
  wiring.delay_tables_ = other.delay_tables_;
  wiring.delay_table_of_ = other.delay_table_of_;
  wiring.step_tables_ = other.step_tables_;
  wiring.step_table_begin_ = other.step_table_begin_;
  wiring.source_of_ = other.source_of_;
  wiring.target_of_ = other.target_of_;
  wiring.drawing_ = other.drawing_;
  wiring.cell_width_ = other.cell_width_;
  wiring.first_bundle_ = other.first_bundle_;
  wiring.explicit_ = other.explicit_;
  wiring.sheets_ = other.sheets_;
  wiring.gaussian_ = other.gaussian_;
  wiring.expected_ = other.expected_;
  wiring.shape_ = other.shape_;
  wiring.min_delay_ = other.min_delay_;
  wiring.shortest_lead_ = other.shortest_lead_;
  wiring.max_delay_ = other.max_delay_;
  return wiring;
}

void Wiring::map_weights(std::uint32_t projection, const std::function<double(double)>& map) {
  auto table = std::make_shared<WeightTable>(*weight_tables_[weight_table_of_[projection]]);
  for (double& value : table->values) value = map(value);
  weight_table_of_[projection] = static_cast<std::uint32_t>(weight_tables_.size());  // others may share the one it had
  weight_tables_.push_back(std::move(table));
}

std::uint32_t axonal_steps(const Projection& projection, double dt_ms) {
  return projection.plasticity ? static_cast<std::uint32_t>(nearest_step(projection.plasticity->axonal_delay_ms, dt_ms)) : 0;
}

std::uint32_t modulator_steps(const Projection& projection, double dt_ms) {
  return delay_steps(projection.plasticity->modulator_delay_ms, dt_ms);
}

void Wiring::prepare_delays() {
  if (network_->projections.empty()) return;
  std::vector<Distribution> distinct;
  min_delay_ = shortest_lead_ = kMaxDelaySteps;
  std::uint32_t axonal = 0;
  const auto include = [this, &axonal](std::uint32_t shortest, std::uint32_t longest) {
    min_delay_ = std::min(min_delay_, shortest);
    shortest_lead_ = std::min(shortest_lead_, shortest - axonal);
    max_delay_ = std::max(max_delay_, longest);
  };
  for (const Projection& projection : network_->projections) {
    axonal = axonal_steps(projection, network_->dt_ms);
    if (has_modulator(projection)) shortest_lead_ = std::min(shortest_lead_, modulator_steps(projection, network_->dt_ms));
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
  shape_ = choose_shape(*network_, chunks_, distinct, shortest_lead_);
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

void Wiring::add_projection(std::uint32_t p) {
  const Projection& projection = network_->projections[p];
  const auto source = static_cast<std::uint32_t>(network_->index_of(projection.source));
  const auto target = static_cast<std::uint32_t>(network_->index_of(projection.target));
  const std::uint32_t sources = network_->populations[source].size, chunks = first_chunk_[target + 1] - first_chunk_[target];
  source_of_.push_back(source);
  target_of_.push_back(target);
  add_weights(p);
  sheets_.emplace_back();
  if (projection.rule.kind == Kind::gaussian_2d || has_distance_delay(projection)) {
    sheets_[p].emplace(network_->populations[source], network_->populations[target]);
  }
  gaussian_.push_back(projection.rule.kind == Kind::gaussian_2d ? std::make_shared<GaussianRows>(*sheets_[p], projection.rule) : nullptr);
  expected_.push_back(expected_synapses(projection, network_->populations[source], network_->populations[target]));
  add_explicit(p);
  std::uint32_t largest = 0;
  for (std::uint32_t c = first_chunk_[target]; c < first_chunk_[target + 1]; ++c) largest = std::max(largest, chunks_[c].size);
  cell_width_.push_back(cell_width_of(projection, source == target, sources, largest));
  const RowsToDraw rows{projection, *weight_tables_[weight_table_of_[p]], delay_tables_[delay_table_of_[p]], source == target, cell_width_[p] > 0,
                        static_cast<double>(sources), static_cast<double>(network_->populations[target].size),
                        static_cast<double>(chunks)};
  drawing_.push_back(choose_drawing(rows));
  first_bundle_.push_back(p == 0 ? 0 : first_bundle_[p - 1] + first_chunk_[target_of_[p - 1] + 1] - first_chunk_[target_of_[p - 1]]);
}

/// A large model has thousands of projections and a few distributions of weights.
void Wiring::add_weights(std::uint32_t p) {
  const auto same = std::find_if(first_of_weights_.begin(), first_of_weights_.end(), [&](std::uint32_t other) {
    return network_->projections[other].weight == network_->projections[p].weight;
  });
  weight_table_of_.push_back(static_cast<std::uint32_t>(same - first_of_weights_.begin()));
  if (same != first_of_weights_.end()) return;
  first_of_weights_.push_back(p);
  weight_tables_.push_back(std::make_shared<WeightTable>(network_->projections[p].weight));
}

void Wiring::add_explicit(std::uint32_t p) {
  explicit_.push_back(nullptr);
  if (network_->projections[p].rule.kind != Kind::explicit_list) return;
  auto rows = std::make_shared<ExplicitRows>();
  rows->synapses = network_->projections[p].rule.list;
  std::stable_sort(rows->synapses.begin(), rows->synapses.end(),
                   [](const auto& a, const auto& b) { return a.source < b.source; });
  rows->begin.assign(network_->populations[source_of_[p]].size + 1, 0);
  for (const auto& synapse : rows->synapses) ++rows->begin[synapse.source + 1];
  std::partial_sum(rows->begin.begin(), rows->begin.end(), rows->begin.begin());
  explicit_[p] = std::move(rows);
}

Bundle Wiring::bundle_into(std::uint32_t p, std::uint32_t chunk) const {
  return {first_bundle_[p] + chunk - first_chunk_[target_of_[p]], 0, p, source_of_[p], chunk, chunks_[chunk],
          drawing_[p], source_of_[p] == target_of_[p]};
}

void Wiring::own_all(std::uint32_t projection) {
  std::vector<std::uint32_t> chunks(chunks_.size());
  std::iota(chunks.begin(), chunks.end(), 0u);
  own(chunks, projection);
}

void Wiring::own(std::span<const std::uint32_t> chunks, std::uint32_t projection) {
  std::vector<std::uint32_t> sorted(chunks.begin(), chunks.end());
  std::sort(sorted.begin(), sorted.end());
  for (std::uint32_t p = 0; p < network_->projections.size(); ++p) {
    if (projection != kAllProjections && p != projection) continue;
    const std::uint32_t first = first_chunk_[target_of_[p]], end = first_chunk_[target_of_[p] + 1];
    for (auto c = std::lower_bound(sorted.begin(), sorted.end(), first); c != sorted.end() && *c < end; ++c) {
      bundles_.push_back(bundle_into(p, *c));
      bundles_.back().index = static_cast<std::uint32_t>(bundles_.size() - 1);
      tables_.push_back(tables_for(bundles_.back()));
    }
  }
  trees_.resize(bundles_.size());
  cells_.resize(bundles_.size());
  items_.resize(bundles_.size(), 0);
  std::vector<std::uint64_t> items;
  for (const Bundle& b : bundles_) {
    const Kind kind = this->projection(b).rule.kind;
    if (kind == Kind::fixed_indegree) items_[b.index] = b.drawing == Bundle::Drawing::listed ? stubs(b).stubs : tables_[b.index]->draws;
    if (kind != Kind::fixed_total_number) continue;
    if (b.index == 0 || bundles_[b.index - 1].projection != b.projection) items = items_of_chunks(b.projection);
    items_[b.index] = items[b.chunk - first_chunk_[b.targets.population]];
  }
}

/// How the synapses of fixed_total_number fall on the chunks. Every process draws the shares of all.
std::vector<std::uint64_t> Wiring::items_of_chunks(std::uint32_t p) const {
  const ConnectivityRule& rule = network_->projections[p].rule;
  const std::uint32_t sources = network_->populations[source_of_[p]].size;
  const std::uint32_t begin = first_chunk_[target_of_[p]], end = first_chunk_[target_of_[p] + 1];
  std::uint64_t left = rule.number, open = 0;
  for (std::uint32_t c = begin; c < end; ++c) open += open_pairs(bundle_into(p, c), rule.autapses, 0, sources);
  RandomStream stream(key_, Purpose::chunk_split, p, 0);
  std::vector<std::uint64_t> items;
  for (std::uint32_t c = begin; c < end; ++c) {
    const std::uint64_t here = open_pairs(bundle_into(p, c), rule.autapses, 0, sources);
    items.push_back(rule.multapses ? draw_binomial(left, static_cast<double>(here), static_cast<double>(open), stream)
                                   : draw_hypergeometric(left, here, open - here, stream));
    left -= items.back();
    open -= here;
  }
  return items;
}

SourceTree Wiring::tree_of(const Bundle& b, std::uint64_t items, bool cached) const {
  const ConnectivityRule& rule = projection(b).rule;
  const bool autapses = rule.autapses || rule.kind == Kind::fixed_indegree;
  return {key_, b.id, items, network_->populations[b.source_population].size,
          !rule.multapses && rule.kind != Kind::fixed_indegree,
          [b, autapses](std::uint32_t from, std::uint32_t to) { return open_pairs(b, autapses, from, to); }, cached};
}

void Wiring::prepare_reaching() {
  all_items_.resize(network_->projections.size());
  for (std::uint32_t p = 0; p < all_items_.size(); ++p) {
    if (network_->projections[p].rule.kind == Kind::fixed_total_number) all_items_[p] = items_of_chunks(p);
  }
}

double Wiring::bytes_per_chunk(const ConnectivityRule& rule, std::uint32_t sources, std::uint32_t largest_chunk) {
  const double items = static_cast<double>(rule.number) * (rule.kind == Kind::fixed_indegree ? largest_chunk : 1);
  const double tree = SourceTree::bytes_for(items, sources);
  const bool cells = rule.kind == Kind::fixed_indegree && items < SourceCells::kMostItems * sources;
  return sizeof(Bundle) + (has_trees(rule) ? (cells ? std::min(tree, SourceCells::bytes_for(items)) : tree) : 0.0);
}

namespace {

constexpr double kAllocation = 16.0;  // what the allocator keeps of a piece, and rounds
// A tree beside its counts: the object, what its open pairs are found from, and three pieces of memory.
constexpr double kTreeBytes = sizeof(SourceTree) + sizeof(Bundle) + 16.0 + 3.0 * kAllocation;

template <class... T>
std::size_t held_by(const std::vector<T>&... lists) {
  return ((lists.capacity() * sizeof(T)) + ...);
}

}  // namespace

std::size_t Wiring::bytes() const {
  std::size_t total = held_by(chunks_, first_chunk_, bundles_, weight_tables_, weight_table_of_, first_of_weights_, delay_table_of_, step_tables_) +
                      held_by(step_table_begin_, trees_, cells_, tables_, items_, source_of_, target_of_, drawing_, cell_width_, first_bundle_) +
                      held_by(explicit_, sheets_, gaussian_, expected_) + weight_tables_.size() * sizeof(WeightTable);
  for (const DelayTable& delays : delay_tables_) total += delays.bytes();
  for (const auto& tree : trees_) total += tree ? tree->bytes() + static_cast<std::size_t>(kTreeBytes) : 0;
  for (const auto& cells : cells_) total += cells ? cells->bytes() : 0;
  for (const auto& rows : gaussian_) total += rows ? rows->bytes() : 0;
  for (const auto& tables : tables_) {
    if (!tables) continue;
    total += sizeof(RowTables) + tables->stubs.bytes() + tables->exceptions.bytes() + tables->counts.bytes() +
             tables->counts_but_one.bytes() + tables->rows.size() * sizeof(RowsOfChunk);
  }
  for (const auto& rows : explicit_) {
    if (rows) total += rows->synapses.size() * sizeof(rows->synapses[0]) + rows->begin.size() * 4;
  }
  return total;
}

double Wiring::expected_bytes() const {
  double total = static_cast<double>(bytes());
  for (const Bundle& b : bundles_) {
    if (cells_[b.index] || trees_[b.index]) continue;
    const bool cells = has_trees(projection(b).rule) && cell_width_[b.projection] > 0;
    total += cells ? SourceCells::bytes_for(static_cast<double>(items_[b.index])) : expected_tree_bytes(b);
  }
  return total;
}

double Wiring::expected_tree_bytes(const Bundle& b) const {
  if (!has_trees(projection(b).rule) || cell_width_[b.projection] > 0) return 0.0;
  return SourceTree::bytes_for(static_cast<double>(items_[b.index]), network_->populations[b.source_population].size) + kTreeBytes;
}

std::pair<std::uint32_t, std::uint32_t> Wiring::delay_groups(const Bundle& b) const {
  if (is_explicit(b) || has_distance_delay(projection(b))) return {0, (max_delay_ - 1) / shape_.steps()};
  return {delays(b).first_group, delays(b).first_group + delays(b).groups - 1};
}

double Wiring::expected_synapses_of(const Bundle& b) const {
  const Population& target = network_->populations[b.targets.population];
  return expected_[b.projection] * b.targets.size / target.size;
}

double Wiring::expected_draws_of(const Bundle& b) const {
  const bool indegree = projection(b).rule.kind == Kind::fixed_indegree && b.drawing == Bundle::Drawing::corrected;
  return indegree ? static_cast<double>(tables_[b.index]->draws) : expected_synapses_of(b);
}

void Wiring::block_counts(const Bundle& b, std::uint32_t block, std::uint32_t* counts) const {
  if (trees_[b.index]) return trees_[b.index]->block_counts(block, counts);
  const std::uint32_t sources = network_->populations[b.source_population].size;
  for (std::uint32_t i = 0; i < SourceTree::kBlock; ++i) {
    const std::uint32_t source = block * SourceTree::kBlock + i;
    if (source < sources) counts[i] = count(b, source);
  }
}

void Wiring::counts_of(const Bundle& b, std::uint32_t first_block, std::uint32_t blocks, std::uint32_t* counts) const {
  if (trees_[b.index]) return trees_[b.index]->counts_of(first_block, blocks, counts);
  for (std::uint32_t i = 0; i < blocks; ++i) block_counts(b, first_block + i, counts + i * SourceTree::kBlock);
}

std::uint32_t Wiring::count(const Bundle& b, std::uint32_t source) const {
  if (trees_[b.index]) return trees_[b.index]->share(source).count;
  if (projection(b).rule.kind != Kind::pairwise_bernoulli) return outdegree_share(b, source);
  // Independent pairs: a binomial number of them, all sets alike.
  const RowTables& tables = *tables_[b.index];
  RandomStream stream(key_, Purpose::row_length, source, b.id);
  const BinomialTable& counts = excluded_target(b, source) < b.targets.size ? tables.counts_but_one : tables.counts;
  return counts.count(stream.next_unit());
}

/// A source's fixed out-degree is halved over its chunks, so that any one of them is found in as many
/// draws as the number of chunks has digits.
std::uint32_t Wiring::outdegree_share(const Bundle& b, std::uint32_t source) const {
  const ConnectivityRule& rule = projection(b).rule;
  const auto open = [&](std::uint32_t from, std::uint32_t to) {  // targets are consecutive
    Bundle chunks = b;
    chunks.targets.begin = chunks_[from].begin;
    chunks.targets.size = chunks_[to - 1].begin + chunks_[to - 1].size - chunks_[from].begin;
    return open_pairs(chunks, rule.autapses, source, source + 1);
  };
  std::uint32_t from = first_chunk_[b.targets.population], to = first_chunk_[b.targets.population + 1];
  std::uint64_t items = rule.number;
  for (std::uint32_t node = 1; to - from > 1 && items > 0;) {
    const std::uint32_t middle = from + (to - from) / 2;
    const std::uint64_t left = open(from, middle), right = open(middle, to);
    RandomStream stream(key_, round_of(Purpose::chunk_split, node), b.projection, source + 1);
    const std::uint64_t share = rule.multapses ? draw_binomial(items, static_cast<double>(left), static_cast<double>(left + right), stream)
                                               : draw_hypergeometric(items, left, right, stream);
    const bool is_left = b.chunk < middle;
    items = is_left ? share : items - share;
    node = 2 * node + (is_left ? 0 : 1);
    (is_left ? to : from) = middle;
  }
  return static_cast<std::uint32_t>(items);
}

void Wiring::find_reaching(std::uint32_t p, std::uint32_t chunk, std::uint32_t begin, std::uint32_t end,
                           std::vector<bool>::iterator reached) const {
  const ConnectivityRule& rule = network_->projections[p].rule;
  const Bundle b = bundle_into(p, chunk);
  switch (rule.kind) {
    case Kind::one_to_one:
      for (std::uint32_t s = std::max(begin, b.targets.begin); s < std::min(end, b.targets.begin + b.targets.size); ++s) {
        reached[s - begin] = true;
      }
      return;
    case Kind::explicit_list:
      for (std::uint32_t i = explicit_[p]->begin[begin]; i < explicit_[p]->begin[end]; ++i) {
        const ConnectivityRule::Synapse& synapse = explicit_[p]->synapses[i];
        if (synapse.target - b.targets.begin < b.targets.size) reached[synapse.source - begin] = true;
      }
      return;
    case Kind::fixed_outdegree:
      for (std::uint32_t s = begin; s < end; ++s) {
        if (!reached[s - begin] && outdegree_share(b, s) > 0) reached[s - begin] = true;
      }
      return;
    case Kind::fixed_total_number:
      return tree_of(b, all_items_[p][chunk - first_chunk_[b.targets.population]], false).mark(begin, end, reached);
    case Kind::fixed_indegree:
      if (cell_width_[p] == 0) break;
      return SourceCells::mark(key_, b.id, rule.number * b.targets.size, network_->populations[b.source_population].size,
                               cell_width_[p], begin, end, reached);
    default:
      break;
  }
  std::fill_n(reached, end - begin, true);
}

bool Wiring::counted(const Bundle& b) const {
  if (cell_width_[b.projection] > 0) return false;
  const Kind kind = projection(b).rule.kind;
  return kind == Kind::fixed_indegree || kind == Kind::fixed_outdegree || kind == Kind::fixed_total_number;
}

Wiring::Share Wiring::share(const Bundle& b, std::uint32_t source) const {
  if (trees_[b.index]) return trees_[b.index]->share(source);
  return {0, counted(b) ? outdegree_share(b, source) : 0};
}

std::uint32_t Wiring::block_first(const Bundle& b, std::uint32_t block) const {
  return trees_[b.index] ? trees_[b.index]->block_first(block) : 0;
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
