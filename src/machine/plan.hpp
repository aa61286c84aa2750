// The plan of a wired and placed network; tessera::plan() makes one from a description.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "connectivity/wiring.hpp"
#include "machine/placement.hpp"
#include "tessera/simulation.hpp"

namespace tessera {

[[nodiscard]] std::uint64_t machine_memory_bytes();
/// Throws InputError when neurons and wiring alone exceed the limit: call before the wiring is made.
void require_wiring_fits(const Network& network, const SimulationOptions& options);
[[nodiscard]] Plan make_plan(const Wiring& wiring, const NeuronCatalogue& models,
                             const SimulationOptions& options, const Placement& placement);

}  // namespace tessera
