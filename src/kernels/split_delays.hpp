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

/// Blocks of eight such draws each, of any mixture of sources and streams.
struct DelayBlocks {
  static constexpr std::size_t kSlack = 64;  ///< entries that kernels read behind the last one, and write blocks of
  const std::uint32_t* index;                ///< of the block in its row
  const std::uint32_t* source;
  const std::uint32_t* stream;
};
/// Four words per block: draw i of a block is half i % 2 of its word i / 2.
void delay_draws(RandomKey key, const DelayBlocks& blocks, std::size_t n, std::uint32_t* words);

}  // namespace tessera
