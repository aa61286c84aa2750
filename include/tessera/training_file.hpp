// Training files: a network to train, its data, loss, optimiser and schedule, written as TOML.
// docs/training.md has every key.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "tessera/data.hpp"
#include "tessera/model_file.hpp"
#include "tessera/training.hpp"

namespace tessera::training {

/// What a training file says, defaults filled in: network.input, .classes, .steps and .dt_ms are
/// those of the data set and its encoder.
struct TrainingModel {
  Network network;
  Options options;
  DataSpec data;
  std::map<std::string, double> parameters;    ///< named parameters, with their overrides
  std::map<std::string, std::string> choices;  ///< those that are words
  std::string text;                            ///< the file as it was read
};

/// Reads, substitutes parameters and validates. `overrides` are named parameters, as for
/// load_model_file. Throws InputError with all problems of the file at once, each with
/// file:line:column and key path: unknown keys, values of a wrong type, unit or range, keys that
/// have no effect beside others, and what validate() finds in network, options and data.
[[nodiscard]] TrainingModel load_training_file(
    const std::filesystem::path& path, const std::vector<ParameterOverride>& overrides = {});

/// The same from text; `name` stands for the file in messages.
[[nodiscard]] TrainingModel parse_training_model(
    const std::string& text, const std::string& name,
    const std::vector<ParameterOverride>& overrides = {});

/// A number that two models share when they train the same weights: everything but the number of
/// epochs and threads, the patience and the strategy counts. A training is resumed only with its
/// own.
[[nodiscard]] std::uint64_t model_digest(const TrainingModel& model);

}  // namespace tessera::training
