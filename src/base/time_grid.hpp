// Times in ms on the grid of steps: one rule for all of them.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

namespace tessera {

/// A step that no simulation reaches.
inline constexpr std::int64_t kForever = std::numeric_limits<std::int64_t>::max();

/// The step nearest to a time of 0 or more; half way between two it is the later one. Decimal times are
/// not exact in binary, so a millionth of a step before half way counts as half way: 0.35 ms is the same
/// step whether it is written so or is 0.1 ms + 0.25 ms. (A power of two, because no decimal time that
/// anyone writes lies there.) Infinite and too large: kForever.
[[nodiscard]] inline std::int64_t nearest_step(double time_ms, double dt_ms) {
  const double steps = time_ms / dt_ms;
  if (!(steps < 0x1p53)) return kForever;
  return static_cast<std::int64_t>(std::floor(steps + (0.5 + 0x1p-20 + steps * 0x1p-51)));
}

/// Steps [begin, end).
struct StepWindow {
  std::int64_t begin = 0;
  std::int64_t end = kForever;
  [[nodiscard]] bool contains(std::int64_t step) const { return step >= begin && step < end; }
};

/// Both boundaries of a window are rounded one by one from their exact times, never its length: windows
/// that touch in time touch in steps. A window shorter than a step may hold none.
[[nodiscard]] inline StepWindow step_window(double start_ms, double duration_ms, double dt_ms) {
  return {nearest_step(start_ms, dt_ms), nearest_step(start_ms + duration_ms, dt_ms)};
}

}  // namespace tessera
