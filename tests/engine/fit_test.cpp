// Plans of networks that do not fit: what, by how much, what would help; a simulation of them is refused.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "engine/networks.hpp"

namespace tessera::test {
namespace {

Plan plan_of(const Network& network, const SimulationOptions& options) {
  return plan(network, NeuronCatalogue::builtin(), options);
}

testing::AssertionResult says(const std::vector<std::string>& sentences, const std::string& part) {
  std::string all;
  for (const std::string& sentence : sentences) all += sentence + "\n";
  if (all.find(part) != std::string::npos) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "'" << part << "' is not in:\n" << all;
}

bool refused(const Network& network, const SimulationOptions& options) {
  try {
    (void)simulation_of(network, options);
  } catch (const InputError&) {
    return true;
  }
  return false;
}

/// One projection A -> A, weight 1, delay 1 ms.
Network recurrent(std::uint32_t size, Kind kind, std::uint64_t number) {
  Network network;
  network.name = "large";
  network.populations = {neurons_of("A", size)};
  network.projections = {project("A", "A", kind, number, Distribution::constant(1.0), Distribution::constant(1.0))};
  return network;
}

ConnectivityRule rule_of_kind(Kind kind, std::uint64_t number) {
  ConnectivityRule rule;
  rule.kind = kind;
  rule.number = number;
  return rule;
}

TEST(Fit, TheLastByteDecides) {
  for (const Connectivity connectivity : {Connectivity::stored, Connectivity::procedural}) {
    SimulationOptions options = options_of(connectivity);
    const std::uint64_t needed = plan_of(balanced(), options).memory_bytes;
    options.memory_limit_bytes = needed;
    const Plan fits = plan_of(balanced(), options);
    EXPECT_TRUE(fits.obstacles.empty() && fits.remedies.empty());
    EXPECT_EQ(fits.available_bytes, needed);
    EXPECT_FALSE(refused(balanced(), options));
    options.memory_limit_bytes = needed - 1;
    EXPECT_TRUE(says(plan_of(balanced(), options).obstacles, "1 bytes more than"));
    EXPECT_TRUE(refused(balanced(), options));
  }
}

TEST(Fit, SaysWhichOtherWayFits) {
  // 4,000,000 synapses: 16 MB as words of four bytes, nothing of that when they are drawn again.
  const Network network = recurrent(2000, Kind::fixed_indegree, 2000);
  SimulationOptions options = options_of(Connectivity::stored);
  const std::uint64_t stored = plan_of(network, options).memory_bytes;
  const std::uint64_t procedural = plan_of(network, options_of(Connectivity::procedural)).memory_bytes;
  ASSERT_GT(stored, procedural + 15'000'000);
  options.memory_limit_bytes = procedural + 1'000'000;
  const Plan plan = plan_of(network, options);
  EXPECT_TRUE(says(plan.obstacles, "with stored connectivity"));
  EXPECT_TRUE(says(plan.obstacles, "population 'A' with 2000 neurons and 4e+06 synapses"));
  EXPECT_TRUE(says(plan.remedies, "Procedural connectivity would need"));
  EXPECT_TRUE(says(plan.remedies, "which fits"));
  EXPECT_FALSE(says(plan.remedies, "machines"));
  options.connectivity = Connectivity::procedural;
  EXPECT_TRUE(plan_of(network, options).obstacles.empty());
  options.precision = Precision::exact;
  options.connectivity = Connectivity::automatic;
  EXPECT_TRUE(says(plan_of(network, options).remedies, "Fast precision with procedural connectivity"));
  // With half of what it needs in any way, two machines or more are wanted.
  options = options_of(Connectivity::procedural);
  options.memory_limit_bytes = procedural / 2;
  EXPECT_TRUE(says(plan_of(network, options).remedies, "ranks with as much memory each would hold it"));
  EXPECT_TRUE(says(plan_of(network, options).remedies, "[scaling]"));
}

TEST(Fit, AHugeNetworkIsPlannedWithoutItsWiring) {
  // 200 million neurons: 2 GB and more for their state alone; a tree over the sources for every chunk.
  const Network network = recurrent(200'000'000, Kind::fixed_total_number, 1'000'000'000'000);
  const std::uint64_t before = peak_resident_bytes();
  double stored = 0.0, procedural = 0.0;
  for (const Connectivity connectivity : {Connectivity::stored, Connectivity::procedural, Connectivity::automatic}) {
    SimulationOptions options = options_of(connectivity);
    options.memory_limit_bytes = std::uint64_t{2} << 30;
    const Plan plan = plan_of(network, options);
    EXPECT_EQ(plan.neurons, 200'000'000u);
    EXPECT_EQ(plan.synapses, 1'000'000'000'000u);
    EXPECT_TRUE(says(plan.obstacles, "2.15 GB that are available"));
    EXPECT_FALSE(plan.remedies.empty());
    EXPECT_GT(plan.memory_bytes, plan.available_bytes);
    if (connectivity == Connectivity::stored) stored = static_cast<double>(plan.memory_bytes);
    if (connectivity == Connectivity::procedural) procedural = static_cast<double>(plan.memory_bytes);
    EXPECT_TRUE(plan.tile_lines.empty());
  }
  EXPECT_NEAR(stored - procedural, 4e12, 1.0);  // words of four bytes
  EXPECT_LT(peak_resident_bytes() - before, std::uint64_t{100} << 20);
}

// Four bytes for every source that is repeated or missing: with half of 4,000 sources in every target's set, a
// third of the draws are repeated.
TEST(Fit, NamesTheRuleWhoseTableDoesNotFit) {
  Network network = recurrent(4000, Kind::fixed_indegree, 1900);
  SimulationOptions options = options_of(Connectivity::procedural);
  const std::uint64_t with_multapses = plan_of(network, options).memory_bytes;
  network.projections[0].rule.multapses = false;
  const Plan whole = plan_of(network, options);
  ASSERT_GT(whole.memory_bytes, with_multapses + 5'000'000);
  options.memory_limit_bytes = with_multapses + 1'000'000;
  const Plan plan = plan_of(network, options);
  EXPECT_TRUE(says(plan.obstacles, "Without the table of what fixed_indegree without multapses takes back and adds in projection 'A_A_fixed_indegree', "));
  EXPECT_TRUE(says(plan.obstacles, "MB, it would fit."));
  EXPECT_TRUE(says(plan.remedies, "fixed_total_number with as many synapses in projection 'A_A_fixed_indegree' needs no such table."));
  network.projections[0].rule = rule_of_kind(Kind::fixed_total_number, 1900 * 4000);
  EXPECT_TRUE(plan_of(network, options).obstacles.empty());  // the remedy helps
  // Where the table is not what is too much, it is not named.
  network = recurrent(4000, Kind::fixed_indegree, 1900);
  options.memory_limit_bytes = 1'000'000;
  EXPECT_FALSE(says(plan_of(network, options).obstacles, "Without the table"));
}

// What a plan expects of tables is what runs have.
TEST(Fit, TablesAreAsLargeAsPlanned) {
  for (const Distribution& delay : {Distribution::constant(1.0), Distribution::uniform(0.1, 12.0)}) {
    for (const bool multapses : {true, false}) {
      for (const Kind kind : {Kind::fixed_indegree, Kind::fixed_outdegree}) {
        Network network = recurrent(6000, kind, 1200);
        network.projections[0].rule.multapses = multapses;
        network.projections[0].rule.autapses = kind == Kind::fixed_outdegree && !multapses;
        network.projections[0].delay_ms = delay;
        SimulationOptions options = options_of(Connectivity::procedural);
        const Plan expected = plan_of(network, options);
        const Simulation simulation = simulation_of(network, options);
        const auto planned = static_cast<double>(expected.synapse_bytes), kept = static_cast<double>(simulation.report().synapse_bytes);
        EXPECT_NEAR(kept, planned, 0.05 * planned + 100'000) << to_string(kind) << " " << multapses << " " << delay.b;
      }
    }
  }
}

TEST(Fit, RowsAndTilesHaveLimitsOfTheirOwn) {
  SimulationOptions options = options_of(Connectivity::stored);
  options.memory_limit_bytes = std::uint64_t{1} << 50;
  // Ten sources with 100 million synapses each onto 2,000 targets: four chunks of 25 million.
  Network rows = recurrent(2000, Kind::fixed_total_number, 1'000'000'000);
  rows.populations.push_back(neurons_of("few", 10));
  rows.projections[0].source = "few";
  EXPECT_TRUE(says(plan_of(rows, options).obstacles, "at most 500,000 are possible"));
  EXPECT_TRUE(refused(rows, options));
  // Six billion synapses on one tile: 32 bits count 4.29 billion.
  const Network tile = recurrent(60'000, Kind::fixed_total_number, 6'000'000'000);
  const Plan plan = plan_of(tile, options);
  EXPECT_TRUE(says(plan.obstacles, "A tile would hold 6"));
  EXPECT_TRUE(says(plan.remedies, "More tiles: 2 would hold them"));
  options.tiles = 2;
  EXPECT_TRUE(plan_of(tile, options).obstacles.empty());
  options.tiles = 0;
  options.connectivity = Connectivity::procedural;
  EXPECT_TRUE(plan_of(tile, options).obstacles.empty());
  // A chunk's stubs of fixed_indegree are numbered by 32 bits as well.
  const Network stubs = recurrent(60'000, Kind::fixed_indegree, 1'000'000);
  EXPECT_TRUE(says(plan_of(stubs, options).obstacles, "fixed_indegree can make at most"));
  EXPECT_TRUE(refused(stubs, options));
}

}  // namespace
}  // namespace tessera::test
