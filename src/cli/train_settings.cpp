// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "cli/train_settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <limits>
#include <system_error>

#include "cli/output_folder.hpp"
#include "cli/substrate.hpp"

namespace tessera::cli {
namespace {

constexpr std::uint64_t kMostThreads = 4096;
constexpr std::uint64_t kMostSlices = 4096;
constexpr std::uint64_t kMostEpochs = 1'000'000;

void apply_options(const TrainArguments& arguments, training::Options& options,
                   Problems& problems) {
  if (arguments.epochs) {
    if (const auto n = parse_whole(*arguments.epochs, 1, kMostEpochs, "--epochs", problems))
      options.epochs = static_cast<std::uint32_t>(*n);
  }
  if (arguments.seed) {
    const auto most = std::numeric_limits<std::uint64_t>::max();
    if (const auto n = parse_whole(*arguments.seed, 0, most, "--seed", problems)) options.seed = *n;
  }
  if (arguments.slices) {
    if (const auto n = parse_whole(*arguments.slices, 1, kMostSlices, "--slices", problems))
      options.slices = static_cast<std::uint32_t>(*n);
  }
  if (arguments.parallel) {
    if (const auto choice = parse_choice(*arguments.parallel, {"auto", "data", "model"}, "--parallel", problems))
      options.parallel = std::array{training::Parallel::automatic, training::Parallel::data, training::Parallel::model}[*choice];
  }
  apply_training_options(arguments.threads, arguments.strategy, options, problems);
}

void check_out(const TrainSettings& settings, Problems& problems) {
  if (settings.resume && settings.force) {
    problems.add("--resume", "continues a result and --force replaces it; choose one.");
  }
  if (!settings.resume) {
    return check_output_folder(settings.out, settings.force, ResultKind::training, problems);
  }
  std::error_code error;
  if (!std::filesystem::is_regular_file(settings.out / "checkpoint.safetensors", error)) {
    problems.add("--resume", fmt::format("there is no checkpoint in '{}' to go on from.",
                                         settings.out.string()));
  } else {
    check_foreign_files(settings.out, ResultKind::training, problems);
  }
}

void check_weights(const Text& given, TrainSettings& settings, Problems& problems) {
  if (!given) return;
  if (settings.resume) problems.add("--weights", "--resume goes on with the weights of the checkpoint; choose one.");
  settings.weights = *given;
  std::error_code error;
  if (std::filesystem::is_directory(settings.weights, error)) settings.weights /= "weights.safetensors";
  if (!std::filesystem::is_regular_file(settings.weights, error))
    problems.add("--weights", fmt::format("there is no file '{}'.", settings.weights.string()));
}

}  // namespace

training::TrainingModel load_for_ranks(const std::string& file, int ranks, std::vector<ParameterOverride>& overrides) {
  training::TrainingModel model = training::load_training_file(file, overrides);
  const bool given = std::any_of(overrides.begin(), overrides.end(), [](const auto& one) { return one.first == "ranks"; });
  if (ranks == 1 || given || model.parameters.count("ranks") == 0) return model;
  overrides.emplace_back("ranks", std::to_string(ranks));
  return training::load_training_file(file, overrides);
}

std::filesystem::path data_folder(const Text& given) {
  if (given) return *given;
  const char* const folder = std::getenv("TESSERA_DATA_DIR");
  return folder != nullptr && *folder != '\0' ? folder : "data";
}

void apply_training_options(const Text& threads, const Text& strategy, training::Options& options,
                            Problems& problems) {
  if (threads) {
    if (const auto n = parse_whole(*threads, 1, kMostThreads, "--threads", problems))
      options.threads = static_cast<int>(*n);
  }
  if (!strategy) return;
  using training::Strategy;
  constexpr Strategy kinds[] = {Strategy::automatic, Strategy::sparse, Strategy::dense,
                                Strategy::reference};
  if (const auto choice =
          parse_choice(*strategy, {"auto", "sparse", "dense", "reference"}, "--strategy", problems))
    options.strategy = kinds[*choice];
}

TrainSettings resolve(const TrainArguments& arguments, const std::shared_ptr<Communicator>& ranks, bool writes) {
  Problems problems;
  require_given(arguments.model, "MODEL", "tessera train models/training/yin_yang.toml", problems);
  TrainSettings settings;
  settings.overrides = parse_overrides(arguments.set, problems);
  settings.force = arguments.force;
  settings.quiet = arguments.quiet;
  settings.resume = arguments.resume;
  settings.data = data_folder(arguments.data);
  settings.out = arguments.out.value_or(
      "results/" + std::filesystem::path(arguments.model.value_or("")).stem().string());
  if (writes || settings.resume) check_out(settings, problems);
  check_weights(arguments.weights, settings, problems);
  if (arguments.model) {
    try {
      settings.model = load_for_ranks(*arguments.model, ranks ? ranks->size() : 1, settings.overrides);
      apply_options(arguments, settings.model.options, problems);
      settings.model.options.communicator = ranks;
      settings.model.options.substrate = substrate_of(arguments, settings.model.network, *arguments.model, problems);
      problems.add(training::validate(settings.model.network, settings.model.options));
    } catch (const InputError& error) {
      problems.add(error.problems());
      training::Options unused;
      apply_options(arguments, unused, problems);
    }
  }
  problems.raise();
  if (arguments.cache) settings.model.data.cache_folder = *arguments.cache;
  return settings;
}

}  // namespace tessera::cli
