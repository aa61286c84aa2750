// Building a simulation, running it in slices, reporting. The loop itself is in step_loop.cpp.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "engine/simulation_impl.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <tuple>

#include "machine/fit.hpp"
#include "machine/plan.hpp"

namespace tessera {
namespace {

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

constexpr double kSliceSeconds = 0.1;
constexpr std::int64_t kFirstSlice = 50;
constexpr double kRateWindow_ms = 100.0;

std::vector<PopulationKernel> make_kernels(const Network& network, const NeuronCatalogue& models,
                                           const WeightUnits& units) {
  std::vector<PopulationKernel> kernels(network.populations.size());
  for (std::size_t p = 0; p < kernels.size(); ++p) {
    const Population& population = network.populations[p];
    kernels[p].population = &population;
    if (population.kind != Population::Kind::neurons) continue;
    const NeuronModel& model = *models.find(population.model);
    const ParameterValues values = values_of(population, model);
    kernels[p].variant = model.prepare(values, network.dt_ms);
    kernels[p].weight_unit = units.unit[p];
    for (const StateInfo& state : kernels[p].variant.states) {
      kernels[p].default_initial.push_back(state.initial_parameter.empty() ? 0.0 : values[state.initial_parameter]);
    }
  }
  return kernels;
}

}  // namespace

std::string to_string(Connectivity connectivity) {
  switch (connectivity) {
    case Connectivity::automatic: return "auto";
    case Connectivity::stored: return "stored";
    case Connectivity::procedural: return "procedural";
  }
  return "";
}

std::string to_string(Precision precision) { return precision == Precision::fast ? "fast" : "exact"; }

Simulation::Impl::Impl(const Network& description, const NeuronCatalogue& models,
                       const SimulationOptions& wanted)
    : network(description), options(wanted) {
  const auto start = Clock::now();
  require_valid(network, models);
  require_possible(options);
  if (const Plan least = outline(network, models, options); !wiring_fits(least)) require_fit(least);
  wiring = std::make_unique<Wiring>(network, options.seed);
  const std::vector<int> ports = ports_of(network, models);
  placement = place(*wiring, ports, options);
  wiring->own(chunks_of(placement));
  units = choose_weight_units(*wiring);
  const Plan plan = make_plan(*wiring, units, models, options, placement);
  planned_bytes = plan.memory_bytes;
  require_fit(plan);

  context.wiring = wiring.get();
  context.units = &units;
  context.kernels = make_kernels(network, models, units);
  context.connectivity = plan.connectivity;
  context.count_table = options.count_table;
  // Argument 2 above the step loop: the longest interval after which no delivery comes late.
  const std::uint32_t group_steps = wiring->ring_shape().steps();
  context.exchange_steps = wiring->exchange_steps();
  std::uint32_t neurons = 0;
  for (const Population& population : network.populations) {
    context.first_id.push_back(neurons);
    neurons += population.size;
  }
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
    }
  });
  loop = std::make_unique<StepLoop>(tiles, placement, context.exchange_steps, wiring->max_delay_steps(),
                                    group_steps, neurons);
  population_spikes.assign(network.populations.size(), 0);
  make_sample_buffers();
  construction_seconds = seconds_since(start);
}

void Simulation::Impl::make_sample_buffers() {
  for (const StateRecorder& recorder : network.recorders) {
    SampleBuffer buffer;
    buffer.population = static_cast<std::uint32_t>(network.index_of(recorder.population));
    buffer.variable = recorder.variable;
    buffer.count = recorder.count;
    buffer.interval = std::max<std::int64_t>(1, std::llround(recorder.interval_ms / network.dt_ms));
    loop->samples().push_back(std::move(buffer));
  }
}

/// Rows of every recorder for the steps (from, to].
void Simulation::Impl::prepare_samples(std::int64_t from, std::int64_t to) {
  for (SampleBuffer& buffer : loop->samples()) {
    buffer.first_step = (from / buffer.interval + 1) * buffer.interval;
    const std::int64_t rows = to >= buffer.first_step ? (to - buffer.first_step) / buffer.interval + 1 : 0;
    buffer.values.assign(static_cast<std::size_t>(rows) * buffer.count, 0.0);
  }
}

