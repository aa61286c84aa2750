// What lies in a result folder: results, what an ended program left, and what is not ours.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace tessera {

/// Held by whoever writes into a folder; see cli/output_folder.hpp.
inline constexpr const char* kLockFile = ".tessera.lock";

enum class ResultKind { run, training, samples, circuit };

/// Names in the folder, sorted, but for the lock and for files in the making ("." NAME ".partial" of
/// a NAME that Tessera writes): these are no content. Empty when the folder cannot be read.
[[nodiscard]] std::vector<std::string> content_of(const std::filesystem::path& folder);

/// Removes files in the making. Only for who holds the lock: nobody else is writing them then.
void remove_leftovers(const std::filesystem::path& folder);

/// Files that a result of this kind would replace although Tessera did not write them: they have
/// the name of one, but not what such a file begins with; or, model.toml of a training, which may
/// begin with anything, are not what report.json has the checksum of.
[[nodiscard]] std::vector<std::string> foreign_files(const std::filesystem::path& folder,
                                                     ResultKind kind);

}  // namespace tessera
