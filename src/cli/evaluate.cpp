// tessera evaluate: the trained weights of a result on its test (or training) samples.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "cli/arguments.hpp"
#include "cli/interrupt.hpp"
#include "cli/output_folder.hpp"
#include "cli/substrate.hpp"
#include "cli/text.hpp"
#include "cli/train_settings.hpp"
#include "cli/trained.hpp"
#include "cli/training_progress.hpp"
#include "cli/training_session.hpp"
#include "tessera/result.hpp"
#include "tessera/training_result.hpp"

namespace tessera::cli {
using namespace training;

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
  const bool test = *split == 0;
  std::optional<OutputLock> lock;
  if (test && is_training_result(folder)) lock.emplace(folder);  // the result is going to change
  Trained trained = load_trained(folder);
  TrainingModel& model = trained.model;
  const Weights& weights = trained.weights;
  model.options.threads = given.threads;
  if (arguments.strategy) model.options.strategy = given.strategy;
  model.options.substrate = substrate_of(arguments, model.network, folder / "model.toml", problems);
  problems.raise();
  const InterruptGuard interrupt;
  TrainingProgressDisplay display(arguments.quiet, interrupt);
  const auto data = open_dataset(model.data, data_folder(arguments.data),
                                 test ? Split::test : Split::train, model.options.seed);
  if (data->size() == 0) {
    throw InputError(
        fmt::format("The data set '{}' has no {} samples: there is no accuracy to tell.",
                    data->name(), test ? "test" : "training"));
  }
  Trainer trainer(model.network, model.options);
  trainer.set_parameters(weights.parameters);
  (void)trainer.calibrate();
  const EvaluationResult result = training::evaluate(trainer, *data, display);
  display.clear();
  if (interrupt.requested()) return kInterrupted;
  for (const std::string& note : data->notes()) display.on_note(note);
  // What an emulated chip makes of the weights is told, but is not the result's own accuracy.
  if (test && trained.result && !model.options.substrate) add_evaluation(folder, model, result, raster_of(trainer, *data, 0));
  if (!arguments.quiet) {
    fmt::print("{}\n{}\n", class_table(result, class_names(model.data)),
               layer_table(model.network, result.layers));
    if (model.options.substrate)
      fmt::print("{}", substrate_text(*model.options.substrate, trainer.substrate_use(), result.links));
  }
  fmt::print("{} accuracy {:.2f} %, loss {:.4f}, {}, {}\n", test ? "test" : "training",
             100.0 * result.accuracy, result.loss, counted(data->size(), "sample"),
             trained.result ? fmt::format("epoch {}", weights.epoch) : "imported weights");
  return kOk;
}

}  // namespace tessera::cli
