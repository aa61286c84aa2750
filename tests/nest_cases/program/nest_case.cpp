// nest_case DIR: simulates a network that NEST has simulated and says how far the results agree.
// Exit code 0: within the bounds, 1: outside, 2: not a usable folder.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "nest_cases/nest_case_data.hpp"
#include "tessera/errors.hpp"
#include "tessera/simulation.hpp"

namespace {

using namespace tessera;
using namespace tessera::nest_cases;

Network network_of(const NestCase& nest) {
  Population neurons;
  neurons.name = "neurons";
  neurons.size = nest.neurons;
  neurons.model = nest.model;
  neurons.parameters = nest.parameters;
  neurons.initial["V_m"].values = nest.initial_v_mV;

  Projection synapses;
  synapses.name = "synapses";
  synapses.source = synapses.target = neurons.name;
  synapses.rule.kind = ConnectivityRule::Kind::explicit_list;
  for (const Connection& c : nest.connections) {
    synapses.rule.list.push_back({c.source, c.target, c.weight, c.delay_steps * nest.dt_ms});
  }

  Stimulus drive;
  drive.name = "drive";
  drive.target = neurons.name;
  drive.values = nest.current_pA;

  StateRecorder recorder;
  recorder.population = neurons.name;
  recorder.interval_ms = nest.dt_ms;
  for (const MembraneSample& sample : nest.membrane) {
    recorder.count = std::max(recorder.count, sample.id + 1);
  }

  Network network;
  network.name = nest.name;
  network.dt_ms = nest.dt_ms;
  network.time_ms = nest.steps * nest.dt_ms;
  network.populations = {neurons};
  network.projections = {synapses};
  network.stimuli = {drive};
  network.recorders = {recorder};
  return network;
}

/// Keeps all spikes and the membrane potentials that NEST recorded too.
class Recording : public RunObserver {
 public:
  explicit Recording(const NestCase& nest) : nest_(nest) {
    outcome.v_mV.assign(nest.membrane.size(), std::nan(""));
  }
  bool wants_spikes() const override { return true; }
  void on_spikes(std::span<const Spike> spikes) override {
    for (const Spike& spike : spikes) outcome.spikes.push_back({spike.step, spike.neuron});
  }
  void on_sample(const StateSample& sample) override {
    while (next_ < nest_.membrane.size() && nest_.membrane[next_].step < sample.step) ++next_;
    for (; next_ < nest_.membrane.size() && nest_.membrane[next_].step == sample.step; ++next_) {
      outcome.v_mV[next_] = sample.values[nest_.membrane[next_].id];
    }
  }
  Outcome outcome;

 private:
  const NestCase& nest_;
  std::size_t next_ = 0;  // NEST's samples are in the order of time
};

Outcome simulate(const NestCase& nest, Precision precision) {
  SimulationOptions options;
  options.precision = precision;
  options.connectivity = Connectivity::stored;
  Simulation simulation(network_of(nest), NeuronCatalogue::builtin(), options);
  Recording recording(nest);
  simulation.run(nest.steps * nest.dt_ms, recording);
  return std::move(recording.outcome);
}

double rate_hz(const NestCase& nest, std::size_t spikes) {
  return static_cast<double>(spikes) / nest.neurons / (nest.steps * nest.dt_ms * 1e-3);
}

std::string first_difference(const NestCase& nest, const Comparison& found) {
  if (found.first_difference < 0) return "none";
  return fmt::format("step {} ({:.1f} ms)", found.first_difference,
                     static_cast<double>(found.first_difference) * nest.dt_ms);
}

int compare_with_nest(const std::string& folder) {
  const NestCase nest = read_case(folder);
  const Comparison exact = compare(nest, simulate(nest, Precision::exact));
  const Comparison fast = compare(nest, simulate(nest, Precision::fast));
  const double expected = rate_hz(nest, exact.nest_spikes), rate = rate_hz(nest, fast.spikes);
  fmt::print("{}: {}, {} neurons, {} synapses, {} ms\n", nest.name, nest.model, nest.neurons,
             nest.connections.size(), nest.steps * nest.dt_ms);
  fmt::print("  exact: first differing spike step  {}\n", first_difference(nest, exact));
  fmt::print("         largest membrane deviation  {:.3g} mV ({:.3g} mV before the first spike)\n",
             exact.largest_deviation_mV, exact.deviation_before_spike_mV);
  fmt::print("         spikes                      {} (NEST {})\n", exact.spikes,
             exact.nest_spikes);
  fmt::print("  fast:  first differing spike step  {}\n", first_difference(nest, fast));
  fmt::print("         rate                        {:.3f} Hz (NEST {:.3f} Hz)\n", rate, expected);
  std::vector<std::string> problems = out_of_bounds(nest, exact);
  if (!(std::abs(rate - expected) <= 0.01 * expected)) {
    problems.push_back("The rate of the fast mode differs by more than 1 %.");
  }
  for (const std::string& sentence : problems) fmt::print("  outside the bounds: {}\n", sentence);
  if (problems.empty()) fmt::print("  within the bounds\n");
  return problems.empty() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    fmt::print(stderr,
               "Usage: nest_case DIR (case.json, connections.csv, neurons.csv, spikes.csv, "
               "membrane.csv)\n");
    return 2;
  }
  try {
    return compare_with_nest(argv[1]);
  } catch (const tessera::InputError& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
