// What `tessera train` and `tessera evaluate` are asked to do, with every mistake reported at once.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/arguments.hpp"
#include "cli/values.hpp"
#include "tessera/communicator.hpp"
#include "tessera/training_file.hpp"

namespace tessera::cli {

struct TrainSettings {
  training::TrainingModel model;
  std::vector<ParameterOverride> overrides;
  std::filesystem::path out, data;
  std::filesystem::path weights;  ///< to begin with; empty: drawn
  bool force = false, quiet = false, resume = false;
};
/// `ranks`: those that train together (null: alone). `writes`: this one writes the result.
[[nodiscard]] TrainSettings resolve(const TrainArguments& arguments, const std::shared_ptr<Communicator>& ranks,
                                    bool writes);

/// A model parameter called `ranks` follows the number of ranks, unless `overrides` have another one. It becomes one of
/// them, so that what reads the result finds the same network.
[[nodiscard]] training::TrainingModel load_for_ranks(const std::string& file, int ranks,
                                                     std::vector<ParameterOverride>& overrides);

/// --data, else the environment's TESSERA_DATA_DIR, else "data".
[[nodiscard]] std::filesystem::path data_folder(const Text& given);

/// --threads and --strategy.
void apply_training_options(const Text& threads, const Text& strategy, training::Options& options,
                            Problems& problems);

}  // namespace tessera::cli
