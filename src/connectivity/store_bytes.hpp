// What procedural stores take however few synapses they have, for the plan.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "kernels/ring_shape.hpp"

namespace tessera {

/// Of spikes that are kept for `groups` delay groups: lists per step, and the queue of draws.
[[nodiscard]] double procedural_store_bytes(RingShape shape, std::uint32_t groups, std::uint32_t exchange_steps);
/// Of thin rows: lists per step with blocks that are half full, columns of bundles, buffers.
[[nodiscard]] double thin_store_bytes(RingShape shape, std::uint32_t groups, std::uint32_t exchange_steps, std::uint32_t bundles);

}  // namespace tessera
