// The progress of what lists synapses.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <chrono>
#include <cstdint>

#include "cli/status_line.hpp"
#include "cli/text.hpp"

namespace tessera::cli {

/// How far a long list of synapses is; nothing in the first two seconds.
class Countdown {
 public:
  /// `every`: how many calls of show() there are for one look at the clock.
  Countdown(bool quiet, double expected, unsigned every = 64) : quiet_(quiet), expected_(expected), every_(every) {}
  void clear() { line_.clear(); }
  void show(std::uint64_t done) {
    if (quiet_ || ++calls_ % every_ != 0) return;
    const auto now = std::chrono::steady_clock::now();
    if (now < next_) return;
    next_ = now + (line_.terminal() ? std::chrono::milliseconds(250) : std::chrono::seconds(30));
    line_.draw(fmt::format("{:.0f} %  {} of about {}",
                           100.0 * static_cast<double>(done) / expected_, grouped(done),
                           counted(static_cast<std::uint64_t>(expected_), "synapse")));
  }

 private:
  bool quiet_;
  double expected_;
  unsigned every_;
  StatusLine line_;
  std::uint64_t calls_ = 0;
  std::chrono::steady_clock::time_point next_ =
      std::chrono::steady_clock::now() + std::chrono::seconds(2);
};

}  // namespace tessera::cli
