// Exact discrete random variates from a counter-based stream: binomial and hypergeometric counts.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/random.hpp"

namespace tessera {

/// Successes in n trials of probability numerator / denominator (0 <= numerator <= denominator).
/// Fair coins are counted from random bits; everything else is inversion from the mode outwards, which
/// takes about one standard deviation of steps.
[[nodiscard]] std::uint64_t draw_binomial(std::uint64_t n, double numerator, double denominator,
                                          RandomStream& stream);

/// Good items among n drawn without replacement from `good` good and `bad` bad ones.
[[nodiscard]] std::uint64_t draw_hypergeometric(std::uint64_t n, std::uint64_t good,
                                                std::uint64_t bad, RandomStream& stream);

}  // namespace tessera
