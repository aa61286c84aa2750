// What values may become while a simulation stands: the limits of the validation.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tessera/network.hpp"

namespace tessera {

/// Each throws InputError.
void require_stimulus_rate(double rate_hz, double dt_ms);
/// Of a source of this population, on top of which its bump may lie.
void require_source_rate(double rate_hz, const Population& population, double dt_ms);
void require_refractory_time(double time_ms, double dt_ms);

}  // namespace tessera
