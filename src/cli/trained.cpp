// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "cli/trained.hpp"

#include <fmt/format.h>

#include "tessera/result.hpp"

namespace tessera::cli {
namespace {

using namespace training;

// The model of a result, with the parameters and the seed it was trained with.
TrainingModel model_of(const TrainingResult& result) {
  require_intact(result, "model.toml");
  TrainingModel model = load_training_file(result.folder / "model.toml", result.overrides);
  model.options.seed = result.seed;
  return model;
}

Weights weights_of(const TrainingResult& result, const TrainingModel& model) {
  const std::filesystem::path file = result.folder / "weights.safetensors";
  Weights weights = load_weights(file);
  if (weights.model_digest != model_digest(model)) {
    throw InputError(
        fmt::format("{}: these weights were trained with another model than the {} "
                    "beside them.",
                    file.string(), "model.toml"));
  }
  if (weights_digest(weights.parameters) != result.weights_digest) {
    throw InputError(fmt::format(
        "{}: these are not the weights that report.json speaks of (digest {}, there "
        "{}).",
        file.string(), digest_text(weights_digest(weights.parameters)), digest_text(result.weights_digest)));
  }
  return weights;
}

}  // namespace

bool is_imported(const std::filesystem::path& folder) {
  std::error_code error;
  return !std::filesystem::exists(folder / "report.json", error) &&
         std::filesystem::is_regular_file(folder / "model.toml", error) &&
         std::filesystem::is_regular_file(folder / "weights.safetensors", error);
}

Trained load_trained(const std::filesystem::path& folder) {
  if (is_imported(folder))  // its data may be another one meanwhile: the shapes of the weights have to fit, no more
    return {load_training_file(folder / "model.toml"), load_weights(folder / "weights.safetensors"), std::nullopt};
  if (!is_training_result(folder)) {
    // A damaged report is one too: this says what is wrong with it.
    if (std::filesystem::exists(folder / "report.json")) (void)load_training_result(folder);
    throw InputError(
        fmt::format("'{}' is not the result folder of a training, nor what 'import nir' wrote.", folder.string()));
  }
  Trained trained;
  trained.result = load_training_result(folder);
  trained.model = model_of(*trained.result);
  trained.weights = weights_of(*trained.result, trained.model);
  return trained;
}

}  // namespace tessera::cli
