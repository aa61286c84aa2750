// Where the neurons of a tile keep their input, and in which units weights are added there.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "connectivity/wiring.hpp"

namespace tessera {

/// A chunk on a tile. Its first input slot per sign of weight; equal when the model has one port.
struct BlockLayout {
  std::uint32_t chunk = 0;
  std::uint32_t positive_slot = 0;
  std::uint32_t negative_slot = 0;
};

struct TileLayout {
  std::vector<BlockLayout> blocks;
  std::uint32_t slots = 0;  ///< input slots in use
};
[[nodiscard]] TileLayout lay_out_tile(const std::vector<Chunk>& chunks,
                                      const std::vector<std::uint32_t>& chunks_of_tile,
                                      const std::vector<int>& ports);

/// Weights as whole multiples of a unit per target population, so that sums do not depend on order.
struct WeightUnits {
  std::vector<double> unit;                ///< per population, in the weight unit of its model
  /// Distinct weight tables that a packed word can name; projections beyond are listed.
  static constexpr std::uint32_t kMostTables = 16;
  std::vector<std::uint32_t> table_of;  ///< per projection: its table, kMostTables when it has none
  std::vector<std::int32_t> tables;     ///< in units, WeightTable::kSize entries each
  double largest_relative_quantum = 0.0;   ///< unit over mean |weight|, worst projection
  [[nodiscard]] std::int32_t units_of(double weight, std::uint32_t population) const;
};
[[nodiscard]] WeightUnits choose_weight_units(const Wiring& wiring);

}  // namespace tessera
