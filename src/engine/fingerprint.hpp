// One number for all that decides what a simulation does.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "comm/agreement.hpp"
#include "tessera/simulation.hpp"

namespace tessera {

/// FNV-1a; goes on from `hash`.
[[nodiscard]] std::uint64_t fnv1a(std::span<const std::uint8_t> bytes, std::uint64_t hash = 0xcbf29ce484222325ull);

/// Everything that decides what a checkpoint means: sizes, models, parameters, rules, seed, dt.
[[nodiscard]] std::uint64_t fingerprint(const Network& network, std::uint64_t seed);

/// What all ranks must have in common: that, initial values, recorders and limits; the options that are not a
/// rank's own; the build.
[[nodiscard]] Agreement::Identity identity_of(const Network& network, const SimulationOptions& options);

}  // namespace tessera
