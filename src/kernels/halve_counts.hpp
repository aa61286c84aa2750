// Passing items down a binary tree by fair coins, many nodes at once: what SourceTree does where its halves are equal.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/random.hpp"

namespace tessera {

/// Entries that the kernel reads behind the last count, and twice as many that it writes behind the last child.
inline constexpr std::size_t kHalvesSlack = 64;

/// Of counts[i] coins of node first_node + i, children[2 i] get the heads and children[2 i + 1] the others. Coins are the bits
/// of the words keyed by (node, stream), 32 of a word, of the last word the upper ones.
void halve_counts(RandomKey key, std::uint32_t stream, std::uint32_t first_node, const std::uint32_t* counts, std::size_t n,
                  std::uint32_t* children);

}  // namespace tessera
