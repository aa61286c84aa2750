// tessera evaluate: the trained weights of a result on its test (or training) samples.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "cli/arguments.hpp"
#include "cli/interrupt.hpp"
#include "cli/text.hpp"
#include "cli/train_settings.hpp"
#include "cli/training_progress.hpp"
#include "cli/training_session.hpp"
#include "tessera/training_result.hpp"

namespace tessera::cli {
namespace {

using namespace training;

// The model of a result, with the parameters and the seed it was trained with.
TrainingModel model_of(const std::filesystem::path& folder, const TrainingResult& result) {
  TrainingModel model = load_training_file(folder / "model.toml", result.overrides);
  model.options.seed = result.seed;
  return model;
}

Weights weights_of(const std::filesystem::path& folder, const TrainingModel& model) {
  Weights weights = load_weights(folder / "weights.safetensors");
  if (weights.model_digest != model_digest(model)) {
    throw InputError(
        fmt::format("{}: these weights were trained with another model than the {} "
                    "beside them.",
                    (folder / "weights.safetensors").string(), "model.toml"));
  }
  return weights;
}

}  // namespace

int evaluate(const EvaluateArguments& arguments) {
  Problems problems;
  require_given(arguments.result, "RESULT", "tessera evaluate results/yin_yang", problems);
  training::Options given;
  apply_training_options(arguments.threads, arguments.strategy, given, problems);
  std::optional<std::size_t> split = 0;
  if (arguments.split)
    split = parse_choice(*arguments.split, {"test", "train"}, "--split", problems);
  problems.raise();

  const std::filesystem::path folder = *arguments.result;
  if (!is_training_result(folder)) {
    throw InputError(fmt::format("'{}' is not the result folder of a training.", folder.string()));
  }
  TrainingModel model = model_of(folder, load_training_result(folder));
  const Weights weights = weights_of(folder, model);
  model.options.threads = given.threads;
  if (arguments.strategy) model.options.strategy = given.strategy;
  const InterruptGuard interrupt;
  TrainingProgressDisplay display(arguments.quiet, interrupt);
  const bool test = *split == 0;
  const auto data = open_dataset(model.data, data_folder(arguments.data),
                                 test ? Split::test : Split::train, model.options.seed);
  Trainer trainer(model.network, model.options);
  trainer.set_parameters(weights.parameters);
  const EvaluationResult result = training::evaluate(trainer, *data, display);
  display.clear();
  if (interrupt.requested()) return kInterrupted;
  if (test && data->size() > 0) add_evaluation(folder, model, result, raster_of(trainer, *data, 0));
  if (!arguments.quiet) {
    fmt::print("{}\n{}\n", class_table(result, class_names(model.data)),
               layer_table(model.network, result.layers));
  }
  fmt::print("{} accuracy {:.2f} %, loss {:.4f}, {}, epoch {}\n", test ? "test" : "training",
             100.0 * result.accuracy, result.loss, counted(data->size(), "sample"), weights.epoch);
  return kOk;
}

}  // namespace tessera::cli