void Simulation::Impl::hand_out(RunObserver& observer) {
  if (observer.wants_spikes()) {
    const std::vector<Spike> spikes = loop->take_spikes();
    if (!spikes.empty()) observer.on_spikes(spikes);
  }
  for (std::size_t r = 0; r < loop->samples().size(); ++r) {
    const SampleBuffer& buffer = loop->samples()[r];
    for (std::size_t row = 0; row * buffer.count < buffer.values.size(); ++row) {
      const std::int64_t at = buffer.first_step + static_cast<std::int64_t>(row) * buffer.interval;
      if (at > now) break;  // the run ended inside the slice
      observer.on_sample({static_cast<std::uint32_t>(at), r,
                          std::span<const double>(buffer.values).subspan(row * buffer.count, buffer.count)});
    }
  }
}

/// Steps over which rates are averaged. Windows end at the same steps however a run is sliced.
std::int64_t Simulation::Impl::rate_window() const {
  return std::max<std::int64_t>(1, std::llround(kRateWindow_ms / network.dt_ms));
}

/// Adds a window's spikes to the populations; says when the network has left its bounds.
std::optional<ActivityError> Simulation::Impl::check_activity() {
  Tile::NotFinite first;
  for (const auto& tile : tiles) {
    const Tile::NotFinite found = tile->find_not_finite();
    const auto order = [](const Tile::NotFinite& f) { return std::tuple(f.step, f.population, f.neuron); };
    if (found.step >= 0 && (first.step < 0 || order(found) < order(first))) first = found;
  }
  if (first.step >= 0) {
    const std::string& name = network.populations[first.population].name;
    return ActivityError("The membrane potential of neuron " + std::to_string(first.neuron) + " of population '" +
                             name + "' is not a finite number at step " + std::to_string(first.step) + " (" +
                             std::to_string(static_cast<double>(first.step) * network.dt_ms) +
                             " ms). Check its input weights and initial values.",
                         name, first.neuron, first.step);
  }
  if (now - window_begin < rate_window()) return std::nullopt;
  const double window_ms = static_cast<double>(now - window_begin) * network.dt_ms;
  std::optional<ActivityError> problem;
  std::vector<std::uint32_t>& counts = loop->spike_counts();
  for (std::size_t p = 0; p < network.populations.size(); ++p) {
    const Population& population = network.populations[p];
    const auto begin = counts.begin() + context.first_id[p];
    std::uint64_t spikes = 0;
    for (std::uint32_t i = 0; i < population.size; ++i) spikes += begin[i];
    population_spikes[p] += spikes;
    const double rate = static_cast<double>(spikes) / population.size / window_ms * 1000.0;
    if (rate > network.rate_limit_hz && population.kind == Population::Kind::neurons && !problem) {
      const auto busiest = static_cast<std::uint64_t>(std::max_element(begin, begin + population.size) - begin);
      problem.emplace("Population '" + population.name + "' fires at " + std::to_string(rate) +
                          " spikes/s, above the limit of " + std::to_string(network.rate_limit_hz) +
                          " spikes/s (rate_limit), at step " + std::to_string(now) +
                          "; its most active neuron is " + std::to_string(busiest) + ".",
                      population.name, busiest, now);
    }
  }
  std::fill(counts.begin(), counts.end(), 0);
  window_begin = now;
  return problem;
}

