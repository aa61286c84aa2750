// Trained weights with the network they belong to: the result folder of a training, or what `import nir` wrote.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>

#include "tessera/training_result.hpp"

namespace tessera::cli {

struct Trained {
  training::TrainingModel model;  ///< with the parameters and the seed it was trained with
  training::Weights weights;
  std::optional<training::TrainingResult> result;  ///< none: the weights were imported
};

/// Whether a folder has an imported network: a model and weights, and no report.
[[nodiscard]] bool is_imported(const std::filesystem::path& folder);

/// Reads a folder. Throws InputError where it is neither, or where something in it is damaged or does not fit.
[[nodiscard]] Trained load_trained(const std::filesystem::path& folder);

}  // namespace tessera::cli
