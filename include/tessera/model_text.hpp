// Model files the other way round: a network as the text of a model file, and single values with units.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "tessera/network.hpp"

namespace tessera {

/// A network as a model file: reading the text gives the same populations, projections, stimuli and recorders, number
/// for number, so the same spikes. All values are plain numbers in the units of network.hpp; named parameters and
/// expressions of a file that the network came from are worked in. Throws InputError for what a file cannot say: a name
/// that is used for several things.
[[nodiscard]] std::string model_text(const Network& network);

/// What a text with a unit is worth in `unit` (ms, mV, pA, pF, nS, Hz, mm; "": a pure number), as in a model file:
/// quantity("1.5 s", "ms") is 1500, quantity("2 * 20 mV", "mV") is 40. Throws InputError for a text that is no such
/// value, or one of another kind.
[[nodiscard]] double quantity(const std::string& text, const std::string& unit);

}  // namespace tessera
