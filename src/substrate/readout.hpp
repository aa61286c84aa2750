// What a converter tells of a membrane: whole steps between two ends, every few steps of the network.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

namespace tessera::substrate {

/// u is read as low + step * round((u - low) / step), step = (high - low) / steps, and as the nearer end beyond them.
/// Between two readings the last one counts. Halves are rounded up.
struct Readout {
  float low = 0.0F, high = 1.0F;  ///< in units of the model's membrane
  std::uint32_t steps = 0;        ///< between low and high; 0: exact
  std::uint32_t interval = 1;     ///< steps of the network between two readings, the first in step 0

  [[nodiscard]] bool is_exact() const { return steps == 0; }
  [[nodiscard]] bool reads_at(std::uint32_t step) const { return step % interval == 0; }
  [[nodiscard]] float read(float u) const {
    if (is_exact()) return u;
    const float size = (high - low) / static_cast<float>(steps), inverse = static_cast<float>(steps) / (high - low);
    const float inside = std::min(std::max(u, low), high);
    return low + size * static_cast<float>(static_cast<std::int32_t>((inside - low) * inverse + 0.5F));
  }
};

}  // namespace tessera::substrate
