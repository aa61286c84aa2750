// Number, mean and standard deviation of a sample.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstddef>
#include <limits>
#include <span>

namespace tessera {

struct Moments {
  std::size_t count = 0;  ///< finite values
  double mean = std::numeric_limits<double>::quiet_NaN();
  double sd = std::numeric_limits<double>::quiet_NaN();  ///< divided by the number of values
};

/// Of the finite values; NaN when there are none.
[[nodiscard]] inline Moments moments_of(std::span<const double> values) {
  Moments moments;
  double sum = 0.0;
  for (const double value : values) {
    if (!std::isfinite(value)) continue;
    sum += value;
    ++moments.count;
  }
  if (moments.count == 0) return moments;
  moments.mean = sum / static_cast<double>(moments.count);
  double squares = 0.0;
  for (const double value : values) {
    if (std::isfinite(value)) squares += (value - moments.mean) * (value - moments.mean);
  }
  moments.sd = std::sqrt(squares / static_cast<double>(moments.count));
  return moments;
}

}  // namespace tessera
