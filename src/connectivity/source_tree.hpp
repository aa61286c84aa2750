// How many of N items each source of a population gets, for any source without visiting the others.
//
// A fixed binary tree over the sources: a node passes its items to its two halves by a conditional
// binomial (items fall independently) or hypergeometric (items are distinct pairs) draw keyed by the
// node. Halves are powers of two, so nearly all binomials are fair coins.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/prefetch.hpp"
#include "base/random.hpp"

namespace tessera {

class SourceTree {
 public:
  /// Counts are drawn for this many neighbouring sources at once.
  static constexpr std::uint32_t kBlock = 8;
  /// Most sources of a tree.
  static constexpr std::uint32_t kMostSources = 1u << 31;
  struct Share {
    std::uint32_t first = 0;  ///< items of all sources before this one, modulo 2^32
    std::uint32_t count = 0;
  };
  /// Pairs open to the sources [begin, end): the weight of a node.
  using Pairs = std::function<std::uint64_t(std::uint32_t begin, std::uint32_t end)>;

  /// `distinct`: items are distinct pairs (hypergeometric), else independent (binomial).
  /// `cached`: keep counts of nodes; else only the root, and every question is answered from there.
  SourceTree(RandomKey key, std::uint32_t stream, std::uint64_t items, std::uint32_t sources,
             bool distinct, Pairs pairs, bool cached = true);

  /// Sets reached[s - begin] of the sources in [begin, end) that have an item.
  void mark(std::uint32_t begin, std::uint32_t end, std::vector<bool>::iterator reached) const;

  [[nodiscard]] Share share(std::uint32_t source) const;
  /// Counts of a block of kBlock sources (fewer at the end) starting at block * kBlock.
  void block_counts(std::uint32_t block, std::uint32_t* counts) const;
  /// The same of `blocks` blocks from `first` on, one after the other: kBlock entries for each of them, the last one's, too.
  void counts_of(std::uint32_t first, std::uint32_t blocks, std::uint32_t* counts) const;
  /// Items of all sources before a block, modulo 2^32.
  [[nodiscard]] std::uint32_t block_first(std::uint32_t block) const { return block_share(block).first; }
  void prefetch(std::uint32_t source) const { tessera::prefetch(first_.data() + source / cached_); }
  [[nodiscard]] std::uint32_t blocks() const { return (sources_ - 1) / kBlock + 1; }
  /// Sources below a cached node: a block or, of a million sources and more, as many as have 32 items.
  [[nodiscard]] static std::uint32_t cached_width(double items, std::uint32_t sources);
  [[nodiscard]] static double bytes_for(double items, std::uint32_t sources) {
    return sources / static_cast<double>(cached_width(items, sources)) * sizeof(std::uint32_t);
  }
  [[nodiscard]] std::size_t bytes() const { return first_.size() * sizeof(std::uint32_t); }

 private:
  [[nodiscard]] std::uint64_t left_share(std::uint64_t items, std::uint32_t node, std::uint32_t begin,
                                         std::uint32_t width) const;
  void fill_cached(std::uint64_t items);
  void split_level(const std::uint64_t* counts, std::uint32_t first, std::uint32_t n, std::uint32_t width,
                   std::uint64_t* children) const;
  void fill_counts(std::uint64_t items, std::uint32_t node, std::uint32_t begin, std::uint32_t width,
                   std::uint32_t block_begin, std::uint32_t* counts) const;
  struct Range {
    std::uint32_t begin, end;
    std::vector<bool>::iterator reached;
  };
  void mark(std::uint64_t items, std::uint32_t node, std::uint32_t begin, std::uint32_t width, const Range& range) const;
  [[nodiscard]] std::uint32_t block_node(std::uint32_t block) const { return top_ / kBlock + block; }
  [[nodiscard]] Share block_share(std::uint32_t block) const;

  RandomKey key_;
  std::uint32_t stream_;
  std::uint32_t sources_;
  std::uint32_t top_;  ///< width of the root: sources rounded up to a power of two
  std::uint32_t cached_;
  bool distinct_;
  bool even_ = false;  ///< all sources have as many open pairs, and items fall independently: equal halves are fair coins
  Pairs pairs_;
  std::vector<std::uint32_t> first_;  ///< per cached node and after the last: items before it, modulo 2^32
};

}  // namespace tessera
