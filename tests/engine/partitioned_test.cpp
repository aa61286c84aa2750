// Networks that run in parts on ideal machines: the spikes are those of the whole, whatever the parts are.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>

#include "engine/drawn_network.hpp"
#include "engine/partitioned.hpp"
#include "support/temporary_folder.hpp"
#include "tessera/partitioned_simulation.hpp"

namespace tessera::test {
namespace {

TEST(PartitionedSimulation, RandomNetworksGiveTheSameSpikesInParts) {
  int active = 0, in_lock_step = 0, one_way = 0;
  for (std::uint32_t seed = 300; seed < 318; ++seed) {
    Draw draw(seed, 1);
    const Network network = drawn_network(draw);
    std::uint32_t neurons = 0;
    for (const Population& p : network.populations) neurons += p.kind == Population::Kind::neurons ? p.size : 0;
    const Outcome reference = outcome_of(network, options_of(Connectivity::stored), kDrawnTime_ms);
    active += reference.spikes > 100 && reference.events > 1000 ? 1 : 0;
    const MachineDescription machine = machine_of(std::max(8u, neurons / (2 + draw.below(5))), 1u << draw.below(3));
    for (const Connectivity connectivity : {Connectivity::stored, Connectivity::procedural}) {
      SCOPED_TRACE("seed " + std::to_string(seed) + ", " + to_string(connectivity));
      const SimulationOptions options = options_of(connectivity, 1 + static_cast<int>(draw.below(2)), 0, 0, draw.one_in(2));
      const PartsOutcome outcome = outcome_in_parts(network, on(network, options, machine), kDrawnTime_ms);
      EXPECT_EQ(outcome.digest, reference.digest);
      EXPECT_TRUE(outcome.list == reference.list);
      if (connectivity == Connectivity::stored) {
        EXPECT_EQ(outcome.synapses, reference.synapses);
        EXPECT_EQ(outcome.events, reference.events);
      }
      EXPECT_GT(outcome.turns.runs, 1u);
      (outcome.turns.lock_step_parts > 0 ? in_lock_step : one_way) += 1;
    }
  }
  EXPECT_GT(active, 6) << "too few networks do anything";
  EXPECT_GT(in_lock_step, 5);
  EXPECT_GT(one_way, 5);
}

// Divided over grids, with sources, currents, Poisson input and recorders, on 1, 2 and 4 chips and 1 and 2 threads. The
// parts of a lock-step component are loaded once each for every shortest delay: 1 step here.
TEST(PartitionedSimulation, EveryRuleAndRecorderInPartsOnAnyNumberOfChips) {
  Network network = every_rule();
  network.recorders = {{"E", "V_m", 600, 0.5, {}}, {"G", "V_m", 3, 0.1, {}}};
  Simulation whole = simulation_of(network, options_of(Connectivity::stored));
  Keeper keeper;
  whole.run(40.0, keeper);
  ASSERT_GT(keeper.spikes.size(), 500u);
  for (const std::uint32_t chips : {1u, 2u, 4u}) {
    const SimulationOptions options = options_of(chips == 2 ? Connectivity::procedural : Connectivity::stored, chips == 1 ? 1 : 2);
    const PartsOutcome parts = outcome_in_parts(network, on(network, options, machine_of(300, chips)), 40.0);
    EXPECT_EQ(parts.digest, whole.report().digest) << chips;
    EXPECT_TRUE(parts.list == keeper.spikes) << chips;
    ASSERT_EQ(parts.turns.runs, 5u) << "1,280 neurons on chips of 300";
    EXPECT_EQ(parts.turns.lock_step_parts, 5u);
    EXPECT_DOUBLE_EQ(parts.turns.turn_ms, 0.1);
    EXPECT_EQ(parts.turns.turns, 5u * 400u);
    ASSERT_EQ(parts.samples.size(), keeper.samples.size());
    const auto earlier = [](const Keeper::Sample& a, const Keeper::Sample& b) {
      return std::pair(a.step, a.recorder) < std::pair(b.step, b.recorder);
    };
    std::vector<Keeper::Sample> a = parts.samples, b = keeper.samples;
    std::sort(a.begin(), a.end(), earlier);
    std::sort(b.begin(), b.end(), earlier);
    for (std::size_t i = 0; i < a.size(); ++i) {
      ASSERT_TRUE(a[i].step == b[i].step && a[i].recorder == b[i].recorder && a[i].values == b[i].values) << i;
    }
  }
}

/// Four layers of 256 neurons, each sends to the next with delays from 1.5 ms on; the first has a current.
Network chain() {
  Network network;
  network.name = "chain";
  for (const char* name : {"A", "B", "C", "D"}) {
    network.populations.push_back(neurons_of(name, 256));
    network.populations.back().initial["V_m"].distribution = Distribution::uniform(-65.0, -50.5);
    network.stimuli.push_back(current(name, 390.0));
  }
  for (const auto& [from, to] : {std::pair{"A", "B"}, {"B", "C"}, {"C", "D"}}) {
    network.projections.push_back(project(from, to, Kind::fixed_indegree, 32, Distribution::constant(60.0), Distribution::uniform(1.5, 4.0)));
  }
  return network;
}

// Every layer is a part; a part is loaded once. What is in memory at one time is the largest part. With 8,192 stored
// synapses a part has more than 4 bytes for each, and all parts are three times as large as that.
TEST(PartitionedSimulation, MemoryIsThatOfTheLargestPart) {
  const Network network = chain();
  const Outcome whole = outcome_of(network, options_of(Connectivity::stored), 100.0);
  ASSERT_GT(whole.spikes, 1000u);
  const PartsOutcome parts = outcome_in_parts(network, on(network, options_of(Connectivity::stored), machine_of(256)), 100.0);
  EXPECT_EQ(parts.digest, whole.digest);
  const TurnsReport& t = parts.turns;
  ASSERT_EQ(t.parts.size(), 4u);
  EXPECT_EQ(t.turns, 4u);
  EXPECT_EQ(t.lock_step_parts, 0u);
  EXPECT_EQ(t.peak_bytes, t.largest_part_bytes);
  EXPECT_LT(t.parts[0].synapses, 512u) << "nothing lands on the first layer";
  std::uint64_t all = 0, largest = 0;
  for (const PartMemory& part : t.parts) {
    all += part.all();
    largest = std::max(largest, part.all());
    EXPECT_TRUE(&part == &t.parts[0] || part.synapses >= 4u * 8192u);
  }
  EXPECT_EQ(t.all_parts_bytes, all);
  EXPECT_EQ(t.largest_part_bytes, largest);
  EXPECT_GT(all, 3 * largest);
  // The same network on chips of half the size: a part has half of the synapses.
  const PartsOutcome halves = outcome_in_parts(network, on(network, options_of(Connectivity::stored), machine_of(128)), 100.0);
  EXPECT_EQ(halves.digest, whole.digest);
  EXPECT_EQ(halves.turns.peak_bytes, halves.turns.largest_part_bytes);
  for (const PartMemory& part : halves.turns.parts) EXPECT_LT(static_cast<double>(part.synapses), 0.6 * static_cast<double>(t.parts[1].synapses));
}

// Every layer takes four runs that need nothing of each other. With several chips and threads they are in memory together
// and run at one time: as many as there are chips, unless threads are fewer. What comes out does not depend on it.
TEST(PartitionedSimulation, PartsOfARoundRunAtOneTime) {
  const Network network = chain();
  const Outcome whole = outcome_of(network, options_of(Connectivity::stored), 50.0);
  ASSERT_GT(whole.spikes, 500u);
  const PartsOutcome alone = outcome_in_parts(network, on(network, options_of(Connectivity::stored), machine_of(64)), 50.0);
  ASSERT_EQ(alone.turns.parts.size(), 16u);
  for (const std::uint32_t chips : {1u, 2u, 4u}) {
    for (const int threads : {1, 2, 4}) {
      SCOPED_TRACE(std::to_string(chips) + " chips, " + std::to_string(threads) + " threads");
      const PartsOutcome parts = outcome_in_parts(network, on(network, options_of(Connectivity::stored, threads), machine_of(64, chips)), 50.0);
      EXPECT_EQ(parts.digest, whole.digest);
      EXPECT_TRUE(parts.list == whole.list);
      EXPECT_EQ(parts.turns.rounds, 16u / chips);
      const std::size_t at_once = std::min<std::size_t>(chips, static_cast<std::size_t>(threads));
      std::uint64_t largest = 0;
      for (std::size_t first = 0; first < 16; first += at_once) {
        std::uint64_t together = 0;
        for (std::size_t p = first; p < first + at_once; ++p) together += parts.turns.parts[p].all();
        largest = std::max(largest, together);
      }
      EXPECT_EQ(parts.turns.peak_bytes, largest);
      ASSERT_EQ(parts.turns.edges.size(), alone.turns.edges.size());
      for (std::size_t e = 0; e < alone.turns.edges.size(); ++e) EXPECT_EQ(parts.turns.edges[e].events, alone.turns.edges[e].events);
    }
  }
  // Where two parts take more than half of the memory together there is one at a time: 64 x 32 synapses of 6 bytes each.
  PartitionedOptions options = on(network, options_of(Connectivity::stored, 2), machine_of(64, 2));
  options.simulation.memory_limit_bytes = 2 * 2 * 64 * 32 * 6 - 2;
  const PartsOutcome tight = outcome_in_parts(network, options, 50.0);
  EXPECT_EQ(tight.digest, whole.digest);
  EXPECT_EQ(tight.turns.peak_bytes, tight.turns.largest_part_bytes);
}

// In lock-step all parts keep their neurons, but with little memory the rows of those that wait are in a file: what is in
// memory are the rows of one. 880 neurons in parts of 100 have some 45,000 synapses, of which a ninth is 30 kB.
TEST(PartitionedSimulation, PartsInLockStepWaitOutsideOfMemory) {
  const Network network = balanced(1.5);
  const Outcome whole = outcome_of(network, options_of(Connectivity::stored), 60.0);
  ASSERT_GT(whole.spikes, 500u);
  const TemporaryFolder folder;
  PartitionedOptions options = on(network, options_of(Connectivity::stored), machine_of(100));
  const PartsOutcome here = outcome_in_parts(network, options, 60.0);
  EXPECT_EQ(here.turns.parked_bytes, 0u);
  options.simulation.memory_limit_bytes = 100'000;
  options.scratch_folder = folder.path();
  const PartsOutcome away = outcome_in_parts(network, options, 60.0);
  EXPECT_EQ(here.digest, whole.digest);
  EXPECT_EQ(away.digest, whole.digest);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
  std::uint64_t rows = 0, largest = 0, neuron_bytes = 0;
  for (const PartMemory& part : away.turns.parts) {
    rows += part.synapses;
    largest = std::max(largest, part.synapses);
    neuron_bytes += part.neurons;
  }
  EXPECT_EQ(away.turns.lock_step_parts, 9u);
  EXPECT_EQ(here.turns.peak_bytes, rows + neuron_bytes);
  EXPECT_EQ(away.turns.peak_bytes, largest + neuron_bytes);
  EXPECT_EQ(away.turns.saved_bytes, neuron_bytes);
  EXPECT_GE(away.turns.parked_bytes, rows);
  EXPECT_LT(largest, rows / 6);
  // Several chips do not change that: who has no memory for the rows of all has none for those of two.
  PartitionedOptions several = on(network, options_of(Connectivity::stored, 2), machine_of(100, 2));
  several.simulation.memory_limit_bytes = 100'000;
  several.scratch_folder = folder.path();
  const PartsOutcome two = outcome_in_parts(network, several, 60.0);
  EXPECT_EQ(two.digest, whole.digest);
  EXPECT_GE(two.turns.parked_bytes, rows / 2) << "other runs, and tiles for two threads";
  // No room for the rows: an error, and nothing stays.
  several.scratch_folder = folder / "not there";
  PartitionedSimulation nowhere(network, NeuronCatalogue::builtin(), several);
  EXPECT_THROW(nowhere.run(60.0), RunError);
  options.simulation.memory_limit_bytes = 20'000;
  EXPECT_THROW(PartitionedSimulation(network, NeuronCatalogue::builtin(), options), InputError);
}

// Every spike of a layer reaches the next one, and nothing else: 32 synapses of 256 neurons leave none out.
TEST(PartitionedSimulation, SpikesOfEveryEdgeAreRecordedAndPlayedBack) {
  const Network network = chain();
  PartitionedSimulation simulation(network, NeuronCatalogue::builtin(), on(network, options_of(Connectivity::stored), machine_of(256)));
  simulation.run(100.0);
  const SimulationReport report = simulation.report();
  const TurnsReport turns = simulation.turns();
  EXPECT_EQ(turns.recorded_spikes, report.counts.spikes);
  ASSERT_EQ(turns.edges.size(), 3u);
  for (std::uint32_t k = 0; k < 3; ++k) {
    EXPECT_EQ(turns.edges[k].from, k + 1);
    EXPECT_EQ(turns.edges[k].to, k + 2);
    EXPECT_EQ(turns.edges[k].events, report.populations[k].spikes);
    EXPECT_EQ(turns.edges[k].played, turns.edges[k].events);
    EXPECT_EQ(turns.edges[k].dropped, 0u);
  }
}

// A population that fires too fast, and a potential that stops being a number: the same errors as of the whole network.
TEST(PartitionedSimulation, ActivityOutOfBoundsIsTheSameError) {
  Network network = chain();
  network.rate_limit_hz = 10.0;
  const auto error_of = [](auto& simulation) -> std::string {
    try {
      simulation.run(300.0);
    } catch (const ActivityError& error) {
      return error.what();
    }
    return "";
  };
  Simulation whole = simulation_of(network, options_of(Connectivity::stored));
  PartitionedSimulation parts(network, NeuronCatalogue::builtin(), on(network, options_of(Connectivity::stored), machine_of(256)));
  const std::string expected = error_of(whole);
  EXPECT_NE(expected, "");
  EXPECT_EQ(error_of(parts), expected);
}

TEST(PartitionedSimulation, WhatItCannotDoIsSaidAllAtOnce) {
  Network network = chain();
  PartitionedOptions options = on(network, options_of(Connectivity::stored), machine_of(256));
  network.projections[0].plasticity = Plasticity{"stdp", {}, 0.0, {}, 1.0};
  options.partition.runs[3].slices[0].count = 200;
  options.simulation.precision = Precision::exact;
  options.simulation.device.kind = Device::Kind::emulated;
  const std::vector<Problem> problems = validate(network, NeuronCatalogue::builtin(), options);
  std::string all;
  for (const Problem& problem : problems) all += problem.message + "\n";
  EXPECT_EQ(problems.size(), 4u) << all;
  EXPECT_NE(all.find("'fast', not 'exact'"), std::string::npos);
  EXPECT_NE(all.find("on the processor"), std::string::npos);
  EXPECT_NE(all.find("'A_B_fixed_indegree' is plastic"), std::string::npos);
  EXPECT_NE(all.find("misses 56 of the 256 neurons of population 'D'"), std::string::npos);
  EXPECT_THROW(PartitionedSimulation(network, NeuronCatalogue::builtin(), options), InputError);
}

}  // namespace
}  // namespace tessera::test
