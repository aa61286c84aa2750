// Which rank owns which chunk. A pure function of the network and the number of ranks, so that every rank
// knows it of all others without asking.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "connectivity/chunks.hpp"
#include "tessera/simulation.hpp"

namespace tessera {

/// The rank of every chunk; `loads` has one entry per chunk.
///
/// spread: the heaviest chunk first, each to the rank with the least load, so that a population's chunks go
/// round all ranks. pack: populations are joined to groups, those with the shortest delay between them first,
/// of these the ones with the shortest mean delay, and of these the ones with the most synapses, while a group stays
/// within 1.3 times the mean load of a rank and there are more groups than ranks; a population above that is cut into
/// runs of chunks. Then the heaviest group first, each to the rank with the least load.
[[nodiscard]] std::vector<std::uint32_t> ranks_of_chunks(const Network& network, const std::vector<Chunk>& chunks,
                                                         const std::vector<double>& loads, RankPlacement placement,
                                                         int ranks);

/// The shortest delay of a projection in steps of dt.
[[nodiscard]] std::uint32_t shortest_delay_steps(const Network& network, const Projection& projection);

}  // namespace tessera
