// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "connectivity/reach.hpp"

#include <cmath>

#include "kernels/row_targets.hpp"

namespace tessera {

AxisReach::AxisReach(const AxisPair& axis, double sigma) {
  for (std::uint32_t from = 0; from < axis.source.cells; ++from) {
    begin_.push_back(places_.size());
    for (std::uint32_t to = 0; to < axis.target.cells; ++to) {
      const double z = axis.gap(from, to) / sigma;
      if (z > kGaussianReach) continue;
      places_.push_back(to);
      chances_.push_back(static_cast<float>(std::exp(-0.5 * z * z)));
    }
  }
  begin_.push_back(places_.size());
  places_.resize(places_.size() + kRowPadding);
  chances_.resize(chances_.size() + kRowPadding);
}

}  // namespace tessera
