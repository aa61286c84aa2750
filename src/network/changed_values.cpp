// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "network/changed_values.hpp"

#include <fmt/format.h>

#include <cmath>

#include "network/limits.hpp"
#include "tessera/errors.hpp"

namespace tessera {
namespace {

void require_rate(double rate_hz, double most_hz, double most_per_step) {
  if (std::isfinite(rate_hz) && rate_hz >= 0.0 && rate_hz <= most_hz) return;
  throw InputError(fmt::format("The rate is {} Hz; it must be from 0 to {} Hz, {} spikes per step.", rate_hz, most_hz, most_per_step));
}

}  // namespace

void require_stimulus_rate(double rate_hz, double dt_ms) {
  require_rate(rate_hz, 1000.0 * kMaxStimulusSpikesPerStep / dt_ms, kMaxStimulusSpikesPerStep);
}

void require_source_rate(double rate_hz, const Population& population, double dt_ms) {
  const double bump = population.bump ? population.bump->peak_hz : 0.0;
  require_rate(rate_hz, 1000.0 * kMaxSourceSpikesPerStep / dt_ms - bump, kMaxSourceSpikesPerStep);
}

void require_refractory_time(double time_ms, double dt_ms) {
  const double most = kMaxRefractorySteps * dt_ms;
  if (time_ms >= 0.0 && time_ms <= most) return;
  throw InputError(fmt::format("A refractory time is {} ms; it must be from 0 to {} ms.", time_ms, most));
}

}  // namespace tessera
