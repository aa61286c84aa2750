// When ranks meet, who talks to whom, and what both ways to exchange spikes are expected to cost. Follows from
// the description and the placement alone: all ranks come to the same answers without asking each other.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "machine/placement.hpp"
#include "tessera/simulation.hpp"

namespace tessera {

/// Ranks that this one sends spikes to and gets spikes from, ascending. Rank a sends to rank b when a projection
/// leads from a population with neurons on a to one with neurons on b. Never the rank itself.
struct Neighbours {
  std::vector<int> to, from;
};

struct ExchangePlan {
  std::uint32_t local_interval = 1;   ///< steps between two meetings of the threads of a rank
  std::uint32_t remote_interval = 1;  ///< steps between two meetings of the ranks, at most
  ExchangeEstimate collective, point_to_point;
  Exchange chosen = Exchange::collective;  ///< never automatic
  Neighbours neighbours;
};

[[nodiscard]] ExchangePlan plan_exchange(const Wiring& wiring, const Placement& placement,
                                         const SimulationOptions& options);

}  // namespace tessera
