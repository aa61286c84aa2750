// The neurons of a tile through some steps of one sample of training: input from the rows of a
// list, membrane step, who is to be listed.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "kernels/membrane.hpp"

namespace tessera {

struct TileRun {
  const Membrane* membrane = nullptr;
  MembraneState state;
  std::uint32_t neurons = 0;
  std::uint32_t first_id = 0;
  std::uint32_t width = 0;  ///< neurons, padded to a multiple of 16
  std::uint32_t first_step = 0;
  std::uint32_t steps = 0;
  bool gradients = false;
  const float* weights = nullptr;        ///< [source][width]
  const float* bias = nullptr;           ///< [width], or null
  const std::uint32_t* first = nullptr;  ///< the list of step first_step + t is ids[first[t] ..
                                         ///< first[t + 1])
  const std::uint16_t* ids = nullptr;
  float* current = nullptr;  ///< [width], overwritten
};

/// Entries of one step of one tile.
struct StepCounts {
  std::uint16_t spikes = 0;
  std::uint16_t others = 0;

  [[nodiscard]] static StepCounts between(const Candidates& before, const Candidates& after) {
    const std::uint32_t spikes = after.spikes - before.spikes;
    return {static_cast<std::uint16_t>(spikes),
            static_cast<std::uint16_t>(after.count - before.count - spikes)};
  }
};

/// Appends who is to be listed, and writes counts[t] for t in 0 .. steps.
void run_tile(const TileRun& run, Candidates& candidates, StepCounts* counts);

}  // namespace tessera
