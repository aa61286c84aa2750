// The folder a command writes into: refused early, locked while it is written, never cleaned of other
// people's files.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <vector>

#include "cli/values.hpp"
#include "record/result_folder.hpp"

namespace tessera::cli {

/// Adds a problem when the folder is in use; is not empty and `force` is false; holds files that
/// `force` would replace although Tessera did not write them; or is not a folder at all.
void check_output_folder(const std::filesystem::path& folder, bool force, ResultKind kind,
                         Problems& problems);

/// The last but one of these only: for who goes on with a result.
void check_foreign_files(const std::filesystem::path& folder, ResultKind kind, Problems& problems);

/// Throws RunError when the folder could not be made or written into; writes nothing.
void require_writable(const std::filesystem::path& folder);

/// Keeps other commands out of a folder while it lives. Makes the folder; removes what an ended
/// command left half written; at the end the lock goes, and the folder too if nothing was put into
/// it. The lock is `.tessera.lock` with the process in it, held by the kernel for as long as the
/// process lives: that of a dead one is taken over. Where a file system knows no locks there is none.
class OutputLock {
 public:
  /// Throws InputError when another process writes into the folder, RunError when it cannot be made.
  explicit OutputLock(const std::filesystem::path& folder);
  ~OutputLock();
  OutputLock(const OutputLock&) = delete;
  OutputLock& operator=(const OutputLock&) = delete;

 private:
  std::filesystem::path file_;
  std::vector<std::filesystem::path> made_;  // folders, outermost first
  int descriptor_ = -1;
};

/// DIR/checkpoint_<time>ms.tsc
[[nodiscard]] std::filesystem::path checkpoint_file(const std::filesystem::path& folder,
                                                    double time_ms);

}  // namespace tessera::cli
