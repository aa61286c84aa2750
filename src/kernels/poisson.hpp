// Poisson counts by comparing a 32-bit draw with a table of cumulative probabilities.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/random.hpp"

namespace tessera {

/// count(draw) = number of thresholds at or below the draw; exact to 2^-32 per value.
struct PoissonTable {
  PoissonTable() = default;
  explicit PoissonTable(double mean);
  /// Means above this are drawn as a sum of equal parts.
  static constexpr double kLargestMean = 16.0;
  std::uint32_t parts = 1;
  std::vector<std::uint32_t> thresholds;
};

/// Who draws: a neuron's number depends on its place in its chunk, never on where it is simulated.
struct PoissonStream {
  RandomKey key;
  std::uint32_t purpose = 0;
  std::uint32_t stream = 0;  ///< stimulus and chunk
  std::uint32_t step = 0;
};

/// The counts of neurons 0 .. count-1 of a chunk; the array is padded to a multiple of 64.
void draw_poisson(const PoissonTable& table, const PoissonStream& stream, std::size_t count,
                  std::int32_t* counts);

/// input[i] += count of neuron i times weight; the same draws. Padding entries are written too.
void add_poisson(const PoissonTable& table, const PoissonStream& stream, std::size_t count,
                 std::int32_t weight, std::int32_t* input);

}  // namespace tessera
