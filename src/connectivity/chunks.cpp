// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "connectivity/chunks.hpp"

#include <algorithm>

namespace tessera {

std::vector<Chunk> cut_into_chunks(const Network& network) {
  std::uint64_t neurons = 0;
  for (const Population& population : network.populations) neurons += population.size;
  const std::uint64_t largest =
      std::clamp<std::uint64_t>(neurons / 7, kSmallestChunk, kLargestChunk);
  std::vector<Chunk> chunks;
  for (std::uint32_t p = 0; p < network.populations.size(); ++p) {
    const std::uint64_t size = network.populations[p].size;
    const std::uint64_t pieces = size <= kSmallestChunk ? 1 : 2 * ((size + 2 * largest - 1) / (2 * largest));
    for (std::uint64_t i = 0; i < pieces; ++i) {
      const auto begin = static_cast<std::uint32_t>(size * i / pieces);
      const auto end = static_cast<std::uint32_t>(size * (i + 1) / pieces);
      chunks.push_back({p, begin, end - begin});
    }
  }
  return chunks;
}

}  // namespace tessera
