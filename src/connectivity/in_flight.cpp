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

void InFlight::advance_group(std::int64_t spike_step, std::uint32_t group,
                             const std::uint32_t* words) {
  std::vector<Cursor>& cursors = of_step(spike_step);
  std::size_t kept = 0;
  for (Cursor c : cursors) {
    if (row_header::group(c.header) == group) {
      if ((c.header & row_header::kLast) != 0) continue;
      c.words += row_header::count(c.header);
      c.header = words[c.words++];
    }
    cursors[kept++] = c;
  }
  cursors.resize(kept);
}

}  // namespace tessera
