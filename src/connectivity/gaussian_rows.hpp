// The targets of gaussian_2d: every pair independently of all others, with a chance that falls with its distance.
//
// Where a source has many of the pairs around it, each of these has a number of its own (PairBox). Everywhere else a
// Poisson number of candidates falls on the pairs, each on a row and a column of the grid in proportion to their
// factors of the chance. A pair with the chance x is hit -log(1 - x) times on average when candidates are kept with
// the ratio of that to how many fall on it. Hits of different pairs are independent and Poisson, so that a pair has
// at least one with the chance x, whatever the others have. That is exact to the end of the reach.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "connectivity/chunks.hpp"
#include "connectivity/reach.hpp"
#include "connectivity/samplers.hpp"
#include "connectivity/target_row.hpp"
#include "kernels/row_targets.hpp"
#include "network/sheet.hpp"

namespace tessera {

/// Which of the rows that a source reaches are in a chunk: the near ones [near, near_end) of AxisReach::Cells, and of
/// the others.
struct RowsOfChunk {
  std::uint32_t near = 0, near_end = 0, far = 0, far_end = 0;
};

class GaussianRows {
 public:
  GaussianRows(const SheetPair& sheets, const ConnectivityRule& rule);

  /// Per row of the source grid.
  [[nodiscard]] std::vector<RowsOfChunk> rows_in(const Chunk& chunk) const;
  /// The targets of source key.source in a chunk; `rows` is what rows_in() says of its row, `self` is left out.
  void list(const RowKey& key, const Chunk& chunk, const RowsOfChunk& rows, std::uint32_t self, TargetRow& row) const;
  [[nodiscard]] std::uint32_t row_of(std::uint32_t source) const { return from_.row(source); }
  /// Whether pairs near their source have numbers of their own.
  [[nodiscard]] bool has_box() const { return near_ > 0.0; }
  [[nodiscard]] std::size_t bytes() const { return x_.bytes() + y_.bytes() + counts_.bytes(); }

 private:
  /// Pairs that candidates fall on: some consecutive cells of either axis.
  struct Strip {
    std::uint32_t row, row_end, column, column_end;
    std::uint32_t round;  ///< of the purpose `pair`
    [[nodiscard]] bool empty() const { return row == row_end || column == column_end; }
  };
  struct Source {
    const RowKey& key;
    const Chunk& chunk;
    std::uint32_t self;
    AxisReach::Cells x, y;
  };
  GaussianRows(const SheetPair& sheets, const ConnectivityRule& rule, double near);
  [[nodiscard]] bool box_pays() const;
  [[nodiscard]] double largest_mean() const;
  void list_box(const Source& source, const RowsOfChunk& rows, TargetRow& row) const;
  [[nodiscard]] double hits_of(const Source& source, const Strip& strip) const;
  void list_strip(const Source& source, const Strip& strip, std::uint32_t n, double mean, TargetRow& row) const;

  Sheet from_, to_;
  double probability_, near_;
  AxisReach x_, y_;
  double hits_per_chance_;  ///< -log(1 - x) / x of the largest chance x outside of the box
  PoissonTables counts_;
};

}  // namespace tessera
