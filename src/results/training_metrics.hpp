// Metrics of a training as JSON text (metrics.json, and inside checkpoints), and reading reports.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tessera/training.hpp"

namespace tessera::io {

/// A list of objects; epochs are counted from 1, numbers read back equal, what is
/// not finite is null.
[[nodiscard]] nlohmann::ordered_json metrics_json(
    const std::vector<training::EpochMetrics>& epochs);
/// Throws InputError (`name` and the key) for text that is no such list.
[[nodiscard]] std::vector<training::EpochMetrics> parse_metrics(const std::string& text,
                                                                const std::string& name);
/// JSON of bounded depth, keys in the order of the text; throws InputError for anything else.
/// `name` stands for the file.
[[nodiscard]] nlohmann::ordered_json parse_json(const std::string& text, const std::string& name);

/// report.json of a training or a run, without its checksum, which has to fit. Throws InputError.
[[nodiscard]] nlohmann::ordered_json read_report(const std::filesystem::path& file);

}  // namespace tessera::io
