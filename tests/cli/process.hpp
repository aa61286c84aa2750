// Runs the tessera executable as a user would and looks at what it said, wrote and returned.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace tessera::test {

struct Outcome {
  int exit_code = -1;  ///< -1: ended by `signal`
  int signal = 0;
  std::string out, err;  ///< on a terminal: everything is in `err`
};

struct ProcessOptions {
  std::filesystem::path folder;                     ///< working directory
  std::optional<std::uint64_t> largest_file_bytes;  ///< stands in for a full disk
  std::optional<std::uint64_t> address_space_bytes;  ///< ulimit -v
  int pending_signal = 0;       ///< came before main(): blocked, and sent before the program starts
  bool ignore_hangups = false;  ///< as nohup does
  bool terminal = false;                            ///< standard error is a terminal
  unsigned short columns = 100;                     ///< of the terminal
  bool stdout_terminal = false;                     ///< standard output is one
  std::string stdout_file;                          ///< empty: collected
  std::vector<std::pair<std::string, std::string>> environment;  ///< variables beside those of the test
  /// Called with everything on standard error so far whenever something arrives there.
  std::function<void(pid_t, const std::string&)> on_error_output;
};

/// Runs a program: its path and its arguments. Kills it (and the test fails by the signal) after ten minutes.
Outcome run_program(std::vector<std::string> words, const ProcessOptions& options = {});

/// The same with build/.../tessera.
Outcome tessera(const std::vector<std::string>& arguments, const ProcessOptions& options = {});

/// Words separated by blanks; single quotes keep blanks together.
std::vector<std::string> words_of(const std::string& line);

/// A folder of its own below the system's temporary folder, removed at the end.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ / name; }
  /// Names of everything inside, with its folders ("a/b").
  [[nodiscard]] std::set<std::string> contents() const;

 private:
  std::filesystem::path path_;
};

void write_text(const std::filesystem::path& file, const std::string& text);
std::string read_text(const std::filesystem::path& file);

}  // namespace tessera::test
