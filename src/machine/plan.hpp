// The plan of a wired and placed network; tessera::plan() makes one from a description.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "connectivity/weight_units.hpp"
#include "machine/placement.hpp"
#include "tessera/simulation.hpp"

namespace tessera {

/// What a simulation may take, and what says so.
struct MemoryLimit {
  std::uint64_t bytes = 0;  ///< 0: unknown, nothing is refused
  std::string source;       ///< " (memory.max ...)", " (ulimit -v)"; empty: the options or the machine
};
[[nodiscard]] MemoryLimit memory_limit(const SimulationOptions& options);
/// Bytes of a neuron beside its state: refractoriness, input, ...
inline constexpr double kNeuronBytes = 10.0;
[[nodiscard]] Plan make_plan(const Wiring& wiring, const WeightUnits& units, const NeuronCatalogue& models,
                             const SimulationOptions& options, const Placement& placement);

}  // namespace tessera
