// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "connectivity/tile_layout.hpp"

namespace tessera {
namespace {

std::uint32_t padded(std::uint32_t size) {
  const auto padding = static_cast<std::uint32_t>(kNeuronPadding);
  return (size + padding - 1) / padding * padding;
}

}  // namespace

TileLayout lay_out_tile(const std::vector<Chunk>& chunks,
                        const std::vector<std::uint32_t>& chunks_of_tile,
                        const std::vector<int>& ports) {
  TileLayout layout;
  for (const std::uint32_t c : chunks_of_tile) {
    const int n = ports[chunks[c].population];
    const std::uint32_t size = padded(chunks[c].size);
    layout.blocks.push_back({c, layout.slots, layout.slots + (n == 2 ? size : 0)});
    layout.slots += size * static_cast<std::uint32_t>(n);
  }
  return layout;
}

}  // namespace tessera
