// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "engine/spike_source.hpp"

#include <algorithm>
#include <cmath>

#include "base/time_grid.hpp"

namespace tessera {

SpikeSource::SpikeSource(const Network& network, const Chunk& chunk, std::uint32_t chunk_index,
                         std::uint32_t first_id, RandomKey key)
    : chunk_(chunk), chunk_index_(chunk_index), first_id_(first_id), key_(key), dt_ms_(network.dt_ms) {
  const Population& population = network.populations[chunk.population];
  if (population.kind == Population::Kind::poisson_source) {
    table_ = PoissonTable(population.rate_hz * network.dt_ms / 1000.0);
    start_ms_ = population.start_ms;
    duration_ms_ = population.duration_ms;
    interval_ms_ = population.interval_ms;
    counts_.resize((chunk.size + 63) / 64 * 64);
    return;
  }
  for (const Population::TrainSpike& spike : population.train) {
    if (spike.neuron < chunk.begin || spike.neuron >= chunk.begin + chunk.size) continue;
    // A spike at time t ends the step before it, so that it arrives at t + delay.
    train_.emplace_back(nearest_step(spike.time_ms, network.dt_ms) - 1, spike.neuron - chunk.begin);
  }
  std::sort(train_.begin(), train_.end());
}

/// Pulse k is the window that begins at start + k interval: every boundary has its own exact time.
bool SpikeSource::active(std::int64_t step) const {
  const auto in_pulse = [&](double k) {
    return k >= 0.0 && step_window(start_ms_ + k * interval_ms_, duration_ms_, dt_ms_).contains(step);
  };
  if (interval_ms_ == 0.0) return in_pulse(0.0);
  // Pulses do not overlap, so only the one at the step's middle can hold it; its number may be off by one
  // through rounding.
  const double k = std::floor(((static_cast<double>(step) + 0.5) * dt_ms_ - start_ms_) / interval_ms_);
  return in_pulse(k - 1.0) || in_pulse(k) || in_pulse(k + 1.0);
}

void SpikeSource::emit(std::int64_t step, std::vector<std::uint32_t>& ids) {
  if (counts_.empty()) {
    auto spike = std::lower_bound(train_.begin(), train_.end(), std::pair{step, 0u});
    for (; spike != train_.end() && spike->first == step; ++spike) ids.push_back(first_id_ + spike->second);
    return;
  }
  if (!active(step)) return;
  const PoissonStream stream{key_, static_cast<std::uint32_t>(Purpose::poisson_source), chunk_index_,
                             static_cast<std::uint32_t>(step)};
  draw_poisson(table_, stream, chunk_.size, counts_.data());
  for (std::uint32_t i = 0; i < chunk_.size; ++i) {
    for (std::int32_t k = 0; k < counts_[i]; ++k) ids.push_back(first_id_ + i);
  }
}

}  // namespace tessera
