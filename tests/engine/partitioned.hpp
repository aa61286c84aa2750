// Runs a network in parts, on machines that are made up.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

#include "engine/networks.hpp"
#include "tessera/partitioned_simulation.hpp"

namespace tessera::test {

/// A machine with so many circuits; each takes as many inputs as it likes.
inline MachineDescription machine_of(std::uint32_t circuits, std::uint32_t chips = 1) {
  MachineDescription machine;
  machine.name = "ideal";
  machine.chips = chips;
  machine.circuits.per_tile = circuits;
  machine.circuits.fan_in = 1'000'000;
  return machine;
}

inline PartitionedOptions on(const Network& network, const SimulationOptions& simulation, const MachineDescription& machine) {
  return {simulation, machine, partition(network, NeuronCatalogue::builtin(), machine), 1};
}

struct PartsOutcome : Outcome {
  std::vector<Keeper::Sample> samples;
  TurnsReport turns;
};

inline PartsOutcome outcome_in_parts(const Network& network, const PartitionedOptions& options, double time_ms) {
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

}  // namespace tessera::test
