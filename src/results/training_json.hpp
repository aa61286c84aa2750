// A training model as JSON, for reports and for telling models apart.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>

#include "tessera/training_file.hpp"

namespace tessera::io {

/// Everything that the trained weights depend on: network, data, loss, optimiser, second threshold,
/// seed, batch, validation share. Numbers that are not finite are texts.
[[nodiscard]] nlohmann::ordered_json model_json(const training::TrainingModel& model);

}  // namespace tessera::io
