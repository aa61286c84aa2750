// The entries of a layer's lists by source: who visits which row of weights, and what flows back.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "train/spike_lists.hpp"

namespace tessera::training {

/// Which entries a VisitBlock takes, and where their rows of g lie.
struct VisitRange {
  static constexpr std::uint32_t kWhole = ~0u;
  std::uint32_t section = kWhole;  ///< of the lists, or all of them
  std::uint32_t first = 0;         ///< steps first .. end
  std::uint32_t end = 0;
  std::uint32_t sample_stride = 0;  ///< an entry's row of g: sample * sample_stride + step - first
  bool others = false;              ///< also entries that only pass gradients, and room for ds
  /// Kernels take visits in fours: with `padded`, the spikes and the others of a source are filled
  /// up to a multiple of four with visits of the row `zero_row` of g, which must be zero.
  bool padded = false;
  std::uint32_t zero_row = 0;
};

/// The entries of a section of the lists in a block of steps, by source. The visits of row
/// first_row + k are row_first[k] .. row_first[k + 1], spikes first. ds: what flows back to every
/// visit, in `parts` sums over different targets: ds[part * visits() + v]. place: the visit of
/// every entry, in the order of the recordings (kNoVisit: pooled away).
struct VisitBlock {
  std::uint32_t first_row = 0;
  std::vector<std::uint32_t> row_first;
  std::vector<std::uint32_t> row_spikes;
  std::vector<std::uint32_t> visit;
  std::vector<std::uint32_t> place;
  static constexpr std::uint32_t kNoVisit = ~0u;
  std::uint32_t parts = 1;
  std::vector<float> ds;            ///< not cleared by build()
  std::vector<std::uint32_t> runs;  ///< begin and end of every sample's entries in their stream

  [[nodiscard]] std::uint32_t rows() const { return static_cast<std::uint32_t>(row_spikes.size()); }
  [[nodiscard]] std::uint32_t visits() const { return row_first[rows()]; }

  /// `pooled` maps ids to rows 0 .. all_rows (empty: the same).
  void build(const SpikeLists& lists, const std::vector<std::uint32_t>& pooled,
             std::uint32_t all_rows, const VisitRange& range, std::uint32_t ds_parts = 1);
  // For ranks, which know the entries alike: what flowed back to the entries, in their order.
  [[nodiscard]] std::size_t entries() const;
  void take_part(std::uint32_t part, float* into) const;
  void give(SpikeLists& lists, const VisitRange& range, const float* sums) const;

  /// ds of the entries = scale * sum over parts of ds of their visits; 0 for those pooled away.
  void scatter(SpikeLists& lists, const VisitRange& range, float scale);
};

}  // namespace tessera::training
