// Which cells of a target sheet the kernel of gaussian_2d reaches from a cell of the source sheet, along
// each edge, and the edge's factor of the chance.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "network/sheet.hpp"

namespace tessera {

class AxisReach {
 public:
  AxisReach(const AxisPair& axis, double sigma);
  /// Target cells within kGaussianReach sigma of a source cell, in ascending order.
  [[nodiscard]] std::span<const std::uint32_t> places(std::uint32_t source_cell) const {
    return {places_.data() + begin_[source_cell], begin_[source_cell + 1] - begin_[source_cell]};
  }
  /// exp(-gap^2 / (2 sigma^2)) of each of them; readable for kRowPadding more, as the places are.
  [[nodiscard]] const float* chances(std::uint32_t source_cell) const { return chances_.data() + begin_[source_cell]; }
  [[nodiscard]] std::size_t bytes() const { return begin_.size() * 8 + places_.size() * 4 + chances_.size() * 4; }

 private:
  std::vector<std::size_t> begin_;
  std::vector<std::uint32_t> places_;
  std::vector<float> chances_;
};

struct Reach {
  AxisReach x, y;
  Reach(const SheetPair& sheets, double sigma) : x(sheets.x, sigma), y(sheets.y, sigma) {}
};

}  // namespace tessera
