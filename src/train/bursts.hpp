// The regulariser against bursts: what it brings to the entries of a layer's lists.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "train/crew.hpp"
#include "train/spike_lists.hpp"
#include "tessera/training.hpp"

namespace tessera::training {

/// Strength in an epoch: strength * epoch_factor^epoch.
[[nodiscard]] double burst_strength(const BurstRegulariser& bursts, std::uint32_t epoch);

/// The derivative of strength / (samples * neurons) * sum of n^4, n = spikes of a neuron in a sample, by one of these
/// spikes: what every entry of the sample gets.
[[nodiscard]] inline double burst_slope(double strength, std::uint32_t samples, std::uint32_t neurons, double n) {
  return 4.0 * strength * n * n * n / (static_cast<double>(samples) * neurons);
}

/// Adds it to the ds of all entries, which the layer above has filled. Called by all workers.
void add_bursts(Worker& worker, double strength, std::uint32_t neurons, SpikeLists& lists);

}  // namespace tessera::training
