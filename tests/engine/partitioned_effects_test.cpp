// Each effect of a machine alone, against what follows from its equation by hand.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

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
  Network network = one_to_one(6, {{0.4, 0}, {0.5, 1}, {0.7, 2}, {0.8, 3}, {2.9, 4}, {9.7, 5}});
  PartitionedOptions options = on(network, options_of(Connectivity::stored), machine_of(20));
  options.machine = with_clock(20, 0.25);
  const PartsOutcome outcome = outcome_in_parts(network, options, 9.8);
  const std::vector<Spike> expected = {{14, 0}, {18, 1}, {18, 2}, {18, 3}, {42, 4}};  // steps 4, 8, 8, 8, 32, and 10 of delay
  EXPECT_TRUE(of_cells(outcome.list, 6) == expected);
  EXPECT_EQ(outcome.turns.edges.at(0).late, 1u);
  EXPECT_EQ(outcome.turns.edges.at(0).played, 5u);
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

// With limits of events the order in which events are dropped does not depend on threads and connectivity.
TEST(PartitionedEffects, AreTheSameForThreadsAndConnectivity) {
  Network network = balanced(1.5);
  network.projections[0].rule.kind = Kind::fixed_indegree;
  network.projections[0].rule.number = 40;
  PartitionedOptions options = on(network, options_of(Connectivity::stored), machine_of(300, 3));
  options.machine.events.clock_ns = kStep_ns;
  options.machine.events.in_per_clock = 2.0;
  options.machine.weights = {4, -15, 15};
  options.machine.fixed_pattern.threshold.distribution = Distribution::normal(0.0, 0.05);
  options.machine.fixed_pattern.weight_gain.distribution = Distribution::normal(0.0, 0.05);
  options.machine.noise.membrane.distribution = Distribution::normal(0.0, 0.01);
  options.machine.noise.spike_time_us.distribution = Distribution::normal(0.0, 150.0);
  const PartsOutcome first = outcome_in_parts(network, options, 60.0);
  std::uint64_t dropped = 0;
  for (const PlaybackEdge& edge : first.turns.edges) dropped += edge.dropped;
  EXPECT_GT(dropped, 50u);
  options.simulation = options_of(Connectivity::procedural, 2);
  const PartsOutcome second = outcome_in_parts(network, options, 60.0);
  EXPECT_EQ(second.digest, first.digest);
  EXPECT_TRUE(second.list == first.list);
  ASSERT_EQ(second.turns.edges.size(), first.turns.edges.size());
  for (std::size_t e = 0; e < first.turns.edges.size(); ++e) EXPECT_EQ(second.turns.edges[e].dropped, first.turns.edges[e].dropped);
  options.chip_seed = 2;
  EXPECT_NE(outcome_in_parts(network, options, 60.0).digest, first.digest) << "another chip";
}

// Numbers that are alike for all circuits: a chip is then the network with other parameters, which the simulator runs.
TEST(PartitionedEffects, PatternsChangeTheParametersOfNeurons) {
  Network network = balanced();
  network.stimuli.push_back(poisson("E", 800.0, 40.0));
  for (Projection& p : network.projections) p.weight = Distribution::constant(p.weight.mean() < 0.0 ? -256.0 : 64.0);  // halves and quarters stay exact
  const auto changed = [&](const std::function<void(Population&)>& change) {
    Network other = network;
    for (Population& p : other.populations) change(p);
    return outcome_of(other, options_of(Connectivity::stored), 30.0).digest;
  };
  const auto emulated = [&](const std::function<void(MachineDescription&)>& add) {
    PartitionedOptions options = on(network, options_of(Connectivity::stored), machine_of(300));
    add(options.machine);
    return outcome_in_parts(network, options, 30.0).digest;
  };
  const std::uint64_t plain = changed([](Population&) {});
  const Distribution tenth = Distribution::constant(0.125);
  // The threshold is 15 mV above the leak: 1.875 mV are an eighth.
  const std::uint64_t threshold = changed([](Population& p) { p.parameters["V_th"] = -50.0 + 1.875; });
  EXPECT_NE(threshold, plain);
  EXPECT_EQ(emulated([&](MachineDescription& m) { m.fixed_pattern.threshold.distribution = tenth; }), threshold);
  EXPECT_EQ(emulated([&](MachineDescription& m) { m.noise.threshold.distribution = tenth; }), threshold);
  EXPECT_EQ(emulated([&](MachineDescription& m) {
    m.fixed_pattern.threshold.distribution = tenth;
    m.fixed_pattern.threshold.on = false;
  }), plain);
  EXPECT_EQ(emulated([&](MachineDescription& m) { m.fixed_pattern.leak.distribution = tenth; }),
            changed([](Population& p) { p.parameters["E_L"] = -65.0 + 1.875; }));
  EXPECT_EQ(emulated([&](MachineDescription& m) { m.fixed_pattern.membrane_time_constant.distribution = tenth; }),
            changed([](Population& p) { p.parameters["tau_m"] = 11.25; }));
  EXPECT_EQ(emulated([&](MachineDescription& m) { m.fixed_pattern.synapse_time_constant.distribution = tenth; }), changed([](Population& p) {
              p.parameters["tau_syn_ex"] = 0.5625;
              p.parameters["tau_syn_in"] = p.parameters.contains("tau_syn_in") ? 1.125 : 0.5625;
            }));
  network.stimuli.back().weight = 60.0;
  for (Projection& p : network.projections) p.weight = p.weight.scaled(1.5);
  const std::uint64_t louder = changed([](Population&) {});
  network.stimuli.back().weight = 40.0;
  for (Projection& p : network.projections) p.weight = p.weight.scaled(1.0 / 1.5);
  EXPECT_EQ(emulated([&](MachineDescription& m) { m.fixed_pattern.weight_gain.distribution = Distribution::constant(0.5); }), louder);
}

