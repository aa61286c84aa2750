// Which source each item of a chunk falls on, where sources have few items each and items are independent.
//
// Consecutive sources form cells with about a hundred items each. How many a cell has is drawn down a
// binary tree over the cells; where in its cell an item falls is one even draw. So the table is as long
// as there are items, not sources, and any source is found by looking through one cell. Together that is
// the same law as a tree down to the sources: every item falls on every source with the same chance.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstdint>
#include <vector>

#include "base/prefetch.hpp"
#include "base/random.hpp"

namespace tessera {

class SourceCells {
 public:
  /// Items per source from which on a tree down to the sources is used instead.
  static constexpr double kMostItems = 8.0;
  /// Sources per cell, a power of two: 64 to 128 items per cell, at most 65,536 sources.
  [[nodiscard]] static std::uint32_t width_for(double items_per_source);

  /// `items` (fewer than 2^32) fall on `sources` sources; `stream` keys the draws.
  SourceCells(RandomKey key, std::uint32_t stream, std::uint64_t items, std::uint32_t sources, std::uint32_t width);

  [[nodiscard]] std::uint32_t width() const { return 1u << shift_; }
  [[nodiscard]] std::uint32_t cells() const { return static_cast<std::uint32_t>(first_.size() - 1); }
  [[nodiscard]] std::uint32_t cell_of(std::uint32_t source) const { return source >> shift_; }
  [[nodiscard]] std::uint32_t begin(std::uint32_t cell) const { return cell << shift_; }
  /// Items of all cells before this one, and its own.
  [[nodiscard]] std::uint32_t first(std::uint32_t cell) const { return first_[cell]; }
  [[nodiscard]] std::uint32_t count(std::uint32_t cell) const { return first_[cell + 1] - first_[cell]; }
  /// The sources on which the items of a cell fall, in the order of the items, counted from begin(cell).
  /// `places` has room for count(cell) rounded up to whole vectors (room()).
  void places(std::uint32_t cell, std::uint32_t* places) const;
  [[nodiscard]] std::size_t room(std::uint32_t cell) const;
  void prefetch(std::uint32_t source) const { tessera::prefetch(first_.data() + cell_of(source)); }
  /// Sets reached[s - begin] of the sources in [begin, end) that have an item, without any table: the cells of the
  /// range are found from the root.
  static void mark(RandomKey key, std::uint32_t stream, std::uint64_t items, std::uint32_t sources, std::uint32_t width,
                   std::uint32_t begin, std::uint32_t end, std::vector<bool>::iterator reached);

  [[nodiscard]] static double bytes_for(double items) { return items / 90.0 * sizeof(std::uint32_t); }
  [[nodiscard]] std::size_t bytes() const { return first_.capacity() * sizeof(first_[0]); }

 private:
  SourceCells(RandomKey key, std::uint32_t stream, std::uint32_t sources, std::uint32_t width);
  struct Node {
    std::uint32_t level, index;
  };
  struct Range {
    std::uint32_t begin, end;
    std::vector<bool>::iterator reached;
    std::vector<std::uint32_t> places;
  };
  [[nodiscard]] std::uint32_t levels() const;
  [[nodiscard]] std::uint32_t left_share(std::uint32_t count, Node node) const;
  void mark(std::uint32_t count, Node node, Range& range) const;
  void split(std::uint64_t items);
  void draw(std::uint32_t cell, std::uint32_t count, std::uint32_t* places) const;

  RandomKey key_;
  std::uint32_t stream_;
  std::uint32_t sources_;
  std::uint32_t shift_;
  std::vector<std::uint32_t> first_;  ///< per cell and after the last: items before it
};

}  // namespace tessera
