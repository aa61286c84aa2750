// Chunks: fixed blocks of target neurons, the unit in which connectivity is drawn. They depend on the
// network alone, so the synapses do not depend on tiles, threads or ranks.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "tessera/network.hpp"

namespace tessera {

struct Chunk {
  std::uint32_t population = 0;
  std::uint32_t begin = 0;  ///< first neuron, index inside the population
  std::uint32_t size = 0;
};

/// All chunks, population after population. Long rows are cheap to visit and draw, short ones balance
/// better: a population is cut into an even number of pieces of at most a seventh of the network.
[[nodiscard]] std::vector<Chunk> cut_into_chunks(const Network& network);

inline constexpr std::uint32_t kLargestChunk = 16384;
inline constexpr std::uint32_t kSmallestChunk = 512;

}  // namespace tessera
