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
#include "connectivity/thin_rows.hpp"
#include "kernels/draw_rows.hpp"
#include "machine/fit.hpp"
#include "machine/mixture.hpp"
#include "machine/rooms.hpp"
#include "machine/stored_choice.hpp"
#include "machine/tile_totals.hpp"
#include "network/prepare_rules.hpp"
#include "network/rounded_times.hpp"

namespace tessera {
namespace {

// Program, libraries (17 MB of their pages, HDF5 among them), stacks and what the command line and the allocator take: measured
// on x86-64 Linux with networks of a few neurons.
constexpr std::uint64_t kProcessBytes = 19u << 20;
// Speed of one core with AVX-512 and 2 MB of L2 cache (docs/performance.md); the estimate scales.
constexpr double kStoredNs = 1.6, kProceduralNs = 2.0, kExactNs = 6.0, kUpdateNs = 0.45;
constexpr double kBuildStoredNs = 3.5, kBuildProceduralNs = 1.6;
constexpr double kBuildNothingNs = 0.1;  // without a count table

// Bytes of a neuron beside its state: refractoriness, input, ...
constexpr double kNeuronBytes = 10.0;

// Lists of spikes keep the room of their largest burst, several times the mean; of ten thousand spikes a step and more
// twice the mean, because vectors grow by doubling.
double peak_of(double spikes_per_step) { return spikes_per_step > 1e4 ? 2.0 : 8.0; }

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

/// What the parts of a network take, in bytes, and how much they do.
struct Demand {
  double state = 0.0, ring = 0.0, wiring = 0.0;
  double fast_state = 0.0, fast_ring = 0.0;  ///< what fast precision would take
  double stored = 0.0;                       ///< packed rows
  double table = 0.0, in_flight = 0.0;       ///< procedural: count table, rows being drawn
  double exceptions = 0.0;                   ///< tables of fixed_indegree
  double corrections = 0.0;                  ///< procedural: what puts draws right
  double plastic = 0.0;                      ///< plastic synapses and their rows
  double events_per_second = 0.0;
  double most_on_tile = 0.0;  ///< words of a tile with too many stored ones; 0: none has
  double mixed = 0.0;         ///< procedural: packed rows of what is stored all the same
  double trees = 0.0, trees_of_tile = 0.0;  ///< procedural: given back once counts are in a table; of the largest tile
  double stores = 0.0;        ///< procedural: whole pages of tables, lists per step, buffers
  double description = 0.0, spikes = 0.0, statistics = 0.0;  ///< rooms.hpp

