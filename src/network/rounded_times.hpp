// What rounding to steps changes in the times of a network, in sentences.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "tessera/network.hpp"

namespace tessera {

/// What rounding to steps of dt changes in the times of a valid network, one sentence each: listed spikes
/// that are moved or fall together, pulses and stimuli too short for a step. Empty: nothing.
[[nodiscard]] std::vector<std::string> rounded_times(const Network& network);

}  // namespace tessera
