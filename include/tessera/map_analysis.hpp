// Figures of a topographic map: a projection between two grids whose synapses come and go, over time.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "tessera/result.hpp"
#include "tessera/weight_recording.hpp"

namespace tessera {

/// Lengths are in mm, or in grid units for grids without an extent. A displacement goes from a target's place to a source,
/// the shorter way round on periodic grids; the grids have the same centre.
struct MapStatistics {
  struct State {
    double time_ms = 0.0;
    /// [distance] synapses over pairs, and the mean |weight| of synapses (NaN where there is none).
    std::vector<double> probability, weight;
    std::vector<std::uint64_t> indegrees, outdegrees;  ///< [degree] neurons that have it
    /// [target] its place plus the mean displacement of its sources, by |weight|: coordinates on the sources' grid from
    /// -length / 2 to length / 2. NaN for targets without synapses (or with weights of 0 only).
    std::vector<double> preferred_x, preferred_y;
    /// Of displacements along an axis, about the target's own place: sqrt(sum d^2 / (2 n)), and the same by |weight|.
    double spread = 0.0, weighted_spread = 0.0;
  };
  std::vector<double> distances;  ///< edges of bins, one grid spacing of the sources wide
  State before, after;            ///< at the first and the last time of the recording
  /// [recorded time, but for the first] per second since the time before, of the whole projection.
  std::vector<double> times_ms, formed_per_s, eliminated_per_s;
  /// [distance] recorded pairs that had no synapse at one recorded time and had one at the next, and the reverse.
  std::vector<std::uint64_t> appeared, disappeared;
  PopulationGrid source_grid, target_grid;
  std::uint32_t sources = 0, targets = 0;
};

/// Of a recording with weights of all synapses of a rewired projection (`--record weights:PROJECTION:all:INTERVAL`) whose
/// populations lie on grids. Throws InputError, saying what is missing, for others, and for fewer than two times.
[[nodiscard]] MapStatistics map_statistics(const Result& result, const WeightRecord& record);

}  // namespace tessera
