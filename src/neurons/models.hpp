// What the built-in neuron models share: their list and the constants of exact integration.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <limits>

#include "builtin_models.hpp"
#include "tessera/neuron_model.hpp"

namespace tessera {

inline constexpr double kUnbounded = std::numeric_limits<double>::infinity();

/// Whole steps of a refractory period (rounded to the nearest). Throws InputError above 65535 steps.
[[nodiscard]] int steps_of(double duration_ms, double dt_ms);

/// Voltage after one step of dt from a unit current that decays with tau_syn (Rotter and Diesmann
/// 1999, eq. 9), stable where tau_syn approaches tau_m. mV per pA.
[[nodiscard]] double exact_current_to_voltage(double tau_syn, double tau_m, double capacitance,
                                              double dt_ms);

}  // namespace tessera
