// Which projections are written down where memory holds some of them only.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "connectivity/thin_rows.hpp"

namespace tessera {

/// Per projection, whether it is stored: those first that save the most time per byte, as long as they fit `bytes`. None that
/// is plastic or corrected group by group (its draws have their corrections written down already). What a projection takes is
/// counted as if no other shared its rows: together they take less.
[[nodiscard]] std::vector<bool> choose_stored(const Wiring& wiring, const WeightUnits& units, const ThinChoice& thin, double bytes);

/// Says how many projections and synapses of a mixture are stored, in a phrase.
[[nodiscard]] std::string mixture_text(const Network& network, const std::vector<bool>& stored, double bytes);

}  // namespace tessera
