// Populations that did not fire, and why.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "tessera/network.hpp"
#include "tessera/result.hpp"

namespace tessera::cli {

/// One sentence that names the populations without a spike in the time of the statistics and gives
/// the reason that fits most of those with input from outside; "" when all fired, or nothing of
/// that time was simulated.
[[nodiscard]] std::string silence_sentence(const RunSummary& summary, const Network& network,
                                           const NeuronCatalogue& models);

}  // namespace tessera::cli
