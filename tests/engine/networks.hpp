// Small networks that exercise every rule, model of delay and kind of input, and ways to run them.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tessera/simulation.hpp"

namespace tessera {

inline bool operator==(const Spike& a, const Spike& b) {
  return a.step == b.step && a.neuron == b.neuron;
}

}  // namespace tessera

namespace tessera::test {

using Kind = ConnectivityRule::Kind;

inline Population neurons_of(const std::string& name, std::uint32_t size, const std::string& model = "iaf_psc_exp") {
  Population p;
  p.name = name;
  p.size = size;
  p.model = model;
  return p;
}

inline Projection project(const std::string& from, const std::string& to, Kind kind, std::uint64_t number,
                          const Distribution& weight, const Distribution& delay_ms) {
  Projection p;
  p.name = from + "_" + to + "_" + to_string(kind);
  p.source = from;
  p.target = to;
  p.rule.kind = kind;
  p.rule.number = number;
  p.weight = weight;
  p.delay_ms = delay_ms;
  return p;
}

inline Stimulus current(const std::string& target, double amplitude_pA) {
  Stimulus s;
  s.name = "current_" + target;
  s.target = target;
  s.amplitude_pA = amplitude_pA;
  return s;
}

inline Stimulus poisson(const std::string& target, double rate_hz, double weight) {
  Stimulus s;
  s.name = "poisson_" + target;
  s.kind = Stimulus::Kind::poisson;
  s.target = target;
  s.rate_hz = rate_hz;
  s.weight = weight;
  return s;
}

/// An excitatory population of 700 (two chunks), an inhibitory one of 180, delays spread over groups.
inline Network balanced(double shortest_ms = 0.1, double longest_ms = 6.0) {
  Network network;
  network.name = "balanced";
  network.populations = {neurons_of("E", 700), neurons_of("I", 180)};
  for (Population& p : network.populations) {
    p.initial["V_m"].distribution = Distribution::normal(-58.0, 5.0);
    p.mean_rate_hz = 10.0;
  }
  network.populations[1].parameters = {{"tau_syn_in", 1.0}};  // two ports
  const Distribution delay = Distribution::normal(1.5, 0.75).within(shortest_ms, longest_ms);
  network.projections = {
      project("E", "E", Kind::fixed_total_number, 28000, Distribution::normal(80, 8), delay),
      project("E", "I", Kind::fixed_total_number, 8000, Distribution::normal(80, 8), delay),
      project("I", "E", Kind::fixed_total_number, 7000, Distribution::normal(-320, 32), delay),
      project("I", "I", Kind::fixed_total_number, 2000, Distribution::normal(-320, 32), delay)};
  network.stimuli = {current("E", 380.0), current("I", 380.0)};
  return network;
}

/// The same beside so many silent neurons that delay groups get shorter: 32 steps without any, 8 beside
/// 20,000 and 4 beside 40,000.
inline Network beside_silent(Network network, std::uint32_t neurons) {
  if (neurons > 0) network.populations.push_back(neurons_of("silent", neurons));
  return network;
}

/// Every rule, with and without multapses and autapses, every distribution, every kind of source.
inline Network every_rule() {
  Network network = balanced();
  network.name = "every_rule";
  for (Population& p : network.populations) p.grid_columns = 10;
  Population grid = neurons_of("G", 400, "iaf_psc_alpha");
  grid.grid_columns = 20;
  Population noise;
  noise.name = "noise";
  noise.kind = Population::Kind::poisson_source;
  noise.size = 100;
  noise.rate_hz = 40.0;
  Population train;
  train.name = "train";
  train.kind = Population::Kind::spike_train_source;
  train.size = 5;
  for (std::uint32_t i = 0; i < 300; ++i) train.train.push_back({0.1 + 0.7 * i, i % 5});
  network.populations.insert(network.populations.end(), {grid, noise, train});
  const auto add = [&](const char* from, const char* to, Kind kind, std::uint64_t number, const Distribution& weight,
                       const Distribution& delay, bool autapses = true, bool multapses = true) {
    Projection p = project(from, to, kind, number, weight, delay);
    p.name += std::to_string(network.projections.size());
    p.rule.autapses = autapses;
    p.rule.multapses = multapses;
    p.rule.probability = 0.05;
    p.rule.sigma = 2.0;
    network.projections.push_back(p);
    return &network.projections.back();
  };
  const Distribution fixed = Distribution::constant(1.0), spread = Distribution::uniform(0.3, 5.0);
  add("I", "I", Kind::one_to_one, 0, Distribution::constant(30), fixed);
  add("train", "G", Kind::all_to_all, 0, Distribution::exponential(60), spread);
  add("E", "G", Kind::fixed_indegree, 12, Distribution::lognormal(3.5, 0.5), spread);
  add("G", "G", Kind::fixed_indegree, 8, Distribution::constant(20), fixed, false, true);
  add("G", "G", Kind::fixed_indegree, 8, Distribution::constant(-20), spread, false, false);
  add("G", "E", Kind::fixed_outdegree, 15, Distribution::constant(40), spread);
  add("G", "G", Kind::fixed_outdegree, 6, Distribution::uniform(-30, 30), spread, false, false);
  add("E", "E", Kind::fixed_total_number, 2000, Distribution::constant(15), fixed, false, true);
  add("E", "E", Kind::fixed_total_number, 2000, Distribution::constant(15), spread, true, false);
  add("noise", "E", Kind::pairwise_bernoulli, 0, Distribution::constant(70), spread);
  add("noise", "G", Kind::fixed_indegree, 10, Distribution::constant(100), fixed);
  add("G", "G", Kind::gaussian_2d, 0, Distribution::normal(30, 5), spread, false)->rule.probability = 0.5;
  Projection* listed = add("E", "I", Kind::explicit_list, 0, fixed, fixed);
  for (std::uint32_t i = 0; i < 200; ++i) {
    listed->rule.list.push_back({(i * 37) % 700, (i * 11) % 180, i % 3 == 0 ? -60.0 : 90.0 + i, 0.1 * (1 + i % 80)});
  }
  network.stimuli.push_back(current("G", 250.0));
  network.stimuli.push_back(poisson("G", 3000.0, 20.0));
  network.stimuli.push_back(poisson("I", 500.0, -30.0));
  Stimulus step = current("E", 60.0);
  step.name = "step";
  step.start_ms = 22.3;
  step.duration_ms = 31.4;
  network.stimuli.push_back(step);
  step.name = "steps_per_neuron";
  step.start_ms = 28.0;
  for (int i = 0; i < 700; ++i) step.values.push_back(i % 7);
  network.stimuli.push_back(step);
  return network;
}

inline SimulationOptions options_of(Connectivity connectivity, int threads = 1, int tiles = 0, int group_size = 0,
                                    bool count_table = true) {
  SimulationOptions options;
  options.seed = 42;
  options.threads = threads;
  options.tiles = tiles;
  options.group_size = group_size;
  options.connectivity = connectivity;
  options.count_table = count_table;
  return options;
}

inline SimulationOptions exact_options(int threads = 1, int tiles = 0) {
  SimulationOptions options = options_of(Connectivity::stored, threads, tiles);
  options.precision = Precision::exact;
  return options;
}

/// Keeps everything a run hands out.
class Keeper : public RunObserver {
 public:
  struct Sample {
    std::uint32_t step;
    std::size_t recorder;
    std::vector<double> values;
  };
  void on_spikes(std::span<const Spike> slice) override { spikes.insert(spikes.end(), slice.begin(), slice.end()); }
  [[nodiscard]] bool wants_spikes() const override { return true; }
  void on_sample(const StateSample& s) override {
    samples.push_back({s.step, s.recorder, {s.values.begin(), s.values.end()}});
  }
  std::vector<Spike> spikes;
  std::vector<Sample> samples;
};

inline Simulation simulation_of(const Network& network, const SimulationOptions& options) {
  return {network, NeuronCatalogue::builtin(), options};
}

/// What two equal runs have in common.
struct Outcome {
  std::uint64_t digest = 0, spikes = 0, synapses = 0, events = 0;
  std::vector<Spike> list;
};
inline Outcome outcome_of(const Network& network, const SimulationOptions& options, double time_ms) {
  Simulation simulation = simulation_of(network, options);
  Keeper keeper;
  simulation.run(time_ms, keeper);
  const SimulationReport report = simulation.report();
  return {report.digest, report.counts.spikes, report.counts.synapses, report.counts.synaptic_events, keeper.spikes};
}

}  // namespace tessera::test
