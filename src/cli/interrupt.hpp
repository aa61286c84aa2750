// Ctrl-C: the first one asks the run to end at a step boundary, the second ends the program at
// once.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

namespace tessera::cli {

/// Watches SIGINT and SIGTERM while it lives; one at a time.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;
  [[nodiscard]] bool requested() const noexcept;
};

}  // namespace tessera::cli
