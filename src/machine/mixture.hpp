// How much of a network is stored and how much is drawn.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "connectivity/wiring.hpp"
#include "tessera/simulation.hpp"

namespace tessera {

/// Counts the bundles of this rank; `stored` has one entry per projection. A projection without a bundle here counts nowhere.
[[nodiscard]] Mixture mixture_of(const Wiring& wiring, const std::vector<bool>& stored);

}  // namespace tessera
