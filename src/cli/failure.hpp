// What went wrong, as sentences and an exit code.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>
#include <string>
#include <vector>

namespace tessera::cli {

struct Failure {
  int exit_code = 0;
  std::vector<std::string> sentences;
  /// One rank alone may have met it, so the others cannot know of it: they have to be told.
  bool of_one_rank = false;
};

[[nodiscard]] Failure describe(const std::exception_ptr& exception) noexcept;

/// "tessera: error: ...", a line per sentence, without the last line end.
[[nodiscard]] std::string text_of(const Failure& failure);

/// Writes that to standard error. Plain stdio: the stream may be closed, and nothing may be thrown.
void complain(const Failure& failure) noexcept;

}  // namespace tessera::cli
