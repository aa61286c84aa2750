// Networks that run in parts on ideal machines: the spikes are those of the whole, whatever the parts are.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>

#include "engine/drawn_network.hpp"
#include "engine/over_ranks.hpp"
#include "tessera/partitioned_simulation.hpp"

namespace tessera::test {
namespace {

/// A machine with so many circuits; each takes as many inputs as it likes.
MachineDescription machine_of(std::uint32_t circuits, std::uint32_t chips = 1) {
  MachineDescription machine;
  machine.name = "ideal";
  machine.chips = chips;
  machine.circuits.per_tile = circuits;
  machine.circuits.fan_in = 1'000'000;
  return machine;
}

PartitionedOptions on(const Network& network, const SimulationOptions& simulation, const MachineDescription& machine,
                      PartitionOptions wanted = {}) {
  return {simulation, machine, partition(network, NeuronCatalogue::builtin(), machine, wanted), 1};
}

struct PartsOutcome : Outcome {
  std::vector<Keeper::Sample> samples;
  TurnsReport turns;
};

PartsOutcome outcome_in_parts(const Network& network, const PartitionedOptions& options, double time_ms) {
  PartitionedSimulation simulation(network, NeuronCatalogue::builtin(), options);
  Keeper keeper;
  simulation.run(time_ms, keeper);
  const SimulationReport report = simulation.report();
  PartsOutcome outcome;
  outcome.digest = report.digest;
  outcome.spikes = report.counts.spikes;
  outcome.synapses = report.counts.synapses;
  outcome.events = report.counts.synaptic_events;
  outcome.list = std::move(keeper.spikes);
  outcome.samples = std::move(keeper.samples);
  outcome.turns = simulation.turns();
  return outcome;
}

TEST(PartitionedSimulation, RandomNetworksGiveTheSameSpikesInParts) {
  int active = 0, in_lock_step = 0, one_way = 0;
  for (std::uint32_t seed = 300; seed < 330; ++seed) {
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
  EXPECT_GT(active, 10) << "too few networks do anything";
  EXPECT_GT(in_lock_step, 5);
  EXPECT_GT(one_way, 5);
}

}  // namespace
}  // namespace tessera::test
