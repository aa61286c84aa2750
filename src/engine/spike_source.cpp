// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "engine/spike_source.hpp"

#include <algorithm>
#include <cmath>

namespace tessera {

SpikeSource::SpikeSource(const Network& network, const Chunk& chunk, std::uint32_t chunk_index,
                         std::uint32_t first_id, RandomKey key)
    : chunk_(chunk), chunk_index_(chunk_index), first_id_(first_id), key_(key) {
  const Population& population = network.populations[chunk.population];
  if (population.kind == Population::Kind::poisson_source) {
    table_ = PoissonTable(population.rate_hz * network.dt_ms / 1000.0);
    start_ = std::llround(population.start_ms / network.dt_ms);
    duration_ = std::isinf(population.duration_ms) ? -1 : std::llround(population.duration_ms / network.dt_ms);
    interval_ = std::llround(population.interval_ms / network.dt_ms);
    counts_.resize((chunk.size + 63) / 64 * 64);
    return;
  }
  for (const Population::TrainSpike& spike : population.train) {
    if (spike.neuron < chunk.begin || spike.neuron >= chunk.begin + chunk.size) continue;
    // A spike at time t ends the step before it, so that it arrives at t + delay.
    train_.emplace_back(std::llround(spike.time_ms / network.dt_ms) - 1, spike.neuron - chunk.begin);
  }
  std::sort(train_.begin(), train_.end());
}

bool SpikeSource::active(std::int64_t step) const {
  if (step < start_) return false;
  if (duration_ < 0) return true;
  const std::int64_t since = interval_ > 0 ? (step - start_) % interval_ : step - start_;
  return since < duration_;
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
