// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "connectivity/tile_layout.hpp"

#include <algorithm>

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

std::vector<std::uint8_t> own_slots(const TileLayout& layout) {
  if (std::all_of(layout.blocks.begin(), layout.blocks.end(), [](const BlockLayout& b) { return b.places.empty(); })) return {};
  std::vector<std::uint8_t> own(layout.slots, 1);
  for (std::size_t b = 0; b < layout.blocks.size(); ++b) {
    const BlockLayout& block = layout.blocks[b];
    if (block.places.empty()) continue;
    const std::uint32_t end = b + 1 < layout.blocks.size() ? layout.blocks[b + 1].positive_slot : layout.slots;
    std::fill(own.begin() + block.positive_slot, own.begin() + end, std::uint8_t{0});
    for (const std::uint32_t place : block.places) {
      for (const std::uint32_t slot : {block.positive_slot, block.negative_slot}) own[slot + place] = 1;
    }
  }
  return own;
}

}  // namespace tessera
