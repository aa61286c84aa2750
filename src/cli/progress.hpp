// Shows how a run is getting on: one line redrawn in place on a terminal, sparse lines elsewhere.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>

#include "cli/interrupt.hpp"
#include "cli/status_line.hpp"
#include "tessera/simulation.hpp"

namespace tessera::cli {

/// Writes to standard error. Nothing about the run itself is shown in its first two seconds.
class ProgressDisplay : public RunObserver {
 public:
  ProgressDisplay(bool quiet, const InterruptGuard& interrupt);

  /// A phase that cannot say how far it is ("building connectivity: ...").
  void phase(const std::string& sentence);
  /// The run goes from `start_ms` to `end_ms`, possibly by several calls of Simulation::run.
  void begin_run(double start_ms, double end_ms);
  void clear() { line_.clear(); }

  void on_progress(const Progress& progress) override;
  [[nodiscard]] bool stop_requested() override { return interrupt_.requested(); }

 private:
  using Clock = std::chrono::steady_clock;
  [[nodiscard]] std::string line(const Progress& progress, double elapsed) const;

  bool quiet_;
  StatusLine line_;
  const InterruptGuard& interrupt_;
  double start_ms_ = 0.0, end_ms_ = 0.0;
  Clock::time_point begin_;
  double last_drawn_seconds_ = 0.0, last_drawn_share_ = 0.0;
};

}  // namespace tessera::cli
