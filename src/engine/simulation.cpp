// Building a simulation. It runs in simulation_run.cpp; the loop itself is in step_loop.cpp.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "engine/simulation_impl.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <tuple>

#include "engine/choose_device.hpp"
#include "engine/device_memory.hpp"
#include "engine/fingerprint.hpp"
#include "machine/fit.hpp"
#include "machine/mixture.hpp"
#include "machine/plan.hpp"
#include "network/prepare_rules.hpp"

namespace tessera {
namespace {

using Clock = std::chrono::steady_clock;
}  // namespace

std::string to_string(Connectivity connectivity, const Mixture& mixture) {
  return mixture.is_mixed() ? "mixed" : to_string(connectivity);
}

std::string to_string(Connectivity connectivity) {
  switch (connectivity) {
    case Connectivity::automatic: return "auto";
    case Connectivity::stored: return "stored";
    case Connectivity::procedural: return "procedural";
  }
  return "";
}

std::string to_string(Precision precision) { return precision == Precision::fast ? "fast" : "exact"; }

std::string to_string(Exchange exchange) {
  switch (exchange) {
    case Exchange::automatic: return "auto";
    case Exchange::collective: return "collective";
    case Exchange::point_to_point: return "point_to_point";
  }
  return "";
}

std::string to_string(RankPlacement placement) { return placement == RankPlacement::spread ? "spread" : "pack"; }

Simulation::Impl::Impl(const Network& description, const NeuronCatalogue& models,
                       const SimulationOptions& wanted)
    : network(description), options(wanted), ranks(wanted.communicator) {
  const auto start = Clock::now();
  ranks.enter("construction");
  const std::uint64_t before = ranks.traffic().messages;
  std::exception_ptr failure;
  try {
    build(models);
  } catch (...) {
    failure = std::current_exception();
  }
  construction_messages = ranks.traffic().messages - before;
  ranks.enter("comparing models, options and builds");
  ranks.settle_construction(failure, ranks.alone() ? Agreement::Identity{} : identity_of(network, options));
  check_messages = ranks.traffic().messages - before - construction_messages;
  construction_seconds = std::chrono::duration<double>(Clock::now() - start).count();
}

void Simulation::Impl::build(const NeuronCatalogue& models) {
  require_valid(network, models);
  require_possible(network, options);
  if (options.device.kind != Device::Kind::cpu && !ranks.alone()) {
    throw InputError("Steps run on a GPU with one rank only so far; leave --device out, or run on one rank.");
  }
  std::unique_ptr<gpu::Machine> machine = choose_device(network, models, options);
  if (machine != nullptr) {
    if (options.connectivity == Connectivity::automatic) options.connectivity = Connectivity::stored;
    options.count_table = false;  // tiles draw nothing then
  }
  if (const Plan least = outline(network, models, options); !wiring_fits(least)) require_fit(least);
  wiring = std::make_unique<Wiring>(network, options.seed);
  const std::vector<int> ports = ports_of(network, models);
  placement = place(*wiring, ports, options);
  wiring->own(placement.own_chunks);
  exchange = plan_exchange(*wiring, placement, options);
  context.rules = prepare_rules(network, models);
  context.structural = prepare_structural_rules(network, models);
  units = choose_weight_units(*wiring, context.rules);
  const Plan plan = make_plan(*wiring, units, models, options, placement, exchange, &context.stored);
  planned_bytes = plan.memory_bytes;
  mixture = plan.mixture;
  require_fit(plan);
  if (machine != nullptr) {  // what is expected, before anything is built; DeviceLoop looks at what it has become
    const DevicePlan there = plan_memory(*wiring, units, models, plan.connectivity == Connectivity::procedural, machine->info());
    require_device_memory(there.memory, machine->info().free_bytes);
    if (plan.connectivity == Connectivity::procedural) context.stored = not_drawn(*wiring, units);
    if (!context.stored.empty()) mixture = mixture_of(*wiring, context.stored);
  }

  context.wiring = wiring.get();
  context.units = &units;
  context.kernels = make_kernels(network, models, units.unit);
  context.connectivity = plan.connectivity;
  context.count_table = options.count_table;
  // Argument 2 above the step loop: the longest interval after which no delivery comes late.
  context.exchange_steps = exchange.local_interval;
  std::uint32_t first = 0;
  for (const Population& population : network.populations) {
    context.first_id.push_back(first);
    first += population.size;
  }
  neurons.emplace(wiring->chunks(), context.first_id, placement.rank_of_chunk, placement.ranks);
  RewiringPlan rewired = plan_rewiring(network, context.structural, context.kernels);
  context.memories = rewired.memories;
  make_tiles(ports);
  if (!rewired.locals.empty() || !rewired.groups.empty()) {
    rewiring = std::make_unique<GlobalRewiring>(std::move(rewired), GlobalRewiring::Input{&network, wiring.get(), &placement, &ranks, &context, &tiles});
  }
  Meetings meetings{exchange.local_interval, exchange.remote_interval, options.precision == Precision::exact,
                    make_exchange()};
  loop = std::make_unique<StepLoop>(tiles, placement, std::move(meetings), wiring->max_delay_steps(),
                                    wiring->ring_shape().steps(), *neurons);
  if (machine != nullptr) device = std::make_unique<DeviceLoop>(std::move(machine), context, tiles, layouts, *team);
  population_spikes.assign(network.populations.size(), 0);
  make_sample_buffers();
}

void Simulation::Impl::make_tiles(const std::vector<int>& ports) {
  team = std::make_unique<ThreadTeam>(placement.workers);
  for (const TilePlacement& tile : placement.tiles) {
    layouts.push_back(lay_out_tile(wiring->chunks(), tile.chunks, ports));
  }
  tiles.resize(placement.tiles.size());
  team->run([&](int worker) {
    for (std::size_t t = 0; t < tiles.size(); ++t) {
      if (placement.tiles[t].worker != worker) continue;
      for (const std::uint32_t chunk : placement.tiles[t].chunks) wiring->prepare_chunk(chunk);
      tiles[t] = options.precision == Precision::exact ? make_exact_tile(context, layouts[t])
                                                       : make_fast_tile(context, layouts[t]);
      for (const Bundle& bundle : wiring->bundles()) {  // rows that are written down are not listed again
        const auto& chunks = placement.tiles[t].chunks;
        const bool written = context.writes_down(bundle) || units.corrected_by_group(bundle);
        const bool here = std::find(chunks.begin(), chunks.end(), bundle.chunk) != chunks.end();
        if (here && written) wiring->release_exceptions(bundle);
        if (here && context.keeps_counts(bundle)) wiring->release_tree(bundle);
      }
    }
  });
}

std::unique_ptr<RankExchange> Simulation::Impl::make_exchange() const {
  if (ranks.alone()) return nullptr;
  const NeuronRanges own = neurons->of(placement.rank);
  if (exchange.chosen == Exchange::collective) return make_collective(ranks.communicator(), own);
  const Neighbours& neighbours = exchange.neighbours;
  ReachTable table = make_reach_table(*wiring, placement.rank_of_chunk, placement.rank, neighbours.to, *team);
  return make_point_to_point(ranks.communicator(), own, std::move(table), neighbours.to, neighbours.from);
}

Simulation::Simulation(const Network& network, const NeuronCatalogue& models, const SimulationOptions& options)
    : impl_(std::make_unique<Impl>(network, models, options)) {}
Simulation::~Simulation() = default;
Simulation::Simulation(Simulation&&) noexcept = default;
Simulation& Simulation::operator=(Simulation&&) noexcept = default;

void Simulation::run(double time_ms, RunObserver& observer) { impl_->run(time_ms, observer); }
void Simulation::run(double time_ms) {
  RunObserver nobody;
  impl_->run(time_ms, nobody);
}
std::int64_t Simulation::step() const noexcept { return impl_->now; }
SimulationReport Simulation::report() const { return impl_->report(); }

namespace {

/// A number of that name which structural rules keep of the neurons of a chunk; of several the first.
void read_memory(const TileContext& context, Tile& tile, std::uint32_t chunk, const std::string& name, std::int64_t now, double* values) {
  for (std::size_t m = 0; m < context.memories.size(); ++m) {
    const MemoryKind& kind = context.memories[m];
    const Chunk& of = context.wiring->chunks()[chunk];
    const auto found = std::find(kind.names.begin(), kind.names.end(), name);
    if (kind.population != of.population || found == kind.names.end()) continue;
    std::vector<std::vector<double>> columns(kind.names.size(), std::vector<double>(of.size));
    std::vector<double*> places;
    for (auto& column : columns) places.push_back(column.data());
    tile.memories()->read(m, chunk, now, places);
    std::copy_n(columns[static_cast<std::size_t>(found - kind.names.begin())].begin(), of.size, values);
    return;
  }
}

}  // namespace

std::vector<double> Simulation::state(const std::string& population, const std::string& variable) const {
  const std::size_t p = impl_->network.index_of(population);
  if (impl_->device != nullptr) impl_->device->read_state();
  std::vector<double> values(impl_->network.populations[p].size, std::numeric_limits<double>::quiet_NaN());
  for (const auto& tile : impl_->tiles) {
    for (const std::uint32_t c : tile->chunks()) {
      const Chunk& chunk = impl_->wiring->chunks()[c];
      if (chunk.population != p) continue;
      tile->read_state(c, variable, chunk.size, values.data() + chunk.begin);
      read_memory(impl_->context, *tile, c, variable, impl_->now, values.data() + chunk.begin);
    }
  }
  return values;
}

using ShowSynapses = std::function<void(std::span<const ConnectivityRule::Synapse> row)>;

/// The place of a plastic projection in the network; throws when there is none of this name.
static std::uint32_t plastic_projection(const Network& network, const std::string& name) {
  std::vector<std::string> plastic;
  for (std::uint32_t p = 0; p < network.projections.size(); ++p) {
    if (!network.projections[p].plasticity) continue;
    if (network.projections[p].name == name) return p;
    plastic.push_back(network.projections[p].name);
  }
  throw InputError("There is no plastic projection named '" + name + "'." + did_you_mean(name, plastic));
}

void Simulation::Impl::show_synapses(const std::string& projection, const std::vector<std::uint32_t>* sources,
                                     const ShowSynapses& row) const {
  const std::uint32_t p = plastic_projection(network, projection);
  std::vector<ConnectivityRule::Synapse> synapses;
  for (const auto& tile : tiles) {
    tile->read_synapses(p, now, sources, [&](std::span<const PlasticSynapse> part) {
      synapses.clear();
      for (const PlasticSynapse& synapse : part) {
        synapses.push_back({synapse.source, synapse.target, synapse.weight, synapse.delay_steps * network.dt_ms});
      }
      row(synapses);
    });
  }
}

void Simulation::visit_synapses(const std::string& projection, const ShowSynapses& row) const {
  impl_->show_synapses(projection, nullptr, row);
}

void Simulation::visit_synapses(const std::string& projection, std::span<const std::uint32_t> sources, const ShowSynapses& row) const {
  const Network& network = impl_->network;
  const std::uint32_t size = network.find(network.projections[plastic_projection(network, projection)].source)->size;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    if (sources[i] >= size || (i > 0 && sources[i] <= sources[i - 1])) {
      throw InputError("The sources whose synapses of '" + projection + "' are asked for must ascend and be below " +
                       std::to_string(size) + "; number " + std::to_string(i) + " is " + std::to_string(sources[i]) + ".");
    }
  }
  const std::vector<std::uint32_t> some(sources.begin(), sources.end());
  impl_->show_synapses(projection, &some, row);
}

