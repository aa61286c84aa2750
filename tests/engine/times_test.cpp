// Times between steps: every boundary is rounded by itself, spikes at 0 are sent.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <set>

#include "engine/networks.hpp"

namespace tessera::test {
namespace {

Population train_of(std::uint32_t size, std::vector<Population::TrainSpike> spikes) {
  Population train;
  train.name = "S";
  train.kind = Population::Kind::spike_train_source;
  train.size = size;
  train.train = std::move(spikes);
  return train;
}

std::vector<SimulationOptions> every_way() {
  return {options_of(Connectivity::stored), options_of(Connectivity::stored, 2, 3, 1),
          options_of(Connectivity::procedural), options_of(Connectivity::procedural, 2, 3, 1, false),
          exact_options(), exact_options(2, 3)};
}

/// V after every step under steps of current at these times, each until the next.
std::vector<double> course(const std::vector<double>& times, double amplitude) {
  Network network;
  network.populations = {neurons_of("T", 1)};
  network.populations[0].parameters = {{"V_th", 1e6}};
  for (std::size_t i = 0; i < times.size(); ++i) {
    Stimulus s = current("T", amplitude);
    s.name = "step " + std::to_string(i);
    s.start_ms = times[i];
    s.duration_ms = i + 1 < times.size() ? times[i + 1] - times[i] : std::numeric_limits<double>::infinity();
    network.stimuli.push_back(s);
  }
  network.recorders = {{"T", "V_m", 1, 0.1, {}}};
  Simulation simulation = simulation_of(network, exact_options());
  Keeper keeper;
  simulation.run(20.0, keeper);
  std::vector<double> v;
  for (const Keeper::Sample& sample : keeper.samples) v.push_back(sample.values[0]);
  return v;
}

TEST(StepCurrents, OfOneAmplitudeAreOneCurrentWhereverTheyMeet) {
  std::vector<double> quarters, thirds;
  for (int i = 0; i < 80; ++i) quarters.push_back(0.25 * i);
  for (int i = 0; i < 500; ++i) thirds.push_back(0.04 * i);  // shorter than a step
  const std::vector<double> whole = course({0.0}, 100.0);
  EXPECT_EQ(course(quarters, 100.0), whole);
  EXPECT_EQ(course(thirds, 100.0), whole);
  // 1.04 ms is step 10.
  EXPECT_EQ(course({1.04, 2.08, 3.12, 4.16}, 500.0), course({1.0}, 500.0));
}

TEST(PoissonSource, PulsesBeginWhereTheirExactTimesAre) {
  // 500 neurons at one spike per step: a step of a pulse without spikes has a chance of exp(-500).
  Network network;
  Population source;
  source.name = "S";
  source.kind = Population::Kind::poisson_source;
  source.size = 500;
  source.rate_hz = 10000.0;
  source.start_ms = 5.0;
  source.duration_ms = 1.0;
  source.interval_ms = 33.33;
  network.populations = {source, neurons_of("T", 1)};
  Simulation simulation = simulation_of(network, options_of(Connectivity::stored));
  Keeper keeper;
  simulation.run(2000.0, keeper);
  std::set<std::uint32_t> seen, expected;
  for (const Spike& spike : keeper.spikes) seen.insert(spike.step);
  for (std::uint32_t k = 0; k < 60; ++k) {  // in units of 0.01 ms, a step is 10
    const std::uint32_t begin = (500 + 3333 * k + 5) / 10, end = (600 + 3333 * k + 5) / 10;
    for (std::uint32_t step = begin; step < end; ++step) expected.insert(step + 1);  // its end
  }
  EXPECT_EQ(seen, expected);
  EXPECT_EQ(*seen.rbegin(), 19725u);  // the last pulse begins at 1971.5 ms
}

TEST(PoissonSource, PulsesShorterThanAStepHoldEveryStepTheirMiddleIsIn) {
  Network network;
  Population source;
  source.name = "S";
  source.kind = Population::Kind::poisson_source;
  source.size = 500;
  source.rate_hz = 10000.0;
  source.duration_ms = 0.02;
  source.interval_ms = 0.03;
  network.populations = {source, neurons_of("T", 1)};
  Simulation simulation = simulation_of(network, options_of(Connectivity::stored));
  Keeper keeper;
  simulation.run(3.0, keeper);
  std::set<std::uint32_t> seen, expected;
  for (const Spike& spike : keeper.spikes) seen.insert(spike.step);
  for (std::uint32_t k = 0; k < 100; ++k) {
    for (std::uint32_t step = (3 * k + 5) / 10; step < (3 * k + 2 + 5) / 10; ++step) {
      if (step < 30) expected.insert(step + 1);
    }
  }
  EXPECT_EQ(seen, expected);
  EXPECT_LT(seen.size(), 30u);
}

TEST(PoissonInput, ArrivesBetweenStartAndEndAfterItsDelay) {
  // 1.04 + 0.04 ms is step 11 and 3.04 + 0.04 ms step 31; start and delay alone would be 10 + 0.
  Network network;
  network.populations = {neurons_of("T", 1000, "iaf_psc_delta")};
  network.populations[0].parameters = {{"tau_m", 1e9}, {"V_th", 1e6}};
  Stimulus input = poisson("T", 5000.0, 1.0);
  input.start_ms = 1.04, input.delay_ms = 0.04, input.duration_ms = 2.0;
  network.stimuli = {input};
  Simulation simulation = simulation_of(network, exact_options());
  std::vector<double> before = simulation.state("T", "V_m");
  for (int step = 0; step < 40; ++step) {
    simulation.run(0.1);
    const std::vector<double> now = simulation.state("T", "V_m");
    double most = 0.0;  // an arrival is 1 mV; the leak of 1e9 ms is nothing beside it
    for (std::size_t i = 0; i < now.size(); ++i) most = std::max(most, now[i] - before[i]);
    EXPECT_EQ(most > 0.5, step >= 11 && step < 31) << step;
    before = now;
  }
}

TEST(SpikesAtZero, ArriveAfterTheirDelayAndAreRecorded) {
  for (const SimulationOptions& options : every_way()) {
    for (const int delay : {1, 2, 4, 5, 10, 33, 100}) {
      Network network;
      // 0.04 ms is nearer to 0 than to 0.1 ms; 0.05 ms, half way, goes to the later step.
      network.populations = {train_of(4, {{0.0, 0}, {0.0, 1}, {0.04, 2}, {0.05, 3}, {5.0, 0}}),
                             neurons_of("T", 4, "iaf_psc_delta")};
      network.projections = {project("S", "T", Kind::one_to_one, 0, Distribution::constant(20.0),
                                     Distribution::constant(0.1 * delay))};
      Simulation simulation = simulation_of(network, options);
      Keeper keeper;
      simulation.run(20.0, keeper);
      const auto d = static_cast<std::uint32_t>(delay);
      std::vector<Spike> expected = {{0, 0}, {0, 1}, {0, 2}, {1, 3}, {50, 0}};
      for (const Spike& answer : {Spike{d, 4}, {d, 5}, {d, 6}, {d + 1, 7}, {d + 50, 4}}) expected.push_back(answer);
      std::sort(expected.begin(), expected.end(), [](const Spike& a, const Spike& b) {
        return std::pair(a.step, a.neuron) < std::pair(b.step, b.neuron);
      });
      EXPECT_TRUE(keeper.spikes == expected) << delay;
      EXPECT_EQ(simulation.report().populations[0].spikes, 5u);
    }
  }
}

}  // namespace
}  // namespace tessera::test
