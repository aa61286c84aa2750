// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "cli/output_folder.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace tessera::cli {

namespace fs = std::filesystem;

void check_output_folder(const fs::path& folder, bool force, Problems& problems) {
  std::error_code error;
  const fs::file_status status = fs::status(folder, error);
  if (!fs::exists(status)) return;
  if (!fs::is_directory(status)) {
    problems.add("--out", fmt::format("'{}' exists and is not a folder.", folder.string()));
    return;
  }
  if (!force && !fs::is_empty(folder, error) && !error) {
    problems.add("--out", fmt::format("the folder '{}' is not empty; choose another one, or add "
                                      "--force to replace the result in it (other files stay).",
                                      folder.string()));
  }
}

void require_writable(const fs::path& folder) {
  fs::path existing = fs::absolute(folder);
  std::error_code error;
  while (!fs::exists(existing, error) && existing.has_parent_path() &&
         existing != existing.parent_path()) {
    existing = existing.parent_path();
  }
  if (access(existing.c_str(), W_OK | X_OK) != 0) {
    throw RunError(fmt::format("cannot write into '{}': {}.", existing.string(),
                               std::generic_category().message(errno)));
  }
  if (!fs::is_directory(existing, error)) {
    throw RunError(fmt::format("cannot make the folder '{}': '{}' is not a folder.",
                               folder.string(), existing.string()));
  }
}

fs::path checkpoint_file(const fs::path& folder, double time_ms) {
  return folder / fmt::format("checkpoint_{:.10g}ms.tsc", time_ms);
}

}  // namespace tessera::cli
