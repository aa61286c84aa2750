// Where the neurons of a tile keep their input.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "connectivity/wiring.hpp"

namespace tessera {

/// A chunk on a tile, or some neurons of one. Its first input slot per sign of weight; equal when the model has one port.
struct BlockLayout {
  std::uint32_t chunk = 0;
  std::uint32_t positive_slot = 0;
  std::uint32_t negative_slot = 0;
  /// Neurons of the chunk that live here, ascending; empty: all. All of the chunk has slots: rows are drawn for all of it.
  std::vector<std::uint32_t> places = {};
  [[nodiscard]] std::uint32_t count(const Chunk& of) const {
    return places.empty() ? of.size : static_cast<std::uint32_t>(places.size());
  }
};

struct TileLayout {
  std::vector<BlockLayout> blocks;
  std::uint32_t slots = 0;  ///< input slots in use
  [[nodiscard]] bool has(std::uint32_t chunk) const {
    for (const BlockLayout& block : blocks) {
      if (block.chunk == chunk) return true;
    }
    return false;
  }
};
[[nodiscard]] TileLayout lay_out_tile(const std::vector<Chunk>& chunks,
                                      const std::vector<std::uint32_t>& chunks_of_tile,
                                      const std::vector<int>& ports);
/// Per input slot, whether its neuron lives on the tile; empty where no chunk is divided, so that all do.
[[nodiscard]] std::vector<std::uint8_t> own_slots(const TileLayout& layout);

}  // namespace tessera
