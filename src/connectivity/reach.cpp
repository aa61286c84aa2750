// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "connectivity/reach.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/row_targets.hpp"

namespace tessera {

AxisReach::AxisReach(const AxisPair& axis, double sigma, double near, double far) {
  for (std::uint32_t from = 0; from < axis.source.cells; ++from) {
    const std::size_t begin = places_.size();
    begin_.push_back(begin);
    for (const bool is_near : {true, false}) {
      for (std::uint32_t to = 0; to < axis.target.cells; ++to) {
        const double z = axis.gap(from, to) / sigma;
        if (z > far || (z <= near) != is_near) continue;
        places_.push_back(to);
        chances_.push_back(static_cast<float>(std::exp(-0.5 * z * z)));
      }
      if (is_near) near_.push_back(static_cast<std::uint32_t>(places_.size() - begin));
    }
    share_units(begin);
  }
  begin_.push_back(places_.size());
  places_.resize(places_.size() + kRowPadding);
  chances_.resize(chances_.size() + kRowPadding);
}

// In proportion to the chances, rounded up, so that no cell has less than its share of the density. The largest gets
// what is left over.
void AxisReach::share_units(std::size_t begin) {
  const std::size_t end = places_.size();
  double sum = 0.0, density = 0.0;
  for (std::size_t i = begin; i < end; ++i) sum += static_cast<double>(chances_[i]);
  std::uint64_t left = std::uint64_t{1} << 32;
  std::vector<std::uint64_t> units;
  for (std::size_t i = begin; i < end; ++i) {
    const double share = static_cast<double>(chances_[i]) / sum * (0x1p32 - static_cast<double>(end - begin));
    units.push_back(1 + static_cast<std::uint64_t>(share));
    left -= units.back();
  }
  const auto largest = std::max_element(units.begin(), units.end());
  if (largest != units.end()) *largest += left;
  std::uint64_t before = 0;
  const std::size_t guide = guide_.size();
  guide_.resize(guide + kGuide + 1, static_cast<std::uint16_t>(std::max<std::size_t>(units.size(), 1) - 1));
  for (std::size_t i = 0; i < units.size(); ++i) {
    density = std::max(density, static_cast<double>(chances_[begin + i]) / static_cast<double>(units[i]));
    const std::uint64_t step = (std::uint64_t{1} << 32) / kGuide;
    for (std::uint64_t g = (before + step - 1) / step; g * step < before + units[i]; ++g) {
      guide_[guide + g] = static_cast<std::uint16_t>(i);
    }
    before += units[i];
    last_.push_back(static_cast<std::uint32_t>(before - 1));
  }
  density_.push_back(density);
}

std::size_t AxisReach::bytes() const {
  return begin_.size() * sizeof(begin_[0]) + (near_.size() + places_.size() + last_.size()) * 4 + chances_.size() * 4 +
         guide_.size() * sizeof(guide_[0]) + density_.size() * sizeof(double);
}

}  // namespace tessera