std::vector<ConnectivityRule::Synapse> Simulation::synapses(const std::string& projection) const {
  std::vector<ConnectivityRule::Synapse> all;
  visit_synapses(projection, [&all](std::span<const ConnectivityRule::Synapse> row) { all.insert(all.end(), row.begin(), row.end()); });
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
    return std::tie(a.source, a.target, a.delay_ms, a.weight) < std::tie(b.source, b.target, b.delay_ms, b.weight);
  });
  return all;
}

void visit_synapses(const Network& network, const NeuronCatalogue& models, std::uint64_t seed,
                    const std::string& projection_name,
                    const std::function<bool(std::span<const ConnectivityRule::Synapse> row)>& row) {
  require_valid(network, models);
  const auto named = std::find_if(network.projections.begin(), network.projections.end(),
                                  [&](const Projection& p) { return p.name == projection_name; });
  if (named == network.projections.end()) {
    std::vector<std::string> names;
    for (const Projection& p : network.projections) names.push_back(p.name);
    throw InputError("There is no projection named '" + projection_name + "'." +
                     did_you_mean(projection_name, names));
  }
  SimulationOptions options;
  options.seed = seed;
  if (const Plan least = outline(network, models, options); !wiring_fits(least)) require_fit(least);
  Wiring wiring(network, seed);
  const auto projection = static_cast<std::uint32_t>(named - network.projections.begin());
  wiring.own_all(projection);
  for (const Bundle& bundle : wiring.bundles()) wiring.prepare_bundle(bundle);
  std::vector<ConnectivityRule::Synapse> synapses;
  std::vector<RowSynapse> part;
  for (std::uint32_t s = 0; s < network.find(named->source)->size; ++s) {
    synapses.clear();
    for (const Bundle& bundle : wiring.bundles()) {
      part.clear();
      wiring.list_row(bundle, s, part);
      for (const RowSynapse& synapse : part) {
        synapses.push_back({s, bundle.targets.begin + synapse.target, synapse.weight,
                            synapse.delay_steps * network.dt_ms});
      }
    }
    if (!row(synapses)) return;
  }
}

std::vector<ConnectivityRule::Synapse> list_synapses(const Network& network, const NeuronCatalogue& models,
                                                     std::uint64_t seed, const std::string& projection_name) {
  std::vector<ConnectivityRule::Synapse> synapses;
  visit_synapses(network, models, seed, projection_name, [&synapses](std::span<const ConnectivityRule::Synapse> row) {
    synapses.insert(synapses.end(), row.begin(), row.end());
    return true;
  });
  return synapses;
}

std::uint64_t peak_resident_bytes() {
  rusage usage{};
  return getrusage(RUSAGE_SELF, &usage) == 0 ? static_cast<std::uint64_t>(usage.ru_maxrss) * 1024 : 0;
}

}  // namespace tessera
