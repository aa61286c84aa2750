// Parts that take turns. A part that needs only what others have done before runs through all of the time at once, with
// their spikes played back; those of a component in lock-step advance by one turn each, again and again.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <cmath>

#include "engine/partitioned_impl.hpp"
#include "substrate/weight_map.hpp"
#include "tessera/errors.hpp"

namespace tessera {
namespace {

constexpr double kAskEverySeconds = 0.1;  // whether to stop
constexpr double kRateWindow_ms = 100.0;  // as in Simulation

const Network& require(const Network& network, const NeuronCatalogue& models, const PartitionedOptions& options) {
  std::vector<Problem> problems = validate(network, models, options);
  if (!problems.empty()) throw InputError(std::move(problems));
  return network;
}

/// How the weights of a projection become whole: its largest |weight| is the chip's largest.
substrate::WeightMap weight_map_of(const MachineDescription::Weights& weights, double largest) {
  substrate::WeightMap map;
  if (weights.bits == 0 || !(largest > 0.0)) return map;
  map.steps = static_cast<std::uint32_t>(std::min(weights.lowest < 0 ? -weights.lowest : weights.highest, weights.highest));
  map.cap = static_cast<float>(largest);
  return map;
}

double mapped(const substrate::WeightMap& map, double weight) {
  const auto w = static_cast<float>(weight);
  float on_chip = w;
  map.apply(&w, 1, &on_chip, nullptr);
  return on_chip;
}

/// A network whose listed weights are whole.
Network on_chip(Network network, const MachineDescription& machine) {
  for (Projection& p : network.projections) {
    double largest = 0.0;
    for (const auto& synapse : p.rule.list) largest = std::max(largest, std::abs(synapse.weight));
    const substrate::WeightMap map = weight_map_of(machine.weights, largest);
    if (map.is_identity()) continue;
    for (auto& synapse : p.rule.list) synapse.weight = mapped(map, synapse.weight);
  }
  return network;
}

}  // namespace

PartitionedSimulation::Impl::Impl(const Network& description, const NeuronCatalogue& catalogue, const PartitionedOptions& wanted)
    : network(on_chip(require(description, catalogue, wanted), wanted.machine)), models(catalogue), options(wanted), wiring(network, wanted.simulation.seed) {
  map_weights();
  step_us = network.dt_ms * 1e3 / options.machine.speedup;
  event_links = substrate::links_of(options.machine.events, step_us);
  noise = membrane_noise(network, models, options);
  event_noise = substrate::NoiseTable(options.machine.noise.spike_time_us);
  units = choose_weight_units(wiring);
  team = std::make_unique<ThreadTeam>(std::max(1, options.simulation.threads));
  context.network = &network;
  context.wiring = &wiring;
  context.units = &units;
  context.kernels = make_kernels(network, models, units.unit);
  context.ports = ports_of(network, models);
  context.count_table = options.simulation.count_table;
  context.local_interval = wiring.exchange_steps();
  if (!noise.table.empty()) context.noise = &noise;
  std::uint32_t first = 0;
  for (const Population& population : network.populations) {
    context.first_id.push_back(first);
    first += population.size;
  }
  population_spikes.assign(network.populations.size(), 0);
  make_parts();
  context.neurons = &*neurons;
  make_groups();
  choose_connectivity();
  make_lanes();
  make_waves();
}

std::int64_t PartitionedSimulation::Impl::rate_window() const {
  return std::max<std::int64_t>(1, std::llround(kRateWindow_ms / network.dt_ms));
}

/// The same of weights that are drawn.
void PartitionedSimulation::Impl::map_weights() {
  for (std::uint32_t p = 0; p < network.projections.size(); ++p) {
    if (network.projections[p].rule.kind == ConnectivityRule::Kind::explicit_list) continue;
    const substrate::WeightMap map = weight_map_of(options.machine.weights, wiring.weights(wiring.first_bundle(p)).largest_magnitude());
    if (!map.is_identity()) wiring.map_weights(p, [&map](double weight) { return mapped(map, weight); });
  }
}

/// The spikes of a step of all other parts that have a target in this one, by neuron.
void PartitionedSimulation::Impl::take_sent(Part& part, std::int64_t step, std::vector<SentSpike>& sent) const {
  sent.clear();
  for (std::uint32_t q = 0; q < parts.size(); ++q) {
    if (&parts[q] == &part || parts[q].log.end() <= step) continue;
    if (part.beside > 0 && parts[q].beside == part.beside && &parts[q] > &part) continue;  // as if it had not run yet
    const std::size_t before = sent.size();
    for (const std::uint32_t neuron : parts[q].log.of(step)) {
      if (part.reached_by[neuron]) sent.push_back({neuron, q});
    }
    if (!part.link) part.links[q].events += sent.size() - before;
  }
  if (part.link) std::stable_sort(sent.begin(), sent.end(), [](const SentSpike& a, const SentSpike& b) { return a.neuron < b.neuron; });
}

/// Steps by which spikes of neurons slip on their way: x us of the chip, rounded, but never to an earlier step. The host sends
/// in time.
std::vector<std::uint32_t> PartitionedSimulation::Impl::slips_of(const Part& part, std::int64_t step, const std::vector<SentSpike>& sent) const {
  std::vector<std::uint32_t> slips;
  if (event_noise.empty()) return slips;
  for (const SentSpike& spike : sent) {
    const std::uint32_t word = substrate::event_noise_word(options.chip_seed, noise.run, step, spike.neuron, part.run);
    const double steps = parts[spike.from].run == 0 ? 0.0 : event_noise.of(word) / step_us;
    slips.push_back(static_cast<std::uint32_t>(std::clamp(std::floor(steps + 0.5), 0.0, 1e6)));
  }
  return slips;
}

/// Gives a part the spikes of all others before step `to`.
void PartitionedSimulation::Impl::play_back(Part& part, std::int64_t to) {
  std::vector<std::vector<std::uint32_t>> lists(static_cast<std::size_t>(to - part.given));
  std::vector<SentSpike> sent;
  for (std::size_t i = 0; i < lists.size(); ++i) {
    const std::int64_t step = part.given + static_cast<std::int64_t>(i);
    take_sent(part, step, sent);
    if (part.link) {
      part.link->take(step, sent, slips_of(part, step, sent));
      lists[i] = part.link->arrived(step);
    } else {
      for (const SentSpike& spike : sent) lists[i].push_back(spike.neuron);
    }
  }
  const std::vector<std::span<const std::uint32_t>> views(lists.begin(), lists.end());
  part.here->play_back(part.given, views);
  part.given = to;
}

/// Spikes that nobody waits for any more, because the run ends: they count, too, however long the turns were.
void PartitionedSimulation::Impl::count_rest(Part& part) {
  std::vector<SentSpike> sent;
  for (; part.given < end; ++part.given) {
    take_sent(part, part.given, sent);
    if (part.link) part.link->take(part.given, sent, slips_of(part, part.given, sent));
  }
}

/// What was in memory together at most: of parts whose rows wait in a file the rows of one, and the neurons of all.
void PartitionedSimulation::Impl::count_memory(const Wave& wave) {
  std::uint64_t rows = 0, largest = 0, neuron_bytes = 0;
  const Group& first = groups[wave.groups.front()];
  for (const std::uint32_t p : wave.parts) {
    rows += parts[p].memory.synapses;
    largest = std::max(largest, parts[p].memory.synapses);
    neuron_bytes += parts[p].memory.neurons;
    if (first.parts.size() > 1) saved_bytes += parts[p].memory.neurons;
  }
  peak_bytes = std::max(peak_bytes, (first.parked ? largest : rows) + neuron_bytes);
  if (first.parked) parked_bytes += first.parked->size();
}

/// Keeps the figures of parts that are not needed any more, and gives their memory back.
void PartitionedSimulation::Impl::put_away(const Wave& wave) {
  for (const std::uint32_t p : wave.parts) {
    Part& part = parts[p];
    if (part.here == nullptr) continue;
    if (groups[wave.groups.front()].parked == nullptr) part.memory = part.here->memory();  // procedural rows need room while they are in flight
    if (part.link) part.links = part.link->counts();
    if (part.out) part.unrecorded = part.out->dropped();
    part.counters = part.here->counters();
    part.synapses = part.here->synapses();
    for (const StepLoop::Counters& worker : part.here->worker_counters()) {
      const double share = 1.0 / team->size();  // of all threads, also of those that run other parts
      part.phases.deliver += share * worker.phases.deliver;
      part.phases.update += share * worker.phases.update;
      part.phases.wait += share * worker.phases.wait;
      part.phases.exchange += share * worker.phases.exchange;
      part.phases.record += share * worker.phases.record;
      part.messages += worker.messages;
      part.message_bytes += worker.message_bytes;
    }
  }
  count_memory(wave);
  for (const std::uint32_t p : wave.parts) {
    parts[p].here.reset();
    parts[p].reached_by = {};
  }
  for (const std::uint32_t g : wave.groups) {
    groups[g].parked.reset();
    if (groups[g].parts.size() == 1) groups[g].turns = 1;
  }
}

std::size_t PartitionedSimulation::Impl::population_of(std::uint32_t neuron) const {
  return static_cast<std::size_t>(std::upper_bound(context.first_id.begin(), context.first_id.end(), neuron) - context.first_id.begin()) - 1;
}

void PartitionedSimulation::Impl::check_activity(Part& part, std::int64_t now) {
  const std::int64_t window = rate_window();
  if (now < end && now < part.checked + window) return;
  if (const Tile::NotFinite found = part.here->find_not_finite(); found.step >= 0) {
    const std::string& name = network.populations[found.population].name;
    throw ActivityError("The membrane potential of neuron " + std::to_string(found.neuron) + " of population '" + name +
                            "' is not a finite number at step " + std::to_string(found.step) + " (" +
                            std::to_string(static_cast<double>(found.step) * network.dt_ms) +
                            " ms). Check its input weights and initial values.",
                        name, found.neuron, found.step);
  }
  for (; part.checked + window <= now; part.checked += window) check_window(part, part.checked);
}

/// Adds the spikes of a part to those of a window; what all parts so far have fired may be too much already.
void PartitionedSimulation::Impl::check_window(const Part& part, std::int64_t begin) {
  const std::int64_t window = rate_window();
  const auto number = static_cast<std::size_t>(begin / window);
  if (window_spikes.size() <= number) window_spikes.resize(number + 1, std::vector<std::uint64_t>(network.populations.size(), 0));
  for (std::int64_t step = begin == 0 ? kFirstSpikeStep : begin; step < begin + window; ++step) {
    for (const std::uint32_t neuron : part.log.of(step)) ++window_spikes[number][population_of(neuron)];
  }
  for (const std::uint32_t p : part.populations) {
    const Population& population = network.populations[p];
    const double rate = static_cast<double>(window_spikes[number][p]) / population.size / (static_cast<double>(window) * network.dt_ms) * 1000.0;
    if (!(rate > network.rate_limit_hz) || population.kind != Population::Kind::neurons) continue;
    const std::uint64_t neuron = busiest(p, begin);
    throw ActivityError("Population '" + population.name + "' fires at " + std::to_string(rate) + " spikes/s, above the limit of " +
                            std::to_string(network.rate_limit_hz) + " spikes/s (rate_limit), at step " + std::to_string(begin + window) +
                            "; its most active neuron is " + std::to_string(neuron) + ".",
                        population.name, neuron, begin + window);
  }
}

/// The neuron with the most spikes in a window, of those that have run; the first of equal ones.
std::uint64_t PartitionedSimulation::Impl::busiest(std::size_t population, std::int64_t begin) const {
  const std::uint32_t first = context.first_id[population];
  std::vector<std::uint32_t> counts(network.populations[population].size, 0);
  const std::int64_t window_end = begin + rate_window();
  for (const Part& part : parts) {
    for (std::int64_t step = begin == 0 ? kFirstSpikeStep : begin; step < std::min(window_end, part.log.end()); ++step) {
      for (const std::uint32_t neuron : part.log.of(step)) {
        if (neuron - first < counts.size()) ++counts[neuron - first];
      }
    }
  }
  return static_cast<std::uint64_t>(std::max_element(counts.begin(), counts.end()) - counts.begin());
}

bool PartitionedSimulation::Impl::wants_to_stop(RunObserver& observer, std::int64_t steps) {
  done += steps;
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
  if (seconds < last_asked + kAskEverySeconds) return false;
  const double took = seconds - last_asked;
  last_asked = seconds;
  const double all = static_cast<double>(end) * network.dt_ms;
  const double part = static_cast<double>(done) / (static_cast<double>(end) * static_cast<double>(parts.size()));
  observer.on_progress({part * all, all, took, 0.0, 0.0});
  return observer.stop_requested();
}

PartitionedSimulation::PartitionedSimulation(const Network& network, const NeuronCatalogue& models, const PartitionedOptions& options)
    : impl_(std::make_unique<Impl>(network, models, options)) {}
PartitionedSimulation::~PartitionedSimulation() = default;
PartitionedSimulation::PartitionedSimulation(PartitionedSimulation&&) noexcept = default;
PartitionedSimulation& PartitionedSimulation::operator=(PartitionedSimulation&&) noexcept = default;

void PartitionedSimulation::run(double time_ms, RunObserver& observer) { impl_->run(time_ms, observer); }
void PartitionedSimulation::run(double time_ms) {
  RunObserver nobody;
  impl_->run(time_ms, nobody);
}
SimulationReport PartitionedSimulation::report() const { return impl_->report(); }
TurnsReport PartitionedSimulation::turns() const { return impl_->turns(); }

}  // namespace tessera
