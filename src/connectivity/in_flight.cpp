// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "connectivity/in_flight.hpp"

#include <bit>

namespace tessera {

std::uint32_t history_slots(std::uint32_t steps) { return std::bit_ceil(steps + 1); }

InFlight::InFlight(RingShape shape, std::uint32_t max_delay_steps, std::uint32_t exchange_steps)
    : group_steps_(shape.steps()),
      groups_((max_delay_steps - 1) / shape.steps() + 1),
      mask_(history_slots(groups_ * shape.steps() + 2 * exchange_steps) - 1),
      steps_(mask_ + 1) {}

}  // namespace tessera
