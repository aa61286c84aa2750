// Ctrl-C, SIGTERM and SIGHUP: the first one asks the run to end at a step boundary, the second ends
// the program at once.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

namespace tessera::cli {

/// The first thing that main() does: from here on SIGINT, SIGTERM and SIGHUP end the program with
/// exit code 130, at once while there is no guard. SIGHUP stays ignored where it was (nohup).
void watch_for_interrupts();

/// While it lives, the first signal is only noted: what is being done comes to a whole end. One at a
/// time, after watch_for_interrupts().
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;
  [[nodiscard]] bool requested() const noexcept;
};

}  // namespace tessera::cli
