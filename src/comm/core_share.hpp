// How many cores a rank should use where several share a machine.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace tessera {

/// Cores that a process may run on, a bit each.
using CoreMask = std::array<std::uint64_t, 16>;

/// Of the calling process; empty where the system does not say (or has more than 1,024 cores).
[[nodiscard]] CoreMask own_core_mask();

/// What rank `own` gets of the cores of its machine when every core is divided evenly by the ranks that may run on
/// it: ranks that are pinned to cores of their own keep them, ranks that are not pinned share all. 0: unknown.
[[nodiscard]] double share_of_cores(std::span<const CoreMask> ranks_here, int own);

}  // namespace tessera
