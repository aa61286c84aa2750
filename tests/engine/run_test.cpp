// What a run tells its observer, how it stops, what is refused, what a plan says.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "engine/networks.hpp"

namespace tessera::test {
namespace {

testing::AssertionResult mentions(const std::string& sentence, const std::string& part) {
  if (sentence.find(part) != std::string::npos) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "'" << part << "' is not in: " << sentence;
}

TEST(Recorders, SamplesAreTheState) {
  for (const int threads : {1, 3}) {
    Network network = balanced();
    network.recorders = {{"E", "V_m", 700, 0.1, {}}, {"I", "I_syn_ex", 3, 0.7, {}}, {"E", "V_m", 360, 2.0, {}}};
    Simulation whole = simulation_of(network, options_of(Connectivity::stored, threads, 6));
    Keeper keeper;
    whole.run(14.0, keeper);
    EXPECT_EQ(keeper.samples.size(), 140u + 20u + 7u);
    Simulation stepped = simulation_of(network, options_of(Connectivity::stored));
    std::size_t compared = 0;
    const std::uint32_t intervals[] = {1, 7, 20};
    for (std::uint32_t step = 1; step <= 140; ++step) {
      stepped.run(0.1);
      for (const Keeper::Sample& sample : keeper.samples) {
        if (sample.step != step) continue;
        const StateRecorder& recorder = network.recorders[sample.recorder];
        std::vector<double> state = stepped.state(recorder.population, recorder.variable);
        state.resize(recorder.count);
        EXPECT_EQ(sample.values, state) << step << " " << sample.recorder;
        EXPECT_EQ(step % intervals[sample.recorder], 0u);
        ++compared;
      }
    }
    EXPECT_EQ(compared, keeper.samples.size());
  }
}

TEST(Observers, SpikesAreSortedAndCounted) {
  Simulation simulation = simulation_of(balanced(), options_of(Connectivity::procedural, 3, 6, 2));
  Keeper keeper;
  simulation.run(60.0, keeper);
  const SimulationReport report = simulation.report();
  EXPECT_EQ(keeper.spikes.size(), report.counts.spikes);
  EXPECT_TRUE(std::is_sorted(keeper.spikes.begin(), keeper.spikes.end(), [](const Spike& a, const Spike& b) {
    return std::pair(a.step, a.neuron) < std::pair(b.step, b.neuron);
  }));
  std::uint64_t of_e = 0;
  for (const Spike& s : keeper.spikes) {
    EXPECT_GE(s.step, 1u);
    EXPECT_LE(s.step, 600u);
    of_e += s.neuron < 700;
  }
  ASSERT_EQ(report.populations.size(), 2u);
  EXPECT_EQ(report.populations[0].spikes, of_e);
  EXPECT_EQ(report.populations[1].spikes, keeper.spikes.size() - of_e);
  EXPECT_DOUBLE_EQ(report.model_time_ms, 60.0);
  EXPECT_EQ(report.counts.neurons, 880u);
  EXPECT_GT(report.counts.exchanged_messages, 0u);
  EXPECT_EQ(report.workers.size(), 3u);
}

class Stopper : public RunObserver {
 public:
  bool stop_requested() override { return ++asked > 2; }
  void on_progress(const Progress& p) override { reached_ms = p.model_time_ms; }
  int asked = 0;
  double reached_ms = 0.0;
};

TEST(Observers, CanStopARunThatGoesOnLater) {
  const Outcome whole = outcome_of(balanced(), options_of(Connectivity::stored), 50.0);
  Simulation simulation = simulation_of(balanced(), options_of(Connectivity::stored));
  Stopper stopper;
  simulation.run(50.0, stopper);
  EXPECT_GT(simulation.step(), 0);
  EXPECT_LT(simulation.step(), 500);
  EXPECT_NEAR(stopper.reached_ms, 0.1 * static_cast<double>(simulation.step()), 1e-9);
  simulation.run(50.0 - 0.1 * static_cast<double>(simulation.step()));
  EXPECT_EQ(simulation.step(), 500);
  EXPECT_EQ(simulation.report().digest, whole.digest);
}

TEST(Run, TakesWholeStepsOnly) {
  Simulation simulation = simulation_of(balanced(), options_of(Connectivity::stored));
  for (const double time : {-1.0, 0.05, 10.03, static_cast<double>(NAN), static_cast<double>(INFINITY), 5e9}) {
    EXPECT_THROW(simulation.run(time), InputError) << time;
  }
  EXPECT_EQ(simulation.step(), 0);
  simulation.run(0.0);
  simulation.run(0.3);
  EXPECT_EQ(simulation.step(), 3);
}

// Neuron 613 (of the second chunk) starts below the range of float32.
TEST(Activity, NotANumberStopsTheRunWithItsNeuron) {
  for (const int threads : {1, 3}) {
    Network network = balanced();
    network.populations.push_back(neurons_of("Z", 700));
    InitialValue initial;
    initial.values.assign(700, -65.0);
    initial.values[613] = -1e39;
    network.populations[2].initial["V_m"] = initial;
    Simulation simulation = simulation_of(network, options_of(Connectivity::stored, threads));
    Keeper keeper;
    try {
      simulation.run(50.0, keeper);
      FAIL() << "went on";
    } catch (const ActivityError& error) {
      EXPECT_EQ(error.population, "Z");
      EXPECT_EQ(error.neuron, 613u);
      EXPECT_EQ(error.step, 1);
      EXPECT_TRUE(mentions(error.what(), "'Z'"));
      EXPECT_TRUE(mentions(error.what(), "613"));
    }
    EXPECT_EQ(keeper.spikes.size(), simulation.report().counts.spikes);  // nothing is lost
  }
}

TEST(Activity, TooHighARateStopsTheRunAtTheEndOfItsWindow) {
  for (const int threads : {1, 2}) {
    Network network = balanced();
    network.rate_limit_hz = 100.0;
    network.populations.push_back(neurons_of("busy", 20));
    Stimulus strong = current("busy", 1e5);  // spikes every time it is not refractory: 2 ms and a step
    strong.start_ms = 250.0;
    network.stimuli.push_back(strong);
    network.stimuli.resize(3);
    network.recorders = {{"busy", "V_m", 2, 10.0, {}}};
    Simulation simulation = simulation_of(network, options_of(Connectivity::stored, threads));
    Keeper keeper;
    try {
      simulation.run(1000.0, keeper);
      FAIL() << "went on";
    } catch (const ActivityError& error) {
      EXPECT_EQ(error.population, "busy");
      EXPECT_LT(error.neuron, 20u);
      EXPECT_EQ(error.step, 3000);  // 50 ms at 476 spikes/s are 238 spikes/s over the window from 200 ms
      EXPECT_TRUE(mentions(error.what(), "limit of 100"));
    }
    EXPECT_EQ(simulation.step(), 3000);
    EXPECT_EQ(keeper.spikes.size(), simulation.report().counts.spikes);
    EXPECT_EQ(keeper.samples.size(), 30u);
  }
}

TEST(Memory, ANetworkThatDoesNotFitIsRefusedByName) {
  SimulationOptions options = options_of(Connectivity::stored);
  options.memory_limit_bytes = 1000;
  try {
    simulation_of(balanced(), options);
    FAIL() << "accepted";
  } catch (const InputError& error) {
    EXPECT_TRUE(mentions(error.what(), "'E'"));
    EXPECT_TRUE(mentions(error.what(), "1000"));
  }
}

// Two thousand times the human cortex column: refused at once, not after an attempt.
TEST(Memory, AHugeNetworkIsRefusedBeforeAnythingIsAllocated) {
  Network network;
  network.name = "huge";
  network.populations = {neurons_of("A", 200000000), neurons_of("B", 1000)};
  const Distribution weight = Distribution::constant(1.0), delay = Distribution::constant(1.0);
  network.projections = {project("A", "A", Kind::fixed_total_number, 1000000000000, weight, delay)};
  const std::uint64_t before = peak_resident_bytes();
  for (const Connectivity connectivity : {Connectivity::stored, Connectivity::procedural, Connectivity::automatic}) {
    SimulationOptions options = options_of(connectivity);
    options.memory_limit_bytes = std::uint64_t{2} << 30;
    try {
      simulation_of(network, options);
      FAIL() << "accepted";
    } catch (const InputError& error) {
      EXPECT_TRUE(mentions(error.what(), "'A'"));
    }
  }
  EXPECT_LT(peak_resident_bytes() - before, std::uint64_t{100} << 20);
}

TEST(Invalid, NetworksAreRefusedWithAllProblems) {
  Network network = balanced();
  network.projections[0].target = "F";
  network.populations[1].model = "iaf_psc_expp";
  try {
    simulation_of(network, options_of(Connectivity::stored));
    FAIL() << "accepted";
  } catch (const InputError& error) {
    EXPECT_GE(error.problems().size(), 2u);
  }
}

TEST(Plan, CountsWhatASimulationWillHold) {
  for (const Network& network : {balanced(), balanced(0.9, 30.0)}) {
    for (const Connectivity connectivity : {Connectivity::stored, Connectivity::procedural, Connectivity::automatic}) {
      const SimulationOptions options = options_of(connectivity, 2, 5, 2);
      const Plan planned = plan(network, NeuronCatalogue::builtin(), options);
      const SimulationReport report = simulation_of(network, options).report();
      EXPECT_EQ(planned.neurons, 880u);
      EXPECT_EQ(planned.synapses, 45000u);
      EXPECT_EQ(report.counts.synapses, 45000u);
      EXPECT_EQ(planned.tiles, report.tiles);
      EXPECT_EQ(planned.threads, 2);
      EXPECT_EQ(planned.groups, (planned.tiles + 1) / 2);
      EXPECT_EQ(planned.connectivity, report.connectivity);
      EXPECT_NE(planned.connectivity, Connectivity::automatic);
      EXPECT_EQ(planned.tile_lines.size(), static_cast<std::size_t>(planned.tiles));
      std::uint64_t sum = 0;
      for (const PlannedMemory& part : planned.memory) {
        EXPECT_FALSE(part.room.empty());
        EXPECT_FALSE(part.what.empty());
        sum += part.bytes;
      }
      EXPECT_EQ(sum, planned.memory_bytes);
      EXPECT_GT(planned.synapse_bytes, 0u);
      EXPECT_LE(planned.synapse_bytes, planned.memory_bytes);
      EXPECT_GT(planned.real_time_factor, 0.0);
      // Words of four bytes; how many rows have which delay groups is an upper estimate.
      if (planned.connectivity == Connectivity::stored) {
        EXPECT_GE(planned.synapse_bytes, 4u * 45000u);
        EXPECT_GE(planned.synapse_bytes, report.synapse_bytes * 9 / 10);
        EXPECT_LE(planned.synapse_bytes, report.synapse_bytes * 3 / 2);
      }
    }
  }
  const Plan longer = plan(balanced(0.9, 30.0), NeuronCatalogue::builtin(), options_of(Connectivity::stored));
  EXPECT_NEAR(longer.min_delay_ms, 0.9, 1e-9);
}

}  // namespace
}  // namespace tessera::test
