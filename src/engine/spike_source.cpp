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
    bump_ = population.bump;
    base_hz_ = population.rate_hz;
    columns_ = population.grid_columns;
    return;
  }
  for (const Population::TrainSpike& spike : population.train) {
    if (spike.neuron < chunk.begin || spike.neuron >= chunk.begin + chunk.size) continue;
    // A spike at time t ends the step before it, so that it arrives at t + delay.
    train_.emplace_back(nearest_step(spike.time_ms, network.dt_ms) - 1, spike.neuron - chunk.begin);
  }
  std::sort(train_.begin(), train_.end());
}

void SpikeSource::set_rate(double rate_hz) {
  if (counts_.empty() || rate_hz == base_hz_) return;
  table_ = PoissonTable(rate_hz * dt_ms_ / 1000.0);
  base_hz_ = rate_hz;
  period_ = -1;  // a bump's spikes are drawn anew
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

/// All spikes of a period: where the bump is, follows from the period's number; a neuron spikes in every step with the
/// same chance, so the gaps between its spikes are geometric.
void SpikeSource::draw_period(std::int64_t period) {
  const std::int64_t steps = std::max<std::int64_t>(1, nearest_step(bump_->period_ms, dt_ms_));
  const auto number = static_cast<std::uint32_t>(period);
  RandomStream place(key_, Purpose::moving_bump, 0, number);
  const auto drawn = [&] { return static_cast<int>(place.next_unit() * bump_->centres); };
  const int x = drawn(), y = drawn(), block = static_cast<int>(bump_->block);
  const auto gap = [block](int a, int b) {
    const int direct = std::abs(a % block - b);
    return static_cast<double>(std::min(direct, block - direct));
  };
  train_.clear();
  for (std::uint32_t i = 0; i < chunk_.size; ++i) {
    const double dx = gap(static_cast<int>((chunk_.begin + i) % columns_), x), dy = gap(static_cast<int>((chunk_.begin + i) / columns_), y);
    const double rate = base_hz_ + bump_->peak_hz * std::exp(-(dx * dx + dy * dy) / (2.0 * bump_->sigma * bump_->sigma));
    const double chance = rate * dt_ms_ / 1000.0;
    if (!(chance > 0.0)) continue;
    RandomStream random(key_, round_of(Purpose::moving_bump, 1), first_id_ + i, number);
    const double per_log = 1.0 / std::log1p(-std::min(chance, 1.0 - 1e-12));
    for (double at = 0.0;; at += 1.0) {
      at += std::floor(std::log1p(-random.next_unit()) * per_log);
      if (!(at < static_cast<double>(steps))) break;
      train_.emplace_back(period * steps + static_cast<std::int64_t>(at), i);
    }
  }
  std::sort(train_.begin(), train_.end());
  period_ = period;
}

void SpikeSource::emit(std::int64_t step, std::vector<std::uint32_t>& ids) {
  if (counts_.empty()) {
    auto spike = std::lower_bound(train_.begin(), train_.end(), std::pair{step, 0u});
    for (; spike != train_.end() && spike->first == step; ++spike) ids.push_back(first_id_ + spike->second);
    return;
  }
  if (!active(step)) return;
  if (bump_) {
    const std::int64_t steps = std::max<std::int64_t>(1, nearest_step(bump_->period_ms, dt_ms_));
    if (step / steps != period_) draw_period(step / steps);
    auto spike = std::lower_bound(train_.begin(), train_.end(), std::pair{step, 0u});
    for (; spike != train_.end() && spike->first == step; ++spike) ids.push_back(first_id_ + spike->second);
    return;
  }
  const PoissonStream stream{key_, static_cast<std::uint32_t>(Purpose::poisson_source), chunk_index_,
                             static_cast<std::uint32_t>(step)};
  draw_poisson(table_, stream, chunk_.size, counts_.data());
  for (std::uint32_t i = 0; i < chunk_.size; ++i) {
    for (std::int32_t k = 0; k < counts_[i]; ++k) ids.push_back(first_id_ + i);
  }
}

}  // namespace tessera
