// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "connectivity/source_tree.hpp"

#include <algorithm>
#include <bit>

#include "connectivity/samplers.hpp"
#include "tessera/errors.hpp"

namespace tessera {

// Nodes are numbered like a heap: the root is 1, the children of i are 2i and 2i + 1.
SourceTree::SourceTree(RandomKey key, std::uint32_t stream, std::uint64_t items,
                       std::uint32_t sources, bool distinct, Pairs pairs, bool cached)
    : key_(key), stream_(stream), sources_(sources),
      top_(std::max(kBlock, std::bit_ceil(std::min(sources, kMostSources)))),
      cached_(cached ? std::min(top_, cached_width(static_cast<double>(items), sources)) : top_), distinct_(distinct), pairs_(std::move(pairs)),
      first_((static_cast<std::size_t>(sources) + cached_ - 1) / cached_ + 1) {
  if (sources > kMostSources) {
    throw InputError("A rule that shares its synapses out among more than 2,147,483,648 sources is not possible, but for "
                     "fixed_indegree with multapses and autapses.");
  }
  fill_blocks(items, 0, 1, 0, top_);
  first_.back() = static_cast<std::uint32_t>(items);
}

std::uint32_t SourceTree::cached_width(double items, std::uint32_t sources) {
  constexpr std::uint32_t kManySources = 1u << 20;
  constexpr double kItems = 32.0;
  std::uint32_t width = kBlock;
  if (sources < kManySources) return width;
  while (width < kManySources && items * width < kItems * sources) width *= 2;
  return width;
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
  if (width == cached_) {
    first_[begin / cached_] = static_cast<std::uint32_t>(first);
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

void SourceTree::mark(std::uint32_t begin, std::uint32_t end, std::vector<bool>::iterator reached) const {
  mark(first_.back(), 1, 0, top_, {begin, end, reached});
}

void SourceTree::mark(std::uint64_t items, std::uint32_t node, std::uint32_t begin, std::uint32_t width,
                      const Range& range) const {
  if (items == 0 || begin >= range.end || begin + width <= range.begin) return;
  if (width == 1) {
    range.reached[begin - range.begin] = true;
    return;
  }
  const std::uint64_t left = left_share(items, node, begin, width);
  mark(left, 2 * node, begin, width / 2, range);
  mark(items - left, 2 * node + 1, begin + width / 2, width / 2, range);
}

SourceTree::Share SourceTree::block_share(std::uint32_t block) const {
  const std::uint32_t at = block * kBlock, cached = at / cached_;
  Share share{first_[cached], first_[cached + 1] - first_[cached]};
  std::uint32_t node = top_ / cached_ + cached, begin = cached * cached_;
  for (std::uint32_t width = cached_; width > kBlock && share.count > 0; width /= 2) {
    const auto left = static_cast<std::uint32_t>(left_share(share.count, node, begin, width));
    const bool is_left = at < begin + width / 2;
    share = is_left ? Share{share.first, left} : Share{share.first + left, share.count - left};
    node = 2 * node + (is_left ? 0 : 1);
    begin += is_left ? 0 : width / 2;
  }
  return share;
}

void SourceTree::block_counts(std::uint32_t block, std::uint32_t* counts) const {
  const std::uint32_t items = block_share(block).count;
  if (items == 0) {
    std::fill_n(counts, std::min(kBlock, sources_ - block * kBlock), 0u);
    return;
  }
  fill_counts(items, block_node(block), block * kBlock, kBlock, block * kBlock, counts);
}

SourceTree::Share SourceTree::share(std::uint32_t source) const {
  const std::uint32_t block = source / kBlock;
  std::uint32_t counts[kBlock] = {};
  block_counts(block, counts);
  Share share{block_first(block), counts[source % kBlock]};
  for (std::uint32_t i = 0; i < source % kBlock; ++i) share.first += counts[i];
  return share;
}

}  // namespace tessera
