// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "connectivity/source_tree.hpp"

#include <algorithm>
#include <bit>

#include "connectivity/samplers.hpp"
#include "kernels/halve_counts.hpp"
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
  even_ = !distinct && sources > 0 && pairs_(0, sources) == sources * pairs_(0, 1);
  fill_cached(items);
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

/// Level by level, because the nodes of a level can be drawn in vectors.
void SourceTree::fill_cached(std::uint64_t items) {
  std::vector<std::uint64_t> level{items}, below;
  for (std::uint32_t width = top_; width > cached_; width /= 2) {
    const auto n = static_cast<std::uint32_t>(level.size());
    below.resize(2 * level.size());
    split_level(level.data(), 0, n, width, below.data());
    below.resize(std::min<std::size_t>(below.size(), (sources_ - 1) / (width / 2) + 1));
    level.swap(below);
  }
  std::uint64_t before = 0;
  for (std::size_t i = 0; i < level.size(); ++i) {
    first_[i] = static_cast<std::uint32_t>(before);
    before += level[i];
  }
}

/// What the children of `n` neighbouring nodes of one level get, the first of them number `first` of its level.
void SourceTree::split_level(const std::uint64_t* counts, std::uint32_t first, std::uint32_t n, std::uint32_t width,
                             std::uint64_t* children) const {
  constexpr std::uint32_t kAtOnce = 256;
  std::uint32_t in[kAtOnce + kHalvesSlack], out[2 * (kAtOnce + kHalvesSlack)];
  const std::uint32_t whole = even_ ? std::min(n, std::max(sources_ / width, first) - first) : 0;
  for (std::uint32_t begin = 0, end = 0; begin < n; begin = end) {
    end = begin < whole ? std::min(begin + kAtOnce, whole) : n;
    const bool coins = begin < whole && *std::max_element(counts + begin, counts + end) <= kMostCoins;
    if (coins) {
      std::copy(counts + begin, counts + end, in);
      std::fill_n(in + (end - begin), kHalvesSlack, 0u);
      halve_counts(key_, stream_, top_ / width + first + begin, in, end - begin, out);
      std::copy(out, out + 2 * (end - begin), children + 2 * begin);
      continue;
    }
    for (std::uint32_t i = begin; i < end; ++i) {
      const std::uint64_t left = left_share(counts[i], top_ / width + first + i, (first + i) * width, width);
      children[2 * i] = left;
      children[2 * i + 1] = counts[i] - left;
    }
  }
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

void SourceTree::counts_of(std::uint32_t first, std::uint32_t blocks, std::uint32_t* counts) const {
  constexpr std::uint32_t kAtOnce = 32;
  std::uint64_t level[kAtOnce * kBlock], below[kAtOnce * kBlock];
  for (std::uint32_t done = 0; done < blocks; done += kAtOnce) {
    const std::uint32_t begin = first + done, n = std::min(kAtOnce, blocks - done);
    if (cached_ != kBlock) {
      for (std::uint32_t b = 0; b < n; ++b) block_counts(begin + b, counts + (done + b) * kBlock);
      continue;
    }
    for (std::uint32_t b = 0; b < n; ++b) level[b] = first_[begin + b + 1] - first_[begin + b];
    for (std::uint32_t width = kBlock; width > 1; width /= 2) {
      const std::uint32_t in_block = kBlock / width;
      split_level(level, begin * in_block, n * in_block, width, below);
      std::copy_n(below, 2 * n * in_block, level);
    }
    std::copy_n(level, n * kBlock, counts + done * kBlock);
  }
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
