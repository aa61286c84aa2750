// One line on standard error that is redrawn in place on a terminal, and written out elsewhere.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>

namespace tessera::cli {

class StatusLine {
 public:
  StatusLine();
  ~StatusLine() { clear(); }
  StatusLine(const StatusLine&) = delete;
  StatusLine& operator=(const StatusLine&) = delete;

  /// Replaces the line. Elsewhere than on a terminal: a line of its own, "tessera: TEXT".
  void draw(const std::string& text);
  /// Removes the line (on a terminal).
  void clear();
  /// A line that stays, above the one that is redrawn.
  void print(const std::string& text);
  [[nodiscard]] bool terminal() const noexcept { return terminal_; }
  /// What fits into one line; elsewhere than on a terminal: everything.
  [[nodiscard]] std::size_t draw_room() const;
  [[nodiscard]] std::size_t print_room() const;

 private:
  bool terminal_;
  bool drawn_ = false;
};

}  // namespace tessera::cli
