// Which cells of a target sheet the kernel of gaussian_2d reaches from a cell of the source sheet, along
// each edge, the edge's factor of the chance, and how to draw a cell in proportion to it.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "network/sheet.hpp"

namespace tessera {

class AxisReach {
 public:
  /// Cells up to `far` sigma away (inclusive). Those up to `near` sigma come before the others.
  AxisReach(const AxisPair& axis, double sigma, double near, double far);

  /// What one source cell reaches. The places of near cells are in ascending order, and those of the others.
  struct Cells {
    const std::uint32_t* places;
    const float* chances;        ///< exp(-gap^2 / (2 sigma^2)); readable for kRowPadding more, as the places are
    const std::uint32_t* last;   ///< cells share 2^32 units, one after the other: the last unit of each
    const std::uint16_t* guide;  ///< per 2^32 / kGuide units: the cell that has the first of them; then n - 1
    std::uint32_t near, n;
    double density;  ///< no chance is above density x (units of the cell)

    [[nodiscard]] std::uint32_t first_unit(std::uint32_t i) const { return i > 0 ? last[i - 1] + 1 : 0; }
    [[nodiscard]] double units(std::uint32_t i) const { return 1.0 + (last[i] - first_unit(i)); }
    /// Of the cells [begin, end), of which there is at least one.
    [[nodiscard]] std::uint64_t units(std::uint32_t begin, std::uint32_t end) const {
      return std::uint64_t{1} + last[end - 1] - first_unit(begin);
    }
    /// The cell in [begin, end) that has a unit. Few cells are looked through by halves: where the guide has many,
    /// none of them is met often.
    [[nodiscard]] std::uint32_t cell_of(std::uint32_t unit, std::uint32_t begin, std::uint32_t end) const {
      const std::uint16_t* slot = guide + unit / (0xffffffffu / kGuide + 1);
      const std::uint32_t first = slot[0] > begin ? slot[0] : begin, most = slot[1] < end ? slot[1] : end - 1;
      const std::uint32_t* at = last + first;
      for (std::uint32_t left = most - first + 1; left > 1;) {
        const std::uint32_t half = left / 2;
        at += at[half - 1] < unit ? half : 0;
        left -= half;
      }
      return static_cast<std::uint32_t>(at - last);
    }
  };
  [[nodiscard]] Cells cells(std::uint32_t source_cell) const {
    const std::size_t at = begin_[source_cell];
    return {places_.data() + at, chances_.data() + at, last_.data() + at, guide_.data() + source_cell * (kGuide + 1),
            near_[source_cell], static_cast<std::uint32_t>(begin_[source_cell + 1] - at), density_[source_cell]};
  }
  [[nodiscard]] std::uint32_t source_cells() const { return static_cast<std::uint32_t>(near_.size()); }
  [[nodiscard]] std::size_t bytes() const;

 private:
  static constexpr std::uint32_t kGuide = 64;
  void share_units(std::size_t begin);

  std::vector<std::size_t> begin_;
  std::vector<std::uint32_t> near_, places_, last_;
  std::vector<float> chances_;
  std::vector<std::uint16_t> guide_;
  std::vector<double> density_;
};

}  // namespace tessera
