// The plan: what a simulation will need, from the description alone.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "machine/plan.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>

#include "base/aligned_array.hpp"
#include "base/process_limits.hpp"
#include "connectivity/fan.hpp"
#include "connectivity/in_flight.hpp"
#include "connectivity/row_store.hpp"
#include "kernels/draw_rows.hpp"
#include "machine/fit.hpp"
#include "network/rounded_times.hpp"

namespace tessera {
namespace {

// Program, libraries (HDF5 among them), stacks and allocator overhead of a run, measured on x86-64 Linux.
constexpr std::uint64_t kProcessBytes = 16u << 20;
// Speed of one core with AVX-512 and 2 MB of L2 cache (docs/performance.md); the estimate scales.
constexpr double kStoredNs = 1.6, kProceduralNs = 2.0, kExactNs = 6.0, kUpdateNs = 0.45;
constexpr double kBuildStoredNs = 3.5, kBuildProceduralNs = 1.6;

// Lists of spikes keep the room of their largest burst, several times the mean.
constexpr double kPeak = 8.0;

// Stored connectivity is chosen when it leaves a fifth of the memory to everything else.
constexpr double kLargestShare = 0.8;

std::string megabytes(double bytes) {
  return std::to_string(static_cast<std::uint64_t>(std::ceil(bytes / 1e6))) + " MB";
}

std::string why_procedural(double stored_bytes, const MemoryLimit& limit) {
  return "procedural, because stored connectivity would take " + megabytes(stored_bytes) +
         " in all: more than 80 % of the " + megabytes(static_cast<double>(limit.bytes)) +
         " that this process may use" + limit.source;
}

std::string too_many_threads(int threads, const ProcessLimits& limits) {
  char cores[32];
  std::snprintf(cores, sizeof cores, "%.3g", limits.cores);
  return std::to_string(threads) + " threads share " + cores + (limits.cores == 1.0 ? " core" : " cores") +
         (limits.cores_source.empty() ? "" : " (" + limits.cores_source + ")") +
         " and wait for each other: try --threads " + std::to_string(limits.threads());
}

struct Totals {
  double synapses = 0.0;
  double events_per_second = 0.0;  ///< from mean rates; 0 when none is known
  double table_bytes = 0.0;        ///< count records
  double headers = 0.0;            ///< stored rows: block headers
  double records = 0.0;            ///< bytes of count records of one step's spikes
  double listed = 0.0;             ///< synapses of explicit lists and other listed rules
  double wide = 0.0;               ///< synapses in wide words
  double exceptions = 0.0;         ///< bytes of the tables of fixed_indegree
};

Totals sum_up(const Wiring& wiring, const WeightUnits& units, const TileLayout& layout) {
  const Network& network = wiring.network();
  Totals totals;
  std::vector<bool> on_tile(wiring.chunks().size(), false);
  for (const BlockLayout& block : layout.blocks) on_tile[block.chunk] = true;
  double largest_count = 0.0;
  std::vector<std::uint32_t> first(network.populations.size(), kMaxDelayGroups);
  std::vector<std::uint32_t> last(network.populations.size(), 0), bundles(network.populations.size(), 0);
  for (const Bundle& b : wiring.bundles()) {
    if (!on_tile[b.chunk]) continue;
    const Population& source = network.populations[b.source_population];
    const double n = wiring.expected_synapses_of(b);
    totals.synapses += n;
    if (units.wide[b.projection]) totals.wide += n;
    totals.events_per_second += n / source.size * source.mean_rate_hz * source.size;
    if (b.drawing == Bundle::Drawing::listed) {
      totals.listed += n;
      totals.exceptions += wiring.expected_exception_bytes(b);
      if (wiring.counted(b)) totals.table_bytes += source.size;  // RowCounts: nearly always a byte
      continue;
    }
    const DelayTable& delays = wiring.delays(b);
    largest_count = std::max(largest_count, n / source.size * delays.largest_group_share());
    ++bundles[b.source_population];
    first[b.source_population] = std::min(first[b.source_population], delays.first_group);
    last[b.source_population] = std::max(last[b.source_population], delays.first_group + delays.groups);
  }
  for (std::size_t p = 0; p < bundles.size(); ++p) {
    if (bundles[p] == 0) continue;
    const double groups = last[p] - first[p];
    totals.table_bytes += groups * bundles[p] * network.populations[p].size * (largest_count > kLargestMeanCount8 ? 2.0 : 1.0);
    totals.records += network.populations[p].mean_rate_hz * network.populations[p].size * network.dt_ms / 1000.0 *
                      groups * bundles[p] * (largest_count > kLargestMeanCount8 ? 2.0 : 1.0);
    totals.headers += groups * network.populations[p].size;
  }
  return totals;
}

/// Stored rows of a tile are addressed by 32 bits.
constexpr double kLargestTile = 4294967295.0;

/// Rows that no tile can hold, whatever the memory.
void judge_rows(Plan& plan, const Wiring& wiring, double most_on_tile) {
  for (const Bundle& bundle : wiring.bundles()) {
    const std::string problem = row_problem(wiring, bundle);
    if (problem.empty()) continue;
    plan.obstacles.push_back(problem);
    break;
  }
  if (plan.connectivity != Connectivity::stored || most_on_tile == 0.0) return;
  plan.obstacles.push_back("A tile would hold " + std::to_string(static_cast<std::uint64_t>(most_on_tile)) +
                           " stored synapses; at most 4,294,967,295 are possible.");
  plan.remedies.push_back("More tiles: " +
                          std::to_string(static_cast<int>(plan.tiles * std::ceil(1.1 * most_on_tile / kLargestTile))) +
                          " would hold them.");
}

std::string sentence_of(const TilePlacement& tile, std::size_t index, const std::vector<Chunk>& chunks,
                        const Totals& totals, const TileLayout& layout) {
  std::uint64_t neurons = 0;
  for (const std::uint32_t c : tile.chunks) neurons += chunks[c].size;
  return "tile " + std::to_string(index) + " (worker " + std::to_string(tile.worker) + ", group " +
         std::to_string(tile.group) + "): " + std::to_string(tile.chunks.size()) + " chunks, " +
         std::to_string(neurons) + " neurons, " + std::to_string(layout.slots) + " input slots, " +
         std::to_string(static_cast<std::uint64_t>(totals.synapses / 1e3)) + "k synapses expected";
}

}  // namespace

MemoryLimit memory_limit(const SimulationOptions& options) {
  if (options.memory_limit_bytes > 0) return {options.memory_limit_bytes, {}};
  const ProcessLimits limits = process_limits();
  return {limits.memory_bytes, limits.memory_source.empty() ? "" : " (" + limits.memory_source + ")"};
}

Plan make_plan(const Wiring& wiring, const WeightUnits& units, const NeuronCatalogue& models, const SimulationOptions& options,
               const Placement& placement) {
  const Network& network = wiring.network();
  const std::vector<int> ports = ports_of(network, models);
  const bool exact = options.precision == Precision::exact;
  const double real = exact ? 8.0 : 4.0;
  Plan plan;
  double state = 0.0, ring = 0.0, stored = 0.0, table = 0.0, exceptions = 0.0, in_flight = 0.0, events = 0.0;
  double spikes_per_step = 0.0, most_on_tile = 0.0;
  double fast_state = 0.0, fast_ring = 0.0;  // what fast precision would take
  for (const Population& p : network.populations) spikes_per_step += p.mean_rate_hz * p.size * network.dt_ms / 1000.0;
  const double ring_steps = exact ? history_slots(wiring.max_delay_steps() + 2) : wiring.ring_shape().steps();
  for (std::size_t t = 0; t < placement.tiles.size(); ++t) {
    const TileLayout layout = lay_out_tile(wiring.chunks(), placement.tiles[t].chunks, ports);
    const Totals totals = sum_up(wiring, units, layout);
    double all_sources = 0.0;
    for (const Population& population : network.populations) all_sources += population.size;
    const double slots = exact ? layout.slots : wiring.ring_shape().slots();  // a packed word addresses all of them
    ring += static_cast<double>(page_bytes(static_cast<std::size_t>(ring_steps * slots * real)));
    const RingShape shape = wiring.ring_shape();
    fast_ring += static_cast<double>(page_bytes(std::size_t{4} * shape.steps() * shape.slots()));
    stored += exact ? totals.synapses * 16.0 + all_sources * 8.0
                    : (totals.synapses + totals.wide + totals.headers) * 4.0 +
                          all_sources * (totals.wide > 0.0 ? 8.0 : 4.0);
    table += totals.table_bytes;
    exceptions += totals.exceptions;
    in_flight += kPeak * history_slots(wiring.max_delay_steps() + wiring.ring_shape().steps()) *
                 (spikes_per_step * 24.0 + (options.count_table ? 0.0 : totals.records));
    events += totals.events_per_second;
    if (!exact && totals.synapses + totals.headers > kLargestTile) {
      most_on_tile = std::max(most_on_tile, totals.synapses + totals.headers);
    }
    plan.tile_lines.push_back(sentence_of(placement.tiles[t], t, wiring.chunks(), totals, layout));
  }
  for (const Population& population : network.populations) {
    plan.neurons += population.size;
    if (population.kind != Population::Kind::neurons) continue;
    const NeuronModel& model = *models.find(population.model);
    const NeuronVariant variant = model.prepare(values_of(population, model), network.dt_ms);
    state += population.size * (static_cast<double>(variant.states.size()) * real + kNeuronBytes);
    fast_state += population.size * (static_cast<double>(variant.states.size()) * 4.0 + kNeuronBytes);
  }
  const SynapseNumber number = number_of_synapses(network);
  plan.synapses = number.synapses;
  plan.synapses_expected = number.expected;
  if (!exact) plan.rounded_weights = units.rounded;
  const double wiring_bytes = static_cast<double>(wiring.bytes());
  const MemoryLimit limit = memory_limit(options);
  plan.available_bytes = limit.bytes;
  plan.connectivity = options.connectivity;
  if (plan.connectivity == Connectivity::automatic) {
    const double needed = stored + state + ring + wiring_bytes + exceptions + kProcessBytes;
    const bool fits = limit.bytes == 0 || needed < kLargestShare * static_cast<double>(limit.bytes);
    plan.connectivity = fits || exact ? Connectivity::stored : Connectivity::procedural;
    if (!fits && !exact) plan.notes.push_back(why_procedural(needed, limit));
  }
  const bool procedural = plan.connectivity == Connectivity::procedural && !exact;
  const auto add = [&plan](const char* room, double bytes, const char* what) {
    plan.memory.push_back({room, static_cast<std::uint64_t>(bytes), what});
    plan.memory_bytes += static_cast<std::uint64_t>(bytes);
  };
  add("engine", state, "neuron state");
  add("kernels", ring, "input rings");
  if (procedural) {
    add("connectivity", options.count_table ? table : 0.0, "count table");
    add("connectivity", in_flight, "rows in flight");
  } else {
    add("connectivity", stored, "packed rows");
  }
  add("connectivity", wiring_bytes, "wiring (trees, tables, lists)");
  if (exceptions > 0.0) add("connectivity", exceptions, "exceptions of in-degrees without multapses or autapses");
  add("base", static_cast<double>(kProcessBytes), "program and libraries");
  plan.synapse_bytes = static_cast<std::uint64_t>((procedural ? (options.count_table ? table : 0.0) : stored));
  plan.threads = placement.workers;
  plan.tiles = static_cast<int>(placement.tiles.size());
  plan.chunks = static_cast<int>(wiring.chunks().size());
  plan.groups = placement.groups;
  plan.delay_slots = static_cast<int>(ring_steps);
  plan.min_delay_ms = wiring.min_delay_steps() * network.dt_ms;
  plan.max_delay_ms = wiring.max_delay_steps() * network.dt_ms;
  const ProcessLimits limits = process_limits();
  const double cores = std::min(static_cast<double>(placement.workers), limits.cores);
  if (placement.workers > limits.threads()) plan.notes.push_back(too_many_threads(placement.workers, limits));
  plan.construction_seconds = static_cast<double>(plan.synapses) * 1e-9 / cores * (procedural ? (options.count_table ? kBuildProceduralNs : 0.1) : kBuildStoredNs);
  if (events > 0.0) {
    const double ns = exact ? kExactNs : procedural ? kProceduralNs : kStoredNs;
    const double steps = 1000.0 / network.dt_ms;
    plan.real_time_factor = (events * ns + static_cast<double>(plan.neurons) * steps * kUpdateNs) * 1e-9 / cores;
  }
  const double fixed = wiring_bytes + static_cast<double>(kProcessBytes);
  const double fast = fast_state + fast_ring + fixed + in_flight;
  judge_memory(plan, network,
               {state + ring + fixed + stored, fast + table, fast, options.precision, options.count_table},
               limit.source);
  if (!exact) judge_rows(plan, wiring, most_on_tile);
  return plan;
}

Plan plan(const Network& network, const NeuronCatalogue& models, const SimulationOptions& options) {
  require_valid(network, models);
  Plan least = outline(network, models, options);
  if (!wiring_fits(least)) return least;
  std::optional<Wiring> made;
  try {
    made.emplace(network, options.seed);
  } catch (const InputError& error) {  // more than a rule can count
    for (const Problem& problem : error.problems()) least.obstacles.push_back(problem.message);
    return least;
  }
  const Wiring& wiring = *made;
  const Placement placement = place(wiring, ports_of(network, models), options);
  Plan plan = make_plan(wiring, choose_weight_units(wiring), models, options, placement);
  for (std::string& sentence : rounded_times(network)) plan.notes.push_back(std::move(sentence));
  return plan;
}

}  // namespace tessera
