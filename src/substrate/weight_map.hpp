// How weights of a model become weights of a chip: a largest value, a roll-off towards it, and a whole number
// of steps. Source of the roll-off: hxtorch's linear_exponential_clamp, as Arnold et al. 2025 train with it.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

namespace tessera::substrate {

/// With s = |w|, b = roll_off * cap:
///   r(s) = s                                          where s <= b
///          cap - (cap - b) exp(-(s - b) / (cap - b))  where s > b, or cap where b = cap
///   map(w) = sgn(w) * round(r(s) / step) * step,      step = cap / steps
/// roll_off = 0 is cap (1 - exp(-|w| / cap)) sgn w; roll_off = 1 is a hard limit. Halves are rounded up.
/// Derivative for the backward pass: dr/ds, and 1 beyond a hard limit, so that no weight is stuck there; rounding is
/// passed straight through (Bengio et al. 2013).
struct WeightMap {
  float cap = std::numeric_limits<float>::infinity();  ///< > 0, in units of the model; infinite: no limit, no steps
  std::uint32_t steps = 0;                             ///< between 0 and cap, at most 2^22; 0: any value
  float roll_off = 1.0F;                               ///< 0 .. 1, where the roll-off begins, in caps

  [[nodiscard]] bool is_identity() const { return cap == std::numeric_limits<float>::infinity(); }
  [[nodiscard]] float step() const { return steps > 0 ? cap / static_cast<float>(steps) : 0.0F; }

  /// mapped[i] = map(w[i]), slope[i] = the derivative; `mapped` may be `w`, `slope` null.
  void apply(const float* w, std::size_t n, float* mapped, float* slope) const;
  /// The number on the chip, -steps .. steps, of a weight that is scaled by `factor` on its way.
  [[nodiscard]] std::int32_t chip_weight(float w, float factor = 1.0F) const;
  /// w[i] = chip_weight(w[i], factor) * step(), of many weights that map() has made whole.
  void to_chip(float factor, std::size_t n, float* w) const;
};

}  // namespace tessera::substrate
