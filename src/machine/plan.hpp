// The plan of a wired and placed network; tessera::plan() makes one from a description.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "connectivity/weight_units.hpp"
#include "machine/exchange_plan.hpp"
#include "machine/placement.hpp"
#include "tessera/simulation.hpp"

namespace tessera {

/// What a simulation may take, and what says so.
struct MemoryLimit {
  std::uint64_t bytes = 0;  ///< 0: unknown, nothing is refused
  std::string source;       ///< " (memory.max ...)", " (ulimit -v)"; empty: the options or the machine
};
[[nodiscard]] MemoryLimit memory_limit(const SimulationOptions& options);
/// Writes the numbers of neurons and synapses into a plan.
void count(const Network& network, Plan& plan);
/// Bytes of the state of a share (one per population) of the neurons.
[[nodiscard]] double state_bytes(const Network& network, const NeuronCatalogue& models, Precision precision,
                                 const std::vector<double>& shares);
/// Whether a network that takes so much with stored connectivity leaves enough to everything else, so
/// that `automatic` stores. `available` of 0: unknown, it does.
[[nodiscard]] bool leaves_room(double bytes, std::uint64_t available);
/// Throws InputError when the options contradict each other or the network.
void require_possible(const Network& network, const SimulationOptions& options);
/// The options are possible. `stored` gets what a procedural network stores all the same, per projection; nothing: it is left
/// empty.
[[nodiscard]] Plan make_plan(const Wiring& wiring, const WeightUnits& units, const NeuronCatalogue& models,
                             const SimulationOptions& options, const Placement& placement,
                             const ExchangePlan& exchange, std::vector<bool>* stored = nullptr);

}  // namespace tessera
