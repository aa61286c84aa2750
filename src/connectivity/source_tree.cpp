// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "connectivity/source_tree.hpp"

#include <algorithm>
#include <bit>

#include "connectivity/samplers.hpp"

namespace tessera {

// Nodes are numbered like a heap: the root is 1, the children of i are 2i and 2i + 1.
SourceTree::SourceTree(RandomKey key, std::uint32_t stream, std::uint64_t items,
                       std::uint32_t sources, bool distinct, Pairs pairs)
    : key_(key), stream_(stream), sources_(sources),
      top_(std::max(kBlock, std::bit_ceil(sources))), distinct_(distinct), pairs_(std::move(pairs)),
      first_((sources + kBlock - 1) / kBlock + 1) {
  fill_blocks(items, 0, 1, 0, top_);
  first_.back() = static_cast<std::uint32_t>(items);
}

std::uint64_t SourceTree::left_share(std::uint64_t items, std::uint32_t node, std::uint32_t begin,
                                     std::uint32_t width) const {
  const std::uint32_t middle = begin + width / 2;
  if (middle >= sources_ || items == 0) return items;
  const std::uint64_t left = pairs_(begin, middle);
  const std::uint64_t right = pairs_(middle, std::min(begin + width, sources_));
  RandomStream stream(key_, Purpose::source_tree, node, stream_);
  if (distinct_) return draw_hypergeometric(items, left, right, stream);
  return draw_binomial(items, static_cast<double>(left), static_cast<double>(left + right), stream);
}

void SourceTree::fill_blocks(std::uint64_t items, std::uint64_t first, std::uint32_t node,
                             std::uint32_t begin, std::uint32_t width) {
  if (begin >= sources_) return;
  if (width == kBlock) {
    first_[begin / kBlock] = static_cast<std::uint32_t>(first);
    return;
  }
  const std::uint64_t left = left_share(items, node, begin, width);
  fill_blocks(left, first, 2 * node, begin, width / 2);
  fill_blocks(items - left, first + left, 2 * node + 1, begin + width / 2, width / 2);
}

void SourceTree::fill_counts(std::uint64_t items, std::uint32_t node, std::uint32_t begin,
                             std::uint32_t width, std::uint32_t block_begin,
                             std::uint32_t* counts) const {
  if (begin >= sources_) return;
  if (width == 1) {
    counts[begin - block_begin] = static_cast<std::uint32_t>(items);
    return;
  }
  const std::uint64_t left = left_share(items, node, begin, width);
  fill_counts(left, 2 * node, begin, width / 2, block_begin, counts);
  fill_counts(items - left, 2 * node + 1, begin + width / 2, width / 2, block_begin, counts);
}

void SourceTree::block_counts(std::uint32_t block, std::uint32_t* counts) const {
  const std::uint32_t items = first_[block + 1] - first_[block];
  fill_counts(items, block_node(block), block * kBlock, kBlock, block * kBlock, counts);
}

SourceTree::Share SourceTree::share(std::uint32_t source) const {
  const std::uint32_t block = source / kBlock;
  std::uint32_t counts[kBlock] = {};
  block_counts(block, counts);
  Share share{first_[block], counts[source % kBlock]};
  for (std::uint32_t i = 0; i < source % kBlock; ++i) share.first += counts[i];
  return share;
}

}  // namespace tessera
