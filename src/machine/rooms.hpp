// What a process takes beside tiles and wiring: the description of the network, and what is kept of every neuron.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "machine/placement.hpp"
#include "tessera/simulation.hpp"

namespace tessera {

/// Bytes of the description: the caller's and the simulation's own.
[[nodiscard]] double description_bytes(const Network& network);

/// Bytes of the state of a rank's neurons, an array of whole pages per chunk and variable.
[[nodiscard]] double state_bytes(const Wiring& wiring, const NeuronCatalogue& models, Precision precision, const Placement& placement);

/// Bytes of spike counts and of the lists of spikes, by step, that tiles hand to each other.
[[nodiscard]] double spike_bytes(const Wiring& wiring, const Placement& placement);

/// Bytes of what rates and CVs are made from (ActivityStatistics) of all neurons, in a process that is alone. (Over ranks the
/// first has them; a dry run of it has not.)
[[nodiscard]] double statistics_bytes(const Network& network, const Placement& placement);

}  // namespace tessera