// u = alpha (u + theta x) with normal x: the variance of u is (alpha theta sd)^2 / (1 - alpha^2), and neurons and steps are
// independent: after 50 ms, alpha = exp(-0.01), 700 neurons. The mean has a standard error of 1 / sqrt(700) = 0.038 SD, the SD
// of 0.027; five of each are allowed.
TEST(PartitionedEffects, MembraneNoiseHasTheVarianceOfItsEquation) {
  Network network;
  network.name = "noisy";
  network.populations = {neurons_of("cells", 700)};
  network.populations[0].parameters["V_th"] = -45.0;  // theta = 20 mV
  network.recorders = {{"cells", "V_m", 700, 50.0, {}}};
  PartitionedOptions options = on(network, options_of(Connectivity::stored), machine_of(300));
  options.machine.noise.membrane.distribution = Distribution::normal(0.0, 0.01);
  const PartsOutcome outcome = outcome_in_parts(network, options, 50.0);
  ASSERT_EQ(outcome.samples.size(), 1u);
  double mean = 0.0, square = 0.0;
  for (const double v : outcome.samples[0].values) {
    mean += (v + 65.0) / 700.0;
    square += (v + 65.0) * (v + 65.0) / 700.0;
  }
  const double alpha = std::exp(-0.01), sd = alpha * 20.0 * 0.01 / std::sqrt(1.0 - alpha * alpha);
  EXPECT_NEAR(mean, 0.0, 5.0 * 0.038 * sd);
  EXPECT_NEAR(std::sqrt(square), sd, 5.0 * 0.027 * sd);
}

// Spikes of neurons slip by 0.25 ms, which is 2.5 steps, rounded up; those of the host do not; none comes early.
TEST(PartitionedEffects, SpikesSlipOnTheirWayButNeverBack) {
  Network network = one_to_one(4, {{2.0, 0}, {3.0, 1}});
  network.populations.insert(network.populations.begin() + 1, neurons_of("next", 4, "iaf_psc_delta"));
  network.projections.push_back(project("cells", "next", Kind::one_to_one, 0, Distribution::constant(100.0), Distribution::constant(1.0)));
  PartitionOptions stated;
  stated.stated = {{"cells", 0, 0, 0, {}}, {"next", 0, 0, 1, {}}};
  PartitionedOptions options{options_of(Connectivity::stored), machine_of(4), partition(network, NeuronCatalogue::builtin(), machine_of(4), stated), 1};
  options.machine.noise.spike_time_us.distribution = Distribution::constant(250.0);
  const std::vector<Spike> late = {{30, 0}, {40, 1}, {43, 4}, {53, 5}};
  EXPECT_TRUE(of_cells(outcome_in_parts(network, options, 10.0).list, 8) == late);
  options.machine.noise.spike_time_us.distribution = Distribution::constant(-250.0);
  const std::vector<Spike> in_time = {{30, 0}, {40, 1}, {40, 4}, {50, 5}};
  EXPECT_TRUE(of_cells(outcome_in_parts(network, options, 10.0).list, 8) == in_time);
}

TEST(PartitionedEffects, WhatAModelCannotHaveIsSaid) {
  Network network = one_to_one(4, {});
  network.populations.push_back(neurons_of("izhikevich", 4, "izhikevich"));
  network.recorders = {{"cells", "V_m", 1, 1.0, {}}};
  PartitionedOptions options = on(network, options_of(Connectivity::stored), machine_of(20));
  options.machine.fixed_pattern.threshold.distribution = Distribution::normal(0.0, 0.1);
  options.machine.events.clock_ns = 1.5 * kStep_ns;
  options.machine.readout = {10, 8, 0.0, -1.0, 1.0};
  std::string all;
  for (const Problem& problem : validate(network, NeuronCatalogue::builtin(), options)) all += problem.message + "\n";
  EXPECT_NE(all.find("'izhikevich' has the model izhikevich, whose threshold and leak"), std::string::npos) << all;
  EXPECT_NE(all.find("is not a whole number of them"), std::string::npos) << all;
  EXPECT_NE(all.find("record no states"), std::string::npos) << all;
}

}  // namespace
}  // namespace tessera::test