void Simulation::Impl::run(double time_ms, RunObserver& observer) {
  if (time_ms / network.dt_ms >= std::numeric_limits<std::uint32_t>::max()) {
    throw InputError("A simulation can run for at most 4,294,967,294 steps.");
  }
  const std::int64_t steps = std::isfinite(time_ms) ? std::llround(time_ms / network.dt_ms) : 0;
  if (!(time_ms >= 0.0) || std::abs(static_cast<double>(steps) * network.dt_ms - time_ms) > 1e-6 * network.dt_ms + 1e-9 * time_ms) {
    throw InputError("The model time of a run must be a multiple of dt (" + std::to_string(network.dt_ms) +
                     " ms) and not negative; it is " + std::to_string(time_ms) + " ms.");
  }
  if (now + steps >= std::numeric_limits<std::uint32_t>::max()) {
    throw InputError("A simulation can run for at most 4,294,967,294 steps.");
  }
  const auto start = Clock::now();
  const std::int64_t end = now + steps;
  const bool keep = observer.wants_spikes();
  loop->keep_spikes(keep);
  std::uint64_t spikes_before = total_spikes();
  for (std::int64_t slice = kFirstSlice; now < end && !observer.stop_requested();) {
    const auto slice_start = Clock::now();
    const std::int64_t to = std::min(now + slice, end);
    const std::int64_t from = now;
    prepare_samples(from, to);
    std::optional<ActivityError> problem;
    while (now < to && !problem) {
      const std::int64_t until = std::min(to, window_begin + rate_window());
      loop->advance(*team, now, until);
      now = until;
      problem = check_activity();
    }
    const auto recording = Clock::now();
    hand_out(observer);
    observer_seconds += seconds_since(recording);
    if (problem) {
      run_seconds += seconds_since(start);
      throw *problem;
    }
    const double took = seconds_since(slice_start);
    const double model_seconds = static_cast<double>(now - from) * network.dt_ms / 1000.0;
    const std::uint64_t spikes = total_spikes();
    observer.on_progress({static_cast<double>(now) * network.dt_ms, static_cast<double>(end) * network.dt_ms,
                          seconds_since(start), took / model_seconds,
                          static_cast<double>(spikes - spikes_before) / model_seconds});
    spikes_before = spikes;
    const double longer = took > 0.0 ? std::min(2.0, kSliceSeconds / took) : 2.0;
    slice = std::max<std::int64_t>(10, std::llround(static_cast<double>(slice) * longer));
  }
  run_seconds += seconds_since(start);
}

std::uint64_t Simulation::Impl::total_spikes() const {
  std::uint64_t spikes = spikes_before_checkpoint;
  for (const StepLoop::Counters& worker : loop->worker_counters()) spikes += worker.spikes;
  return spikes;
}

SimulationReport Simulation::Impl::report() const {
  SimulationReport report;
  report.model_time_ms = static_cast<double>(now) * network.dt_ms;
  report.construction_seconds = construction_seconds;
  report.run_seconds = run_seconds;
  report.digest = digest_before_checkpoint;
  for (const StepLoop::Counters& worker : loop->worker_counters()) {
    report.digest += worker.digest;
    report.counts.exchanged_messages += worker.messages;
    report.counts.exchanged_bytes += worker.message_bytes;
    report.workers.push_back(worker.phases);
    const double share = 1.0 / placement.workers;
    report.phases.deliver += share * worker.phases.deliver;
    report.phases.update += share * worker.phases.update;
    report.phases.wait += share * worker.phases.wait;
    report.phases.exchange += share * worker.phases.exchange;
    report.phases.record += share * worker.phases.record;
  }
  report.phases.record += observer_seconds;
  report.counts.spikes = total_spikes();
  for (const auto& tile : tiles) {
    report.counts.synapses += tile->synapses();
    report.counts.synaptic_events += tile->counters().synaptic_events;
    report.counts.row_visits += tile->counters().row_visits;
    report.synapse_bytes += tile->synapse_bytes();
  }
  if (context.connectivity == Connectivity::procedural) {  // nobody has counted them
    const SynapseNumber number = number_of_synapses(network);
    report.counts.synapses = number.synapses;
    report.counts.synapses_expected = number.expected;
  }
  const std::vector<std::uint32_t>& counts = loop->spike_counts();
  for (std::size_t p = 0; p < network.populations.size(); ++p) {
    const Population& population = network.populations[p];
    std::uint64_t spikes = population_spikes[p];
    for (std::uint32_t i = 0; i < population.size; ++i) spikes += counts[context.first_id[p] + i];
    report.populations.push_back({population.name, population.size, spikes});
    report.counts.neurons += population.size;
  }
  report.planned_bytes = planned_bytes;
  report.connectivity = context.connectivity;
  report.threads = placement.workers;
  report.tiles = static_cast<int>(tiles.size());
  if (options.precision == Precision::fast) report.rounded_weights = units.rounded;
  return report;
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

std::vector<double> Simulation::state(const std::string& population, const std::string& variable) const {
  const std::size_t p = impl_->network.index_of(population);
  std::vector<double> values(impl_->network.populations[p].size, std::numeric_limits<double>::quiet_NaN());
  for (const auto& tile : impl_->tiles) {
    tile->read_state(static_cast<std::uint32_t>(p), variable, static_cast<std::uint32_t>(values.size()), values.data());
  }
  return values;
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
