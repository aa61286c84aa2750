// The folder a run writes into: refused early, made late, never cleaned of other people's files.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "cli/values.hpp"

namespace tessera::cli {

/// Adds a problem when the folder is not empty and `force` is false, or is not a folder at all.
void check_output_folder(const std::filesystem::path& folder, bool force, Problems& problems);

/// Throws RunError when the folder could not be made or written into; writes nothing.
void require_writable(const std::filesystem::path& folder);

/// DIR/checkpoint_<time>ms.tsc
[[nodiscard]] std::filesystem::path checkpoint_file(const std::filesystem::path& folder,
                                                    double time_ms);

}  // namespace tessera::cli
