// Splitting the synapses of a row over delay groups: the vector form of Wiring::split_delays.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/random.hpp"

namespace tessera {

/// counts[g] of `groups` groups: how many of `n` 16-bit draws keyed by (source, stream) fall between
/// thresholds g-1 and g. `thresholds` has groups - 1 ascending entries.
void split_delays(RandomKey key, std::uint32_t source, std::uint32_t stream, std::uint32_t n,
                  const std::uint16_t* thresholds, std::size_t groups, std::uint32_t* counts);

}  // namespace tessera
