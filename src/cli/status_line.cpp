// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "cli/status_line.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "base/printable.hpp"

namespace tessera::cli {
namespace {

bool is_terminal() {
  const char* const kind = std::getenv("TERM");
  return isatty(STDERR_FILENO) == 1 && kind != nullptr && std::strcmp(kind, "dumb") != 0;
}

std::size_t terminal_columns() {
  struct winsize size = {};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80u;
}

const std::string kPrefix = "tessera: ";

}  // namespace

StatusLine::StatusLine() : terminal_(is_terminal()) {}

// The last column stays free: some terminals begin a new line after it.
std::size_t StatusLine::draw_room() const {
  return terminal_ ? terminal_columns() - 1 : std::numeric_limits<std::size_t>::max();
}

std::size_t StatusLine::print_room() const {
  const std::size_t room = draw_room();
  return room > kPrefix.size() ? room - kPrefix.size() : 0;
}

void StatusLine::draw(const std::string& text) {
  if (terminal_) {
    std::fputs(("\r\033[K" + printable(text).substr(0, terminal_columns() - 1)).c_str(), stderr);
  } else {
    std::fputs((kPrefix + printable(text) + "\n").c_str(), stderr);
  }
  std::fflush(stderr);
  drawn_ = true;
}

void StatusLine::clear() {
  if (drawn_ && terminal_) std::fputs("\r\033[K", stderr);
  drawn_ = false;
}

void StatusLine::print(const std::string& text) {
  clear();
  std::fputs((kPrefix + printable(text) + "\n").c_str(), stderr);
  std::fflush(stderr);
}

}  // namespace tessera::cli
