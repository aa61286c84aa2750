// Training files the other way round: layers as the text of a training file.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "tessera/training.hpp"

namespace tessera::training {

/// The [[layer]] tables of a network: a training file with this text and data of the same steps and dt has the same layers,
/// number for number. Keys with their usual values are left out. Throws InputError for what a file cannot say: a rule of
/// rewiring that was written in C++.
[[nodiscard]] std::string layers_text(const Network& network);

}  // namespace tessera::training