  /// A count table, less the trees that it is made from, but for those of the tiles that are being built.
  [[nodiscard]] double table_for(int workers) const { return table - std::max(trees - workers * trees_of_tile, 0.0); }
  [[nodiscard]] double fixed() const {
    return wiring + exceptions + plastic + description + spikes + statistics + static_cast<double>(kProcessBytes);
  }
};

bool is_exact(const SimulationOptions& options) { return options.precision == Precision::exact; }

double ring_bytes(double steps, double slots, double bytes_per_slot) {
  return static_cast<double>(page_bytes(static_cast<std::size_t>(steps * slots * bytes_per_slot)));
}

double stored_bytes(const Totals& totals, double all_sources, bool exact) {
  return exact ? (totals.synapses - totals.plastic) * 16.0 + std::min(totals.synapses - totals.plastic, all_sources) * 12.0 : totals.rows;
}

int ring_steps(const Wiring& wiring, const SimulationOptions& options) {
  return static_cast<int>(is_exact(options) ? history_slots(wiring.max_delay_steps() + 2)
                                            : wiring.ring_shape().steps());
}

/// The projection whose exceptions or corrections take most.
LargestTable largest_table(const Wiring& wiring, const WeightUnits& units, bool procedural) {
  LargestTable largest;
  std::vector<double> bytes(wiring.network().projections.size(), 0.0);
  for (const Bundle& b : wiring.bundles()) {
    bytes[b.projection] += wiring.expected_exception_bytes(b) + (procedural ? correction_bytes(wiring, units, b) : 0.0);
    if (bytes[b.projection] <= largest.bytes) continue;
    largest.bytes = bytes[b.projection];
    largest.projection = &wiring.projection(b);
  }
  return largest;
}

/// Adds up what the tiles take, and describes each of them in a sentence of the plan.
void add_tiles(const Wiring& wiring, const WeightUnits& units, const std::vector<int>& ports, PlasticTotals plastic,
               const SimulationOptions& options, const Placement& placement, const std::vector<bool>& mixture, Plan& plan, Demand& demand) {
  const Network& network = wiring.network();
  const bool exact = is_exact(options);
  const RingShape shape = wiring.ring_shape();
  const ThinChoice thin(wiring, units);
  double spikes_per_step = 0.0, all_sources = 0.0;
  for (const Population& p : network.populations) {
    spikes_per_step += p.mean_rate_hz * p.size * network.dt_ms / 1000.0;
    all_sources += p.size;
  }
  for (std::size_t t = 0; t < placement.tiles.size(); ++t) {
    const TileLayout layout = lay_out_tile(wiring.chunks(), placement.tiles[t].chunks, ports);
    const Totals totals = sum_up(wiring, units, thin, layout, plastic, mixture);
    const double fast_ring = ring_bytes(shape.steps(), shape.slots(), 4.0);  // a word addresses all slots
    demand.fast_ring += fast_ring;
    demand.ring += exact ? ring_bytes(ring_steps(wiring, options), layout.slots, 8.0) : fast_ring;
    demand.stored += stored_bytes(totals, all_sources, exact);
    demand.table += totals.table_bytes;
    demand.exceptions += totals.exceptions;
    demand.corrections += totals.corrections;
    demand.plastic += totals.plastic_bytes;
    demand.trees += totals.trees;
    demand.trees_of_tile = std::max(demand.trees_of_tile, totals.trees);
    demand.stores += store_bytes(totals, wiring, options.count_table);
    const double history = history_slots((totals.last_group + 1) * shape.steps() + 2 * wiring.exchange_steps());
    demand.in_flight += peak_of(spikes_per_step) * (history * (totals.kept_spikes * 24.0 + (options.count_table ? 0.0 : totals.records)) +
                                                    totals.waiting);
    demand.events_per_second += totals.events_per_second;
    plan.own_synapses += totals.synapses;
    if (!exact && totals.stored_words > kLargestTile) {
      demand.most_on_tile = std::max(demand.most_on_tile, totals.stored_words);
    }
    plan.tile_lines.push_back(sentence_of(placement.tiles[t], t, wiring.chunks(), totals, layout));
  }
}

void choose_connectivity(const Demand& demand, const SimulationOptions& options, const MemoryLimit& limit,
                         Plan& plan) {
  plan.connectivity = options.connectivity;
  if (plan.connectivity != Connectivity::automatic) return;
  const double needed = demand.stored + demand.state + demand.ring + demand.fixed();
  const bool stored = is_exact(options) || leaves_room(needed, limit.bytes);
  plan.connectivity = stored ? Connectivity::stored : Connectivity::procedural;
  if (!stored) plan.notes.push_back(why_procedural(needed, limit));
}

/// What is needed where rows are drawn.
double procedural_bytes(const Demand& demand, const SimulationOptions& options, int workers) {
  return demand.state + demand.ring + demand.fixed() + demand.in_flight + demand.stores + demand.corrections + (options.count_table ? demand.table_for(workers) : 0.0);
}

void list_memory(const Demand& demand, const SimulationOptions& options, Plan& plan) {
  const auto add = [&plan](const char* room, double bytes, const char* what) {
    plan.memory.push_back({room, static_cast<std::uint64_t>(bytes), what});
    plan.memory_bytes += plan.memory.back().bytes;
  };
  const double table = options.count_table ? demand.table : 0.0;
  const bool procedural = plan.connectivity == Connectivity::procedural;
  add("network", demand.description, "description");
  add("engine", demand.state, "neuron state");
  add("engine", demand.spikes, "spike counts and lists");
  add("kernels", demand.ring, "input rings");
  if (procedural) {
    add("connectivity", table, "count table");
    add("connectivity", demand.in_flight, "rows in flight");
    add("connectivity", demand.stores, "pages, lists and buffers of tiles");
    if (demand.mixed > 0.0) add("connectivity", demand.mixed, "packed rows");
    if (demand.corrections > 0.0) add("connectivity", demand.corrections, "corrections of rows drawn with replacement");
  } else {
    add("connectivity", demand.stored, "packed rows");
  }
  if (demand.plastic > 0.0) add("connectivity", demand.plastic, "plastic synapses");
  add("connectivity", demand.wiring - (procedural ? table - (options.count_table ? demand.table_for(plan.threads) : 0.0) : 0.0),
      "wiring (trees, tables, lists)");
  if (plan.exchange == Exchange::point_to_point) {
    add("engine", plan.point_to_point.table_bytes, "which ranks need which neurons");
  }
  if (demand.exceptions > 0.0) {
    add("connectivity", demand.exceptions, "exceptions of in-degrees without multapses or autapses");
  }
  if (demand.statistics > 0.0) add("analysis", demand.statistics, "rates and CVs");
  add("base", static_cast<double>(kProcessBytes), "program and libraries");
  plan.synapse_bytes = static_cast<std::uint64_t>((procedural ? table + demand.mixed + demand.corrections : demand.stored) + demand.plastic);
}

void estimate_times(const Demand& demand, const SimulationOptions& options, double dt_ms, Plan& plan) {
  const ProcessLimits limits = process_limits();
  if (plan.threads > limits.threads()) plan.notes.push_back(too_many_threads(plan.threads, limits));
  const double cores = std::min(static_cast<double>(plan.threads), limits.cores);
  const bool procedural = plan.connectivity == Connectivity::procedural;
  const double build_ns = !procedural ? kBuildStoredNs : options.count_table ? kBuildProceduralNs : kBuildNothingNs;
  plan.construction_seconds = plan.own_synapses * 1e-9 / cores * build_ns;
  if (demand.events_per_second == 0.0) return;
  const double usual_ns = is_exact(options) ? kExactNs : procedural ? kProceduralNs : kStoredNs;
  const double event_ns = options.costs.event_seconds > 0.0 ? options.costs.event_seconds * 1e9 : usual_ns;
  const double steps_per_second = 1000.0 / dt_ms;
  const double updates_per_second = static_cast<double>(plan.own_neurons) * steps_per_second;
  const ExchangeEstimate& lists = plan.exchange == Exchange::collective ? plan.collective : plan.point_to_point;
  plan.real_time_factor =
      (demand.events_per_second * event_ns + updates_per_second * kUpdateNs) * 1e-9 / cores +
      lists.seconds_per_step * steps_per_second;
}

/// "3, 5 and 7": at most the first five of them.
std::string numbers_text(const std::vector<std::size_t>& numbers) {
  constexpr std::size_t kMost = 5;
  std::string text;
  for (std::size_t i = 0; i < std::min(numbers.size(), kMost); ++i) {
    const bool last = i + 1 == numbers.size();
    text += (i == 0 ? "" : last ? " and " : ", ") + std::to_string(numbers[i]);
  }
  return numbers.size() > kMost ? text + " and " + std::to_string(numbers.size() - kMost) + " more" : text;
}

void add_ranks(const Wiring& wiring, const Placement& placement, const ExchangePlan& exchange, Plan& plan) {
  plan.ranks = placement.ranks;
  plan.rank = placement.rank;
  plan.rank_loads = placement.rank_loads;
  for (const std::uint32_t c : placement.own_chunks) plan.own_neurons += wiring.chunks()[c].size;
  plan.exchange = exchange.chosen;
  plan.collective = exchange.collective;
  plan.point_to_point = exchange.point_to_point;
  plan.local_interval_steps = static_cast<int>(exchange.local_interval);
  plan.remote_interval_steps = static_cast<int>(exchange.remote_interval);
  std::vector<std::size_t> idle;
  for (std::size_t r = 0; r < placement.rank_loads.size(); ++r) {
    if (placement.rank_loads[r] == 0.0) idle.push_back(r);
  }
  if (idle.empty()) return;
  plan.notes.push_back((idle.size() == 1 ? "rank " : "ranks ") + numbers_text(idle) +
                       (idle.size() == 1 ? " has" : " have") + " no neurons and only wait" +
                       (idle.size() == 1 ? "s" : "") + ": the network has " + std::to_string(wiring.chunks().size()) +
                       " chunks for " + std::to_string(placement.ranks) + " ranks");
}

Ways ways_of(const Demand& demand, const SimulationOptions& options, int workers) {
  const double without_table =
      demand.fast_state + demand.fast_ring + demand.fixed() + demand.in_flight + demand.stores + demand.corrections;
  return {demand.state + demand.ring + demand.fixed() + demand.stored, without_table + demand.table_for(workers), without_table,
          options.precision, options.count_table};
}

}  // namespace

MemoryLimit memory_limit(const SimulationOptions& options) {
  if (options.memory_limit_bytes > 0) return {options.memory_limit_bytes, {}};
  const ProcessLimits limits = process_limits();
  return {limits.memory_bytes, limits.memory_source.empty() ? "" : " (" + limits.memory_source + ")"};
}

void count(const Network& network, Plan& plan) {
  for (const Population& population : network.populations) plan.neurons += population.size;
  const SynapseNumber number = number_of_synapses(network);
  plan.synapses = number.synapses;
  plan.synapses_expected = number.expected;
}

double state_bytes(const Network& network, const NeuronCatalogue& models, Precision precision,
                   const std::vector<double>& shares) {
  const double real = precision == Precision::exact ? 8.0 : 4.0;
  double bytes = 0.0;
  for (std::size_t p = 0; p < shares.size(); ++p) {
    const Population& population = network.populations[p];
    if (population.kind != Population::Kind::neurons) continue;
    const NeuronModel& model = *models.find(population.model);
    const NeuronVariant variant = model.prepare(values_of(population, model), network.dt_ms);
    bytes += shares[p] * population.size * (static_cast<double>(variant.states.size()) * real + kNeuronBytes);
  }
  return bytes;
}

bool leaves_room(double bytes, std::uint64_t available) {
  return available == 0 || bytes < kLargestShare * static_cast<double>(available);
}

void require_possible(const Network& network, const SimulationOptions& options) {
  if (options.connectivity != Connectivity::procedural) return;
  std::vector<Problem> problems;
  if (is_exact(options)) {
    problems.push_back({{}, "Exact precision keeps its synapses as float64: connectivity must be 'stored' or "
                            "'auto', not 'procedural'."});
  }
  for (const Projection& p : network.projections) {
    if (!p.plasticity) continue;
    problems.push_back({{}, "Projection '" + p.name + "' is plastic (" + p.plasticity->rule +
                            "), so its weights must be kept: connectivity must be 'stored' or 'auto', not "
                            "'procedural'."});
  }
  if (!problems.empty()) throw InputError(std::move(problems));
}

Plan make_plan(const Wiring& wiring, const WeightUnits& units, const NeuronCatalogue& models,
               const SimulationOptions& options, const Placement& placement, const ExchangePlan& exchange,
               std::vector<bool>* stored) {
  const Network& network = wiring.network();
  const MemoryLimit limit = memory_limit(options);
  Plan plan;
  count(network, plan);
  add_ranks(wiring, placement, exchange, plan);
  plan.threads = placement.workers;
  plan.tiles = static_cast<int>(placement.tiles.size());
  plan.chunks = static_cast<int>(wiring.chunks().size());
  plan.groups = placement.groups;
  plan.delay_slots = ring_steps(wiring, options);
  plan.min_delay_ms = wiring.min_delay_steps() * network.dt_ms;
  plan.max_delay_ms = wiring.max_delay_steps() * network.dt_ms;
  plan.available_bytes = limit.bytes;
  if (!is_exact(options)) plan.rounded_weights = units.rounded;

  Demand demand;
  demand.state = state_bytes(wiring, models, options.precision, placement);
  demand.fast_state = state_bytes(wiring, models, Precision::fast, placement);
  demand.description = description_bytes(network);
  demand.spikes = spike_bytes(wiring, placement);
  demand.statistics = statistics_bytes(network, placement);
  demand.wiring = wiring.expected_bytes();
  const std::vector<PlasticityVariant> rules = prepare_rules(network, models);
  const PlasticTotals plastic(wiring, rules, is_exact(options));
  const std::vector<int> ports = ports_of(network, models);
  add_tiles(wiring, units, ports, plastic, options, placement, {}, plan, demand);

  choose_connectivity(demand, options, limit, plan);
  const double left = kLargestShare * static_cast<double>(limit.bytes) - procedural_bytes(demand, options, placement.workers);
  if (options.connectivity == Connectivity::automatic && plan.connectivity == Connectivity::procedural && left > 0.0) {
    const std::vector<bool> mixture = choose_stored(wiring, units, ThinChoice(wiring, units), left);
    Plan of_mixture;
    Demand mixed;
    add_tiles(wiring, units, ports, plastic, options, placement, mixture, of_mixture, mixed);
    if (mixed.stored > 0.0 && mixed.most_on_tile == 0.0) {
      demand.mixed = mixed.stored, demand.table = mixed.table, demand.in_flight = mixed.in_flight, demand.stores = mixed.stores;
      demand.trees = mixed.trees, demand.trees_of_tile = mixed.trees_of_tile;
      plan.notes.push_back(mixture_text(network, mixture, mixed.stored));
      plan.mixture = mixture_of(wiring, mixture);
      if (stored != nullptr) *stored = mixture;
    }
  }
  list_memory(demand, options, plan);
  estimate_times(demand, options, network.dt_ms, plan);
  judge_memory(plan, network, ways_of(demand, options, placement.workers), limit.source);
  judge_table(plan, largest_table(wiring, units, plan.connectivity == Connectivity::procedural));
  if (!is_exact(options)) judge_rows(plan, wiring, demand.most_on_tile);
  return plan;
}

Plan plan(const Network& network, const NeuronCatalogue& models, const SimulationOptions& options) {
  require_valid(network, models);
  require_possible(network, options);
  Plan least = outline(network, models, options);
  if (!wiring_fits(least)) return least;
  std::optional<Wiring> made;
  Placement placement;
  try {
    made.emplace(network, options.seed);
    placement = place(*made, ports_of(network, models), options);
    made->own(placement.own_chunks);
  } catch (const InputError& error) {  // more than a rule can count
    for (const Problem& problem : error.problems()) least.obstacles.push_back(problem.message);
    return least;
  }
  Plan plan = make_plan(*made, choose_weight_units(*made, prepare_rules(network, models)), models, options, placement,
                        plan_exchange(*made, placement, options));
  for (std::string& sentence : rounded_times(network)) plan.notes.push_back(std::move(sentence));
  return plan;
}

}  // namespace tessera
