// The neurons of a tile through some steps of one sample of training: input from the rows of a
// list, membrane step, list of the step. Copyright 2026 The Tessera authors.
// SPDX-License-Identifier: Apache-2.0
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
  Candidates candidates;     ///< overwritten
};

/// Where the entries of a run go: all steps one behind the other, with their step. Room for steps *
/// width entries and 16 more.
struct RunEnd {
  ListEnd list;
  std::uint16_t* step = nullptr;
};

/// Entries of one step of one tile.
struct StepCounts {
  std::uint16_t spikes = 0;
  std::uint16_t others = 0;
};

/// counts[t] for t in 0 .. steps; `others` is not used without gradients.
void run_tile(const TileRun& run, const RunEnd& spikes, const RunEnd& others, StepCounts* counts);

}  // namespace tessera
