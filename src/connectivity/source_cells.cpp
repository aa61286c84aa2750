// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "connectivity/source_cells.hpp"

#include <algorithm>

#include "connectivity/samplers.hpp"
#include "kernels/row_targets.hpp"

namespace tessera {

std::uint32_t SourceCells::width_for(double items_per_source) {
  std::uint32_t width = 1;
  while (width < 65536 && width * items_per_source < 64.0) width *= 2;
  return width;
}

SourceCells::SourceCells(RandomKey key, std::uint32_t stream, std::uint64_t items, std::uint32_t sources,
                         std::uint32_t width)
    : key_(key), stream_(stream), sources_(sources), shift_(static_cast<std::uint32_t>(std::countr_zero(width))) {
  split(items);
}

// Level by level, from the last node to the first, so that a node's children can take its place. Nodes are
// numbered like a heap: the root is 1, the children of i are 2i and 2i + 1. Afterwards counts become sums.
void SourceCells::split(std::uint64_t items) {
  const std::uint32_t cells = (sources_ - 1) / width() + 1;
  const std::uint32_t levels = static_cast<std::uint32_t>(std::bit_width(cells - 1));
  first_.assign(static_cast<std::size_t>(cells) + 1, 0);
  first_[0] = static_cast<std::uint32_t>(items);
  for (std::uint32_t level = 0; level < levels; ++level) {
    const std::uint64_t half = std::uint64_t{width()} << (levels - level - 1);  // sources of a child
    const auto nodes = static_cast<std::uint32_t>((sources_ - 1) / (2 * half) + 1);
    for (std::uint32_t i = nodes; i-- > 0;) {
      const std::uint32_t count = first_[i];
      const std::uint64_t middle = (2 * std::uint64_t{i} + 1) * half;
      if (middle >= sources_) {
        first_[2 * i] = count;
        continue;
      }
      const std::uint64_t right = std::min<std::uint64_t>(half, sources_ - middle);
      RandomStream stream(key_, Purpose::source_tree, 1u << level | i, stream_);
      const std::uint64_t left = right == half ? draw_half(count, stream)
                                               : draw_binomial(count, static_cast<double>(half),
                                                               static_cast<double>(half + right), stream);
      first_[2 * i + 1] = count - static_cast<std::uint32_t>(left);
      first_[2 * i] = static_cast<std::uint32_t>(left);
    }
  }
  std::uint32_t before = 0;
  for (std::uint32_t& entry : first_) {
    const std::uint32_t count = entry;
    entry = before;
    before += count;
  }
}

std::size_t SourceCells::room(std::uint32_t cell) const {
  return (count(cell) + kRowBlock - 1) / kRowBlock * kRowBlock + kRowPadding;
}

void SourceCells::places(std::uint32_t cell, std::uint32_t* places) const {
  const std::uint32_t sources = std::min(width(), sources_ - begin(cell));
  draw_places({key_, cell, stream_}, 0, (count(cell) + kRowBlock - 1) / kRowBlock, sources, sources, places);
}

}  // namespace tessera
