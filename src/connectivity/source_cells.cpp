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

SourceCells::SourceCells(RandomKey key, std::uint32_t stream, std::uint32_t sources, std::uint32_t width)
    : key_(key), stream_(stream), sources_(sources), shift_(static_cast<std::uint32_t>(std::countr_zero(width))) {}

SourceCells::SourceCells(RandomKey key, std::uint32_t stream, std::uint64_t items, std::uint32_t sources,
                         std::uint32_t width)
    : SourceCells(key, stream, sources, width) {
  split(items);
}

std::uint32_t SourceCells::levels() const {
  return static_cast<std::uint32_t>(std::bit_width((sources_ - 1) >> shift_));
}

// Nodes of a level are numbered through; in the whole tree like a heap: the root is 1, the children of i are 2i and
// 2i + 1. Halves are powers of two, so that nearly every share is that of a fair coin.
std::uint32_t SourceCells::left_share(std::uint32_t count, Node node) const {
  const std::uint64_t half = std::uint64_t{width()} << (levels() - node.level - 1);  // sources of a child
  const std::uint64_t middle = (2 * std::uint64_t{node.index} + 1) * half;
  if (middle >= sources_ || count == 0) return count;
  const std::uint64_t right = std::min<std::uint64_t>(half, sources_ - middle);
  RandomStream stream(key_, Purpose::source_tree, 1u << node.level | node.index, stream_);
  return static_cast<std::uint32_t>(right == half ? draw_half(count, stream)
                                                  : draw_binomial(count, static_cast<double>(half),
                                                                  static_cast<double>(half + right), stream));
}

// Level by level, from the last node to the first, so that a node's children can take its place. Afterwards counts
// become sums.
void SourceCells::split(std::uint64_t items) {
  first_.assign(static_cast<std::size_t>((sources_ - 1) >> shift_) + 2, 0);
  first_[0] = static_cast<std::uint32_t>(items);
  for (std::uint32_t level = 0; level < levels(); ++level) {
    const std::uint64_t node_sources = std::uint64_t{width()} << (levels() - level);
    const auto nodes = static_cast<std::uint32_t>((sources_ - 1) / node_sources + 1);
    for (std::uint32_t i = nodes; i-- > 0;) {
      const std::uint32_t count = first_[i], left = left_share(count, {level, i});
      if ((2 * std::uint64_t{i} + 1) * node_sources / 2 < sources_) first_[2 * i + 1] = count - left;
      first_[2 * i] = left;
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

void SourceCells::places(std::uint32_t cell, std::uint32_t* places) const { draw(cell, count(cell), places); }

void SourceCells::draw(std::uint32_t cell, std::uint32_t count, std::uint32_t* places) const {
  const std::uint32_t sources = std::min(width(), sources_ - begin(cell));
  draw_places({key_, cell, stream_}, 0, (count + kRowBlock - 1) / kRowBlock, sources, sources, places);
}

void SourceCells::mark(RandomKey key, std::uint32_t stream, std::uint64_t items, std::uint32_t sources, std::uint32_t width,
                       std::uint32_t begin, std::uint32_t end, std::vector<bool>::iterator reached) {
  Range range{begin, end, reached, {}};
  SourceCells(key, stream, sources, width).mark(static_cast<std::uint32_t>(items), {0, 0}, range);
}

void SourceCells::mark(std::uint32_t count, Node node, Range& range) const {
  const std::uint64_t node_sources = std::uint64_t{width()} << (levels() - node.level), first = node.index * node_sources;
  if (count == 0 || first >= range.end || first + node_sources <= range.begin) return;
  if (node.level < levels()) {
    const std::uint32_t left = left_share(count, node);
    mark(left, {node.level + 1, 2 * node.index}, range);
    return mark(count - left, {node.level + 1, 2 * node.index + 1}, range);
  }
  range.places.resize(std::max<std::size_t>(range.places.size(), count + 2 * kRowBlock));
  draw(node.index, count, range.places.data());
  for (std::uint32_t k = 0; k < count; ++k) {
    const std::uint32_t source = begin(node.index) + range.places[k];
    if (source >= range.begin && source < range.end) range.reached[source - range.begin] = true;
  }
}

}  // namespace tessera
