// tessera plan of a training file: what a rank needs, counted.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cli/arguments.hpp"
#include "cli/values.hpp"
#include "tessera/training_plan.hpp"

namespace tessera::cli {

/// Whether a file has layers to train and no populations. Throws InputError where it cannot be read.
[[nodiscard]] bool is_training_file(const std::filesystem::path& path);
/// The same, and no where it cannot be read.
[[nodiscard]] bool looks_like_training(const std::filesystem::path& path);

/// A number above 0 and at most 1.
[[nodiscard]] double parse_share(const std::string& text, const std::string& option, Problems& problems);

int plan_training(const PlanArguments& arguments);

/// The object that --json writes for one number of ranks.
[[nodiscard]] std::string rank_plan_json(const training::RankPlan& plan);
/// Memory of a rank and time of a batch over ranks, for both ways to share.
[[nodiscard]] std::string rank_plan_svg(const std::string& title, const std::vector<training::RankPlan>& plans);

}  // namespace tessera::cli
