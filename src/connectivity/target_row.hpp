// The targets of one source in one chunk while they are being drawn, and what drawing them needs.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "connectivity/chunks.hpp"
#include "connectivity/value_tables.hpp"
#include "kernels/draw_rows.hpp"
#include "kernels/row_targets.hpp"

namespace tessera {

class TargetRow {
 public:
  [[nodiscard]] const std::uint32_t* targets() const { return targets_.data(); }
  [[nodiscard]] std::uint32_t size() const { return size_; }

  /// Room for n targets and what kernels write behind them; the row becomes empty.
  std::uint32_t* start(std::size_t n) {
    size_ = 0;
    if (targets_.size() < n + kRowPadding) targets_.resize(n + n / 2 + kRowPadding);
    return targets_.data();
  }
  void resize(std::uint32_t n) { size_ = n; }
  /// The same behind the targets that there are.
  std::uint32_t* extend(std::size_t n) {
    if (targets_.size() < size_ + n + kRowPadding) targets_.resize(2 * (size_ + n) + kRowPadding);
    return targets_.data() + size_;
  }
  /// Appends targets unless they have been appended in this way since start_distinct(). There is room for them.
  void start_distinct() { next_mark(); }
  void append_distinct(std::uint32_t target) {
    targets_[size_] = target;
    size_ += marks_[target] != mark_ ? 1 : 0;
    marks_[target] = mark_;
  }
  /// Memory that calls between two of those that draw may use.
  std::vector<std::uint32_t>& scratch() { return drawn_; }

  // The targets of a chunk are 0 .. chunk_size-1; `self` is left out (chunk_size: none is).
  /// n of them, all equally likely at every draw.
  void draw(const RowKey& key, std::uint32_t n, std::uint32_t chunk_size, std::uint32_t self);
  /// Appends n draws of a uniform or corrected bundle, group after group, each of them a target.
  void append_grouped(const RowKey& key, std::uint32_t n, std::uint32_t chunk_size, const DelayTable& delays);
  /// Ends a number of calls of append_grouped(): draws wait for each other, many are cheaper than few.
  void finish_grouped(RandomKey key);
  /// n distinct ones, every set equally likely.
  void draw_distinct(const RowKey& key, std::uint32_t n, std::uint32_t chunk_size, std::uint32_t self);
  /// Those that were not in the row, in ascending order.
  void invert(std::uint32_t chunk_size, std::uint32_t self);
  /// All of them.
  void fill(std::uint32_t chunk_size, std::uint32_t self);

 private:
  void next_mark();
  std::uint32_t size_ = 0;
  std::vector<std::uint32_t> targets_, drawn_, per_group_;
  std::vector<std::int32_t> codes_;
  DrawQueue queue_;
  std::vector<std::uint8_t> marks_;  ///< per target: the last call that met it
  std::uint8_t mark_ = 0;
};

}  // namespace tessera
