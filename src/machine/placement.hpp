// Which chunks live on which tile, which tiles belong to which worker and delivery group.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "connectivity/chunks.hpp"
#include "connectivity/wiring.hpp"
#include "tessera/simulation.hpp"

namespace tessera {

/// Of populations whose mean rate nobody states.
inline constexpr double kAssumedRate_Hz = 5.0;

struct TilePlacement {
  std::vector<std::uint32_t> chunks;  ///< indices into the chunk table, ascending
  int worker = 0;
  int group = 0;
  double load = 0.0;  ///< synaptic events and updates, relative
};

/// The tiles of one rank, and which rank has which chunk.
struct Placement {
  int workers = 1;
  int groups = 1;
  std::vector<TilePlacement> tiles;  ///< of this rank; none where it has no chunk
  int ranks = 1;
  int rank = 0;
  std::vector<std::uint32_t> rank_of_chunk;
  std::vector<std::uint32_t> own_chunks;  ///< of this rank, ascending
  std::vector<double> rank_loads;
};

/// Input slots of a chunk on a tile: one column per port, each padded.
[[nodiscard]] std::uint32_t slots_of(const Chunk& chunk, int ports);

/// Ports of every population (0 for sources, which receive nothing).
[[nodiscard]] std::vector<int> ports_of(const Network& network, const NeuronCatalogue& models);

/// Threads that are worth it: one for every 6,000 synaptic events between two meetings of the workers
/// (about 10 microseconds), where updating a neuron counts as 0.3 events and one event of exact
/// precision as 4; at most one per core and one per chunk, at least 1. Rates are the populations'
/// mean_rate_hz, 5 Hz where there is none. Fewer would leave cores idle; more would spend their time
/// at the meetings, above all where other programs run on the same cores.
[[nodiscard]] int threads_for(const Wiring& wiring, Precision precision, int cores);

/// Distributes chunks over the ranks of options.communicator (rank_placement.hpp), then those of this rank over
/// its tiles: heaviest first to the lightest tile that has slots left; one tile per worker unless options or the
/// slots of a tile's ring ask for more.
[[nodiscard]] Placement place(const Wiring& wiring, const std::vector<int>& ports,
                              const SimulationOptions& options);

}  // namespace tessera
