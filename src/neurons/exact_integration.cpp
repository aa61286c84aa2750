// The constants of exact integration.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <limits>

#include "base/time_grid.hpp"
#include "neurons/models.hpp"
#include "tessera/errors.hpp"

namespace tessera {

int steps_of(double duration_ms, double dt_ms) {
  // The counter of every neuron has 16 bits.
  const std::int64_t steps = nearest_step(duration_ms, dt_ms);
  if (!(duration_ms >= 0.0 && steps <= std::numeric_limits<std::uint16_t>::max())) {
    throw InputError(
        fmt::format("A refractory period of {} ms is {} steps of {} ms; at most 65535 "
                    "steps are possible.",
                    duration_ms, std::round(duration_ms / dt_ms), dt_ms));
  }
  return static_cast<int>(steps);
}

double exact_current_to_voltage(double tau_syn, double tau_m, double capacitance, double dt_ms) {
  // V(dt) = 1/C * exp(-dt/tau_m) * integral_0^dt exp(r t) dt with r = 1/tau_m - 1/tau_syn.
  const double rate = 1.0 / tau_m - 1.0 / tau_syn;
  const double integral = rate == 0.0 ? dt_ms : std::expm1(rate * dt_ms) / rate;
  return std::exp(-dt_ms / tau_m) * integral / capacitance;
}

}  // namespace tessera
