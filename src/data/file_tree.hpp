// The files of a data set: in a folder, or still in the tar archive (.tar, .tar.gz) it was
// downloaded as.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace tessera::training {

class FileTree {
 public:
  virtual ~FileTree() = default;
  /// Paths below the root, with '/', sorted.
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }
  /// The bytes of names()[i]. May be called from any thread. Throws InputError.
  [[nodiscard]] virtual std::string read(std::size_t i) const = 0;
  /// What messages call names()[i]: "folder/name", "archive.tar:name".
  [[nodiscard]] virtual std::string describe(std::size_t i) const = 0;
  /// The files that hold it: for a folder all of them.
  [[nodiscard]] virtual std::vector<std::filesystem::path> files() const = 0;
  /// Index of a name, or names().size().
  [[nodiscard]] std::size_t find(const std::string& name) const;

 protected:
  std::vector<std::string> names_;
};

/// Only files with one of these extensions (".wav"; compared without case) are listed; sub-folders
/// to a depth of four. Files of more than 1 GiB are refused when they are read.
[[nodiscard]] std::shared_ptr<const FileTree> open_folder(
    const std::filesystem::path& folder, const std::vector<std::string>& extensions);
/// Reads the archive into memory (at most 8 GiB of matching files). Throws InputError: a damaged
/// archive.
[[nodiscard]] std::shared_ptr<const FileTree> open_tar(const std::filesystem::path& archive,
                                                       const std::vector<std::string>& extensions);

}  // namespace tessera::training
