// Each effect of a machine alone, against what follows from its equation by hand.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "engine/drawn_network.hpp"
#include "engine/partitioned.hpp"

namespace tessera::test {
namespace {

constexpr double kStep_ns = 1e5;  // dt of 0.1 ms on a machine without speed-up

/// Trains of `size` sources, each to one neuron of mV jumps that spikes at every event.
Network one_to_one(std::uint32_t size, std::vector<Population::TrainSpike> train) {
  Population source;
  source.name = "source";
  source.kind = Population::Kind::spike_train_source;
  source.size = size;
  source.train = std::move(train);
  Network network;
  network.name = "one_to_one";
  network.populations = {neurons_of("cells", size, "iaf_psc_delta"), source};
  network.projections = {project("source", "cells", Kind::one_to_one, 0, Distribution::constant(100.0), Distribution::constant(1.0))};
  return network;
}

/// (step, neuron) of the neurons, without the sources behind them.
std::vector<Spike> of_cells(const std::vector<Spike>& spikes, std::uint32_t cells) {
  std::vector<Spike> own;
  std::copy_if(spikes.begin(), spikes.end(), std::back_inserter(own), [cells](const Spike& s) { return s.neuron < cells; });
  return own;
}

MachineDescription with_clock(std::uint32_t circuits, double clocks_per_step) {
  MachineDescription machine = machine_of(circuits);
  machine.events.clock_ns = kStep_ns / clocks_per_step;
  return machine;
}

// 40 events in one step; 10 clocks with one event each. Chips of 20 circuits have links of their own: the ten lowest
// sources of each half arrive.
TEST(PartitionedEffects, EventsBeyondTheBandwidthAreDroppedAndCountedByLink) {
  std::vector<Population::TrainSpike> train;
  for (std::uint32_t i = 0; i < 40; ++i) train.push_back({2.0, i});
  const Network network = one_to_one(40, train);
  for (const Connectivity connectivity : {Connectivity::stored, Connectivity::procedural}) {
    PartitionedOptions options = on(network, options_of(connectivity), machine_of(20));
    ASSERT_EQ(options.partition.runs.size(), 2u);
    options.machine = with_clock(20, 10.0);
    options.machine.events.in_per_clock = 1.0;
    const PartsOutcome outcome = outcome_in_parts(network, options, 10.0);
    std::vector<Spike> expected;
    for (std::uint32_t i = 0; i < 10; ++i) expected.push_back({30, i});  // 2 ms, and a delay of 1 ms
    for (std::uint32_t i = 20; i < 30; ++i) expected.push_back({30, i});
    EXPECT_TRUE(of_cells(outcome.list, 40) == expected);
    ASSERT_EQ(outcome.turns.edges.size(), 2u);
    for (const PlaybackEdge& edge : outcome.turns.edges) {
      EXPECT_EQ(edge.from, 0u);
      EXPECT_EQ(edge.events, 20u);
      EXPECT_EQ(edge.played, 10u);
      EXPECT_EQ(edge.dropped, 10u);
    }
  }
}

// Neuron 0 sends three events in one step, neuron 1 one: one of a source passes in a step.
TEST(PartitionedEffects, EventsOfOneSourceAreLimited) {
  Network network = one_to_one(2, {{2.0, 0}, {2.0, 0}, {2.0, 0}, {2.0, 1}});
  network.projections[0].weight = Distribution::constant(6.0);  // 15 mV to the threshold: three are needed
  PartitionedOptions options = on(network, options_of(Connectivity::stored), machine_of(20));
  EXPECT_EQ(of_cells(outcome_in_parts(network, options, 10.0).list, 2).size(), 1u);
  options.machine = with_clock(20, 10.0);
  options.machine.events.per_source_per_clock = 0.1;
  const PartsOutcome outcome = outcome_in_parts(network, options, 10.0);
  EXPECT_TRUE(of_cells(outcome.list, 2).empty());
  ASSERT_EQ(outcome.turns.edges.size(), 1u);
  EXPECT_EQ(outcome.turns.edges[0].dropped, 2u);
}

// A clock of 4 steps: an event of step t arrives with the first multiple of 4 at or after t. The last one would arrive at
// the end or later.
TEST(PartitionedEffects, EventsWaitForTheClockOfTheChip) {
  Network network = one_to_one(6, {{0.4, 0}, {0.5, 1}, {0.7, 2}, {0.8, 3}, {2.9, 4}, {9.9, 5}});
  PartitionedOptions options = on(network, options_of(Connectivity::stored), machine_of(20));
  options.machine = with_clock(20, 0.25);
  const PartsOutcome outcome = outcome_in_parts(network, options, 10.0);
  const std::vector<Spike> expected = {{14, 0}, {18, 1}, {18, 2}, {18, 3}, {42, 4}};  // stamps 4, 8, 8, 8, 32 and 10 steps
  EXPECT_TRUE(of_cells(outcome.list, 6) == expected);
  EXPECT_EQ(outcome.turns.edges.at(0).late + outcome.turns.edges.at(0).played, 6u);
}

// 20 neurons spike at once, 5 events leave a chip in a step: the lowest five. The others are lost to all others and to the record.
TEST(PartitionedEffects, SpikesThatCannotLeaveAreNotRecorded) {
  std::vector<Population::TrainSpike> train;
  for (std::uint32_t i = 0; i < 20; ++i) train.push_back({2.0, i});
  Network network = one_to_one(20, train);
  network.populations.insert(network.populations.begin() + 1, neurons_of("next", 20, "iaf_psc_delta"));
  network.projections.push_back(project("cells", "next", Kind::one_to_one, 0, Distribution::constant(100.0), Distribution::constant(1.0)));
  PartitionedOptions options = on(network, options_of(Connectivity::stored), machine_of(20));
  ASSERT_EQ(options.partition.runs.size(), 2u);
  options.machine = with_clock(20, 10.0);
  options.machine.events.out_per_clock = 0.5;
  const PartsOutcome outcome = outcome_in_parts(network, options, 10.0);
  std::vector<Spike> expected;
  for (std::uint32_t i = 0; i < 5; ++i) expected.push_back({30, i});
  for (std::uint32_t i = 20; i < 25; ++i) expected.push_back({40, i});
  EXPECT_TRUE(of_cells(outcome.list, 40) == expected);
  EXPECT_EQ(outcome.turns.unrecorded, (std::vector<std::uint64_t>{15, 0}));
}

// Steps of 126 / 63 = 2 pA, halves rounded up: the network with these weights, unpartitioned, spikes alike.
TEST(PartitionedEffects, ListedWeightsBecomeWholeMultiplesOfTheLargest) {
  Draw draw(5, 1);
  Network network = balanced();
  Projection list = project("E", "I", Kind::explicit_list, 0, Distribution::constant(1), Distribution::constant(1));
  for (std::uint32_t i = 0; i < 3000; ++i) list.rule.list.push_back({draw.below(700), draw.below(180), draw.between(-126.0, 126.0), 1.5});
  list.rule.list[0].weight = 126.0;
  network.projections = {list};
  Network rounded = network;
  for (auto& synapse : rounded.projections[0].rule.list) {
    const double whole = std::floor(std::abs(synapse.weight) / 2.0 + 0.5);
    synapse.weight = std::copysign(2.0 * whole, synapse.weight);
  }
  const Outcome before = outcome_of(network, options_of(Connectivity::stored), 100.0);
  const Outcome expected = outcome_of(rounded, options_of(Connectivity::stored), 100.0);
  ASSERT_NE(before.digest, expected.digest);
  PartitionedOptions options = on(network, options_of(Connectivity::stored), machine_of(300));
  options.machine.weights = {6, -63, 63};
  EXPECT_EQ(outcome_in_parts(network, options, 100.0).digest, expected.digest);
  options.simulation.connectivity = Connectivity::procedural;
  EXPECT_EQ(outcome_in_parts(network, options, 100.0).digest, expected.digest);
}

// One bit: weights of 70 to 100 pA all become the largest, which a table of 1,024 equally likely weights has: the mean of its
// last thousandth, 100 - 30 / 2048.
TEST(PartitionedEffects, DrawnWeightsBecomeWhole) {
  Network network = balanced();
  network.projections.resize(1);
  network.projections[0].weight = Distribution::uniform(70.0, 100.0);
  network.projections[0].delay_ms = Distribution::constant(1.5);
  Network constant = network;
  constant.projections[0].weight = Distribution::constant(100.0 - 30.0 / 2048.0);
  const Outcome expected = outcome_of(constant, options_of(Connectivity::stored), 100.0);
  PartitionedOptions options = on(network, options_of(Connectivity::stored), machine_of(300));
  options.machine.weights = {1, -1, 1};
  const PartsOutcome outcome = outcome_in_parts(network, options, 100.0);
  EXPECT_GT(outcome.spikes, 500u);
  EXPECT_EQ(outcome.digest, expected.digest);
}

}  // namespace
}  // namespace tessera::test
