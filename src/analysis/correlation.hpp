// Pairwise correlation of spike counts.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "tessera/analysis.hpp"

namespace tessera {

/// Pearson's coefficient for all pairs of a random subsample; neurons whose counts do not vary are
/// left out.
[[nodiscard]] std::vector<double> spike_count_correlations(const SpikeList& spikes,
                                                           std::uint32_t size,
                                                           const StatisticsOptions& options);

/// `count` different numbers below `size` (all when there are fewer), sorted.
[[nodiscard]] std::vector<std::uint32_t> random_subsample(std::uint32_t size, std::size_t count,
                                                          std::uint64_t seed);

}  // namespace tessera
