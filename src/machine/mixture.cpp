// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "machine/mixture.hpp"

#include <algorithm>
#include <cmath>

namespace tessera {

Mixture mixture_of(const Wiring& wiring, const std::vector<bool>& stored) {
  std::vector<double> synapses(stored.size(), -1.0);  // -1: not here
  for (const Bundle& b : wiring.bundles()) synapses[b.projection] = std::max(synapses[b.projection], 0.0) + wiring.expected_synapses_of(b);
  double of_stored = 0.0, of_drawn = 0.0;
  Mixture mixture;
  for (std::size_t p = 0; p < stored.size(); ++p) {
    if (synapses[p] < 0.0) continue;
    ++(stored[p] ? mixture.stored_projections : mixture.drawn_projections);
    (stored[p] ? of_stored : of_drawn) += synapses[p];
  }
  mixture.stored_synapses = static_cast<std::uint64_t>(std::llround(of_stored));
  mixture.drawn_synapses = static_cast<std::uint64_t>(std::llround(of_drawn));
  return mixture;
}

}  // namespace tessera
