// Delays to the step, injected currents, Poisson input, sources: against hand-made expectations.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>

#include "engine/networks.hpp"
#include "support/goodness_of_fit.hpp"

namespace tessera::test {
namespace {

/// A model whose potential only sums what arrives: no leak to speak of, a threshold far away.
Population integrator(const std::string& name, std::uint32_t size) {
  Population p = neurons_of(name, size, "iaf_psc_delta");
  p.parameters = {{"tau_m", 1e9}, {"V_th", 1e6}, {"E_L", 0.0}, {"V_reset", 0.0}, {"C_m", 1.0}};
  return p;
}

std::vector<SimulationOptions> every_way() {
  return {options_of(Connectivity::stored), options_of(Connectivity::procedural),
          options_of(Connectivity::procedural, 2, 3, 1, false), exact_options()};
}

TEST(Delays, ArriveAtExactlyTheirStep) {
  for (const SimulationOptions& options : every_way()) {
    for (int delay = 1; delay <= 40; ++delay) {
      Network network;
      Population train;
      train.name = "S";
      train.kind = Population::Kind::spike_train_source;
      train.size = 1;
      train.train = {{0.1 * (1 + delay % 5), 0}};  // all phases of the ring
      network.populations = {train, integrator("T", 1)};
      network.projections = {project("S", "T", Kind::one_to_one, 0, Distribution::constant(2.0),
                                     Distribution::constant(0.1 * delay))};
      network.recorders = {{"T", "V_m", 1, 0.1, {}}};
      Simulation simulation = simulation_of(network, options);
      Keeper keeper;
      simulation.run(6.0, keeper);
      const std::uint32_t arrival = static_cast<std::uint32_t>(1 + delay % 5 + delay);
      for (const Keeper::Sample& sample : keeper.samples) {
        ASSERT_NEAR(sample.values[0], sample.step >= arrival ? 2.0 : 0.0, 1e-3) << delay << " at " << sample.step;
      }
      EXPECT_EQ(keeper.samples.size(), 60u);
      ASSERT_EQ(keeper.spikes.size(), 1u);
      EXPECT_EQ(keeper.spikes[0].step, static_cast<std::uint32_t>(1 + delay % 5));
    }
  }
}

// Every synapse of a drawn network: one spike per source, the sum of all weights that are due so far.
TEST(Delays, DrawnDelaysAreDeliveredAsListed) {
  Network network;
  Population train;
  train.name = "S";
  train.kind = Population::Kind::spike_train_source;
  train.size = 50;
  for (std::uint32_t i = 0; i < 50; ++i) train.train.push_back({0.3 * (i + 1), i});
  network.populations = {train, integrator("T", 700)};
  network.projections = {project("S", "T", Kind::fixed_total_number, 9000, Distribution::uniform(1.0, 2.0),
                                 Distribution::uniform(0.2, 9.0)),
                         project("S", "T", Kind::fixed_indegree, 7, Distribution::uniform(-2.0, -1.0),
                                 Distribution::uniform(0.2, 9.0))};
  for (const std::uint32_t silent : {0u, 20000u, 40000u}) {
    const Network beside = beside_silent(network, silent);
    for (const SimulationOptions& options : every_way()) {
      Simulation simulation = simulation_of(beside, options);
      for (const double time : {4.0, 12.0}) {
        simulation.run(time - 0.1 * static_cast<double>(simulation.step()));
        std::vector<double> expected(700, 0.0);
        std::vector<int> arrived(700, 0);
        for (const Projection& p : network.projections) {
          for (const auto& s : list_synapses(beside, NeuronCatalogue::builtin(), 42, p.name)) {
            if (0.3 * (s.source + 1) + s.delay_ms > time + 0.05) continue;
            expected[s.target] += s.weight;
            ++arrived[s.target];
          }
        }
        const std::vector<double> v = simulation.state("T", "V_m");
        // Weights are whole multiples of 2 mV / 8191: each is off by half of that at most.
        for (std::size_t i = 0; i < 700; ++i) ASSERT_NEAR(v[i], expected[i], arrived[i] * 1.0 / 8191.0 + 1e-4) << i;
      }
    }
  }
}

TEST(Currents, ActInsideTheirWindowsOnly) {
  for (const SimulationOptions& options : every_way()) {
    Network network;
    network.populations = {integrator("T", 600)};  // two chunks
    Stimulus all = current("T", 1.0);
    Stimulus window = current("T", 10.0);
    window.name = "window", window.start_ms = 1.0, window.duration_ms = 0.5;
    Stimulus each = window;
    each.name = "each", each.start_ms = 1.2, each.duration_ms = 2.0;
    for (int i = 0; i < 600; ++i) each.values.push_back(i);
    network.stimuli = {all, window, each};
    Simulation simulation = simulation_of(network, options);
    for (int step = 1; step <= 50; ++step) {
      simulation.run(0.1);
      const std::vector<double> v = simulation.state("T", "V_m");
      for (const int i : {0, 1, 299, 300, 599}) {  // 1 pF: 1 pA for 1 ms is 1 mV
        const int in_window = std::clamp(step - 10, 0, 5), in_each = std::clamp(step - 12, 0, 20);
        ASSERT_NEAR(v[static_cast<std::size_t>(i)], 0.1 * (step + 10.0 * in_window + i * in_each), 2e-3) << i << " " << step;
      }
    }
  }
}

TEST(PoissonInput, HasMeanAndVarianceOfAPoissonProcess) {
  for (const SimulationOptions& options : every_way()) {
    Network network;
    network.populations = {integrator("T", 2000)};
    Stimulus input = poisson("T", 8000.0, 0.5);
    input.start_ms = 2.0;
    input.delay_ms = 1.0;
    input.duration_ms = 10.0;
    network.stimuli = {input};
    Simulation simulation = simulation_of(network, options);
    simulation.run(3.0);
    for (const double v : simulation.state("T", "V_m")) ASSERT_EQ(v, 0.0);  // nothing before start + delay
    simulation.run(20.0);
    std::vector<int> counts;
    for (const double v : simulation.state("T", "V_m")) {
      ASSERT_NEAR(v / 0.5, std::round(v / 0.5), 1e-3);
      counts.push_back(static_cast<int>(std::lround(v / 0.5)));
    }
    EXPECT_TRUE(fits(histogram(counts, 140), expectation(2000, 140, log_poisson(80.0))));
  }
}

TEST(PoissonSource, SpikesDuringItsPulsesOnly) {
  Network network;
  Population source;
  source.name = "S";
  source.kind = Population::Kind::poisson_source;
  source.size = 800;
  source.rate_hz = 200.0;
  source.start_ms = 5.0;
  source.duration_ms = 2.0;
  source.interval_ms = 20.0;
  network.populations = {source, neurons_of("T", 5)};
  Simulation simulation = simulation_of(network, options_of(Connectivity::stored, 2));
  Keeper keeper;
  simulation.run(100.0, keeper);
  std::vector<int> counts(800, 0);
  for (const Spike& spike : keeper.spikes) {
    ASSERT_LT(spike.neuron, 800u);
    ++counts[spike.neuron];
    const std::uint32_t phase = (spike.step - 1) % 200;  // steps 50 .. 69 of every 200
    EXPECT_TRUE(phase >= 50 && phase < 70) << spike.step;
  }
  EXPECT_TRUE(fits(histogram(counts, 12), expectation(800, 12, log_poisson(0.2 * 10.0))));
}

TEST(SpikeTrain, IsSentAsGiven) {
  Network network;
  Population train;
  train.name = "S";
  train.kind = Population::Kind::spike_train_source;
  train.size = 3;
  train.train = {{5.0, 2}, {0.1, 0}, {5.0, 1}, {4.96, 0}, {5.0, 2}, {300.0, 1}};
  network.populations = {neurons_of("T", 5), train};
  Simulation simulation = simulation_of(network, options_of(Connectivity::stored));
  Keeper keeper;
  simulation.run(10.0, keeper);
  // In order of time and id, times rounded to the nearest step, ids after those of T.
  const std::vector<Spike> expected = {{1, 5}, {50, 5}, {50, 6}, {50, 7}, {50, 7}};
  EXPECT_TRUE(keeper.spikes == expected);
}

}  // namespace
}  // namespace tessera::test
