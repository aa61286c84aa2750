// Collects the problems of a model file, each with its position and key path.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "files/toml.hpp"
#include "tessera/errors.hpp"

namespace tessera::io {

class ModelDiagnostics {
 public:
  explicit ModelDiagnostics(std::string file) : file_(std::move(file)) {}

  /// Remembers where a key path is written; problems found later by name are placed with it.
  void remember(const std::string& path, const toml::source_region& region);

  [[nodiscard]] bool remembers(const std::string& path) const { return positions_.contains(path); }

  /// The same problem at the same place counts once. Throws InputError after 100 problems.
  void add(const toml::source_region& region, const std::string& path, std::string message);
  /// The same for a value that is right, but more than Tessera can hold.
  void add_too_large(const toml::source_region& region, const std::string& path,
                     std::string message);
  /// A problem of the network as it was read, which knows only its key path: placed at the longest
  /// remembered part of the path. Left out when it is about a value that could not be read, or may
  /// only follow from one (a `discard` beyond a `time` that is a mistake itself).
  void add(Problem problem, bool too_large = false);
  /// Marks a value that could not be read and was reported elsewhere (it names a bad parameter).
  void spoil(const std::string& path);
  [[nodiscard]] bool is_spoiled(const std::string& path) const { return spoiled_.contains(path); }
  /// A problem that leaves all values readable.
  void add_harmless(const toml::source_region& region, const std::string& path,
                    std::string message);
  /// "Unknown ...": `message` plus the nearest of the candidates.
  void add_unknown(const toml::source_region& region, const std::string& path, std::string message,
                   const std::string& word, const std::vector<std::string>& candidates,
                   bool harmless = false);

  [[nodiscard]] SourceLocation location(const toml::source_region& region,
                                        const std::string& path) const;
  /// Whether every value could be read.
  [[nodiscard]] bool readable() const noexcept { return spoiled_.empty(); }
  /// Throws InputError with all problems, in the order of the file, when there are any; a
  /// TooLargeError when all are about sizes.
  void raise();

 private:
  void append(Problem problem, bool too_large = false);
  [[nodiscard]] bool is_doubtful(const std::string& path) const;

  std::string file_;
  std::unordered_map<std::string, toml::source_position> positions_;
  std::unordered_set<std::string> seen_;
  std::unordered_map<std::string, int> at_one_place_;
  std::unordered_set<std::string> spoiled_;  // key paths of values that could not be read
  std::vector<Problem> problems_;
  std::size_t too_large_ = 0;  // of the problems
};

}  // namespace tessera::io
