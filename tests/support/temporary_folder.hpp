// A fresh folder for one test, removed at its end.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>
#include <filesystem>
#include <set>
#include <stdexcept>
#include <string>

namespace tessera {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "tessera_test_XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::filesystem::path operator/(const std::string& name) const {
    return path_ / name;
  }
  /// Names in the folder, sorted, hidden ones too, separated by spaces.
  [[nodiscard]] std::string listing() const;

 private:
  std::filesystem::path path_;
};

inline std::string TemporaryFolder::listing() const {
  std::string names;
  std::set<std::string> sorted;
  for (const auto& entry : std::filesystem::directory_iterator(path_)) {
    sorted.insert(entry.path().filename().string());
  }
  for (const std::string& name : sorted) names += (names.empty() ? "" : " ") + name;
  return names;
}

}  // namespace tessera
