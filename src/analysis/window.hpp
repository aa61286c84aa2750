// Which spikes lie in the window of a statistic.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <utility>

#include "tessera/analysis.hpp"

namespace tessera {

/// Times are multiples of dt with rounding errors; far below any dt.
inline constexpr double kTimeTolerance_ms = 1e-6;

/// Indices [first, last) of the spikes with start < time <= end, and of those at 0 when that is the start.
[[nodiscard]] inline std::pair<std::size_t, std::size_t> spikes_in_window(
    const SpikeList& spikes, const StatisticsOptions& options) {
  const auto index_after = [&spikes](double time_ms) {
    const auto at = std::upper_bound(spikes.times_ms.begin(), spikes.times_ms.end(),
                                     time_ms + kTimeTolerance_ms);
    return static_cast<std::size_t>(at - spikes.times_ms.begin());
  };
  const std::size_t first = options.start_ms > 0.0 ? index_after(options.start_ms) : 0;
  return {first, std::max(first, index_after(options.end_ms))};
}

}  // namespace tessera
