// Errors a user of the library can meet. Every one carries typed fields and a full sentence.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace tessera {

/// Where something was said: a file position (1-based, 0 = unknown) and the key path inside it.
struct SourceLocation {
  std::string file;
  int line = 0;
  int column = 0;
  std::string key_path;  ///< for example "populations.L23E.size"

  /// "file:line:column (key)", with the unknown parts left out.
  [[nodiscard]] std::string to_string() const;
};

/// One thing that is wrong with an input, as a full sentence without a trailing newline.
struct Problem {
  SourceLocation where;
  std::string message;
};

/// Bad input: all problems that were found in one pass. Exit code 2.
class InputError : public std::runtime_error {
 public:
  explicit InputError(std::vector<Problem> problems);
  explicit InputError(std::string message);
  [[nodiscard]] const std::vector<Problem>& problems() const noexcept { return problems_; }

 private:
  std::vector<Problem> problems_;
};

/// A run that could not go on: a full disk, a neuron whose state became NaN, ... Exit code 1.
class RunError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A neuron whose state stopped being a finite number, or a population that fires above the limit.
class ActivityError : public RunError {
 public:
  ActivityError(const std::string& sentence, std::string which_population,
                std::uint64_t which_neuron, std::int64_t at_step)
      : RunError(sentence), population(std::move(which_population)), neuron(which_neuron),
        step(at_step) {}
  std::string population;
  std::uint64_t neuron;  ///< index inside the population
  std::int64_t step;     ///< time step, in units of dt
};

/// The candidate nearest to `word` (edit distance at most a third of its length, at least 1), or "".
[[nodiscard]] std::string nearest_name(const std::string& word,
                                       const std::vector<std::string>& candidates);

/// " Did you mean 'X'?" or "" when nothing is near.
[[nodiscard]] std::string did_you_mean(const std::string& word,
                                       const std::vector<std::string>& candidates);

}  // namespace tessera
