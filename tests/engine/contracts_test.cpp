// Contracts D1 and D4: the same spikes for any threads, tiles, groups, connectivity, instruction set.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <set>

#include "connectivity/wiring.hpp"
#include "engine/networks.hpp"
#include "support/forced_target.hpp"

namespace tessera::test {
namespace {

constexpr double kTime_ms = 35.0;

void expect_same(const Outcome& a, const Outcome& b, const std::string& what) {
  EXPECT_EQ(a.digest, b.digest) << what;
  EXPECT_EQ(a.spikes, b.spikes) << what;
  EXPECT_TRUE(a.list == b.list) << what;
}

/// Runs stored on one thread, then every other way to run; all must agree spike for spike.
void expect_independent_of_machine(const Network& network, double time_ms) {
  const Outcome reference = outcome_of(network, options_of(Connectivity::stored), time_ms);
  EXPECT_GT(reference.spikes, network.populations[0].size / 4) << "hardly any activity to compare";
  EXPECT_EQ(reference.spikes, reference.list.size());
  const struct {
    int threads, tiles, group_size;
  } machines[] = {{1, 1, 0}, {2, 4, 1}, {3, 0, 2}, {4, 8, 3}};
  for (const auto& [threads, tiles, group] : machines) {
    for (const int connectivity : {0, 1, 2}) {
      const SimulationOptions options = options_of(connectivity == 0 ? Connectivity::stored : Connectivity::procedural,
                                                   threads, tiles, group, connectivity == 1);
      const Outcome outcome = outcome_of(network, options, time_ms);
      const std::string what = std::to_string(threads) + " threads, " + std::to_string(tiles) + " tiles, groups of " +
                               std::to_string(group) + ", connectivity " + std::to_string(connectivity);
      expect_same(outcome, reference, what);
      EXPECT_EQ(outcome.events, reference.events) << what;
    }
  }
}

constexpr std::uint32_t kSilent[] = {0, 20000, 40000};

TEST(Contracts, BesideSilentNeuronsDelayGroupsAreShorter) {
  std::vector<std::uint32_t> steps;
  for (const std::uint32_t silent : kSilent) {
    const Network network = beside_silent(balanced(), silent);
    steps.push_back(Wiring(network, 42).ring_shape().steps());
  }
  EXPECT_EQ(steps, (std::vector<std::uint32_t>{32, 8, 4}));
}

// A meeting every 9 steps with groups of four; 8 and 16 steps would allow 9 and 1.
TEST(Contracts, DelayGroupsDoNotMakeTilesMeetMoreOften) {
  const auto steps = [](double shortest_ms) { return Wiring(balanced(shortest_ms, 30.0), 42).ring_shape().steps(); };
  EXPECT_EQ(steps(0.9), 8u);
  EXPECT_EQ(steps(0.5), 4u);
  EXPECT_EQ(steps(0.4), 32u);
}

// 300 populations of one neuron take 64 slots each: more than two rings of 8,192 hold.
TEST(Contracts, PaddingCountsWhenDelayGroupsAreChosen) {
  Network network;
  for (int i = 0; i < 300; ++i) network.populations.push_back(neurons_of("N" + std::to_string(i), 1));
  network.projections = {project("N0", "N1", Kind::one_to_one, 0, Distribution::constant(1.0), Distribution::constant(0.1))};
  EXPECT_EQ(Wiring(network, 42).ring_shape().steps(), 16u);
}

// 50 distributions of delays over 4,000 steps would need hundreds of step tables in any longer group.
TEST(Contracts, ManyLongDelaysKeepShortGroups) {
  Network network = balanced();
  for (int i = 0; i < 50; ++i) {
    network.projections.push_back(project("E", "I", Kind::fixed_total_number, 10, Distribution::constant(1.0),
                                          Distribution::uniform(0.1, 350.0 + i)));
    network.projections.back().name += std::to_string(i);
  }
  EXPECT_EQ(Wiring(network, 42).ring_shape().steps(), 4u);
}

TEST(Contracts, BalancedNetworkIsIndependentOfTheMachine) {
  for (const std::uint32_t silent : kSilent) expect_independent_of_machine(beside_silent(balanced(), silent), kTime_ms);
}

TEST(Contracts, EveryRuleIsIndependentOfTheMachine) {
  for (const std::uint32_t silent : kSilent) expect_independent_of_machine(beside_silent(every_rule(), silent), kTime_ms);
}

// The shortest delay sets how often tiles meet: 9 steps allow intervals of 9, 0.5 ms of 5.
TEST(Contracts, LongShortestDelaysAreIndependentOfTheMachine) {
  for (const double shortest : {0.4, 0.5, 0.9}) {
    for (const std::uint32_t silent : kSilent) {
      expect_independent_of_machine(beside_silent(balanced(shortest, 30.0), silent), 30.0);
    }
  }
}

// More distinct weight tables than a packed word can name.
TEST(Contracts, ManyWeightDistributionsAreIndependentOfTheMachine) {
  Network network = balanced();
  for (int i = 0; i < 18; ++i) {
    network.projections.push_back(project("E", "E", Kind::fixed_total_number, 1000, Distribution::normal(10.0 + i, 1.0 + 0.1 * i),
                                          Distribution::uniform(0.2, 0.3 * (i + 1))));
    network.projections.back().name += std::to_string(i);
  }
  expect_independent_of_machine(network, 30.0);
}

// Many sources with less than a synapse each: constant rows, rows of two signs, drawn weights, several groups, a
// population whose rows are partly of another rule, and one with about ten synapses per source.
TEST(Contracts, VeryShortRowsAreIndependentOfTheMachine) {
  Network network;
  network.populations = {neurons_of("A", 3000), neurons_of("B", 3000), neurons_of("C", 1100), neurons_of("D", 1100)};
  for (Population& p : network.populations) p.initial["V_m"].distribution = Distribution::uniform(-70.0, -49.0);
  const Distribution one = Distribution::constant(0.5), spread = Distribution::normal(2.0, 1.5).within(0.1, 12.0);
  network.projections = {project("A", "C", Kind::fixed_indegree, 3, Distribution::constant(150.0), one),
                         project("B", "C", Kind::fixed_indegree, 2, Distribution::normal(0.0, 90.0), spread),
                         project("A", "B", Kind::fixed_indegree, 1, Distribution::constant(90.0), spread),
                         project("C", "A", Kind::fixed_total_number, 900, Distribution::constant(120.0), spread),
                         project("C", "B", Kind::fixed_indegree, 2, Distribution::normal(80.0, 8.0), one),
                         project("B", "B", Kind::fixed_indegree, 1, Distribution::constant(-40.0), one),
                         project("D", "A", Kind::fixed_indegree, 4, Distribution::constant(45.0), one)};
  network.stimuli = {current("A", 400.0), current("B", 400.0), current("C", 400.0), current("D", 400.0)};
  for (const std::uint32_t silent : kSilent) expect_independent_of_machine(beside_silent(network, silent), 25.0);
}

// A few sources with thousands of synapses each: rows longer than the drawing queue.
TEST(Contracts, VeryLongRowsAreIndependentOfTheMachine) {
  Network network;
  network.populations = {neurons_of("A", 40), neurons_of("B", 600), neurons_of("C", 1100)};
  for (Population& p : network.populations) p.initial["V_m"].distribution = Distribution::uniform(-70.0, -49.0);
  const Distribution one = Distribution::constant(0.5), weight = Distribution::normal(3.0, 0.5);
  network.projections = {project("A", "B", Kind::fixed_outdegree, 1200, weight, one),
                         project("A", "C", Kind::fixed_outdegree, 3500, weight, one),
                         project("A", "A", Kind::fixed_outdegree, 1000, weight, one),
                         project("B", "B", Kind::fixed_outdegree, 400, Distribution::constant(-1.0), one),
                         project("C", "C", Kind::fixed_total_number, 100000, Distribution::constant(-1.0), one)};
  network.stimuli = {current("A", 450.0), current("B", 300.0), current("C", 300.0)};
  for (const std::uint32_t silent : kSilent) expect_independent_of_machine(beside_silent(network, silent), 20.0);
}

TEST(Contracts, EveryInstructionSetGivesTheSameSpikes) {
  for (const std::uint32_t silent : kSilent) {
    std::set<std::uint64_t> digests;
    for (const std::string& target : simd_targets()) {
      const SimdTarget forced(target);
      for (const Connectivity connectivity : {Connectivity::stored, Connectivity::procedural}) {
        digests.insert(outcome_of(beside_silent(every_rule(), silent), options_of(connectivity), 40.0).digest);
      }
    }
    EXPECT_EQ(digests.size(), 1u) << silent;
  }
}

TEST(Contracts, TheSeedDecides) {
  SimulationOptions options = options_of(Connectivity::stored);
  const std::uint64_t first = outcome_of(balanced(), options, 30.0).digest;
  EXPECT_EQ(outcome_of(balanced(), options, 30.0).digest, first);
  options.seed = 43;
  EXPECT_NE(outcome_of(balanced(), options, 30.0).digest, first);
}

TEST(Contracts, ExactPrecisionIsIndependentOfThreadsAndTiles) {
  const Outcome reference = outcome_of(every_rule(), exact_options(), kTime_ms);
  EXPECT_GT(reference.spikes, 100u);
  for (const int threads : {2, 3}) {
    for (const int tiles : {0, 7}) {
      expect_same(outcome_of(every_rule(), exact_options(threads, tiles), kTime_ms), reference, std::to_string(threads));
    }
  }
}

TEST(Contracts, ReportedSynapsesAreTheListedOnes) {
  const Network network = every_rule();
  std::uint64_t listed = 0;
  for (const Projection& p : network.projections) {
    listed += list_synapses(network, NeuronCatalogue::builtin(), 42, p.name).size();
  }
  EXPECT_EQ(simulation_of(network, options_of(Connectivity::stored)).report().counts.synapses, listed);
  EXPECT_EQ(simulation_of(network, exact_options()).report().counts.synapses, listed);
}

}  // namespace
}  // namespace tessera::test
