// Shows how a training is getting on: a bar for the epoch, a line for every epoch that is done.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "cli/interrupt.hpp"
#include "cli/status_line.hpp"
#include "tessera/training.hpp"

namespace tessera::cli {

/// Writes to standard error: nothing when quiet, except warnings.
class TrainingProgressDisplay : public training::FitObserver {
 public:
  TrainingProgressDisplay(bool quiet, const InterruptGuard& interrupt);

  /// A phase that cannot say how far it is ("reading the data").
  void phase(const std::string& sentence);
  void clear() { line_.clear(); }
  /// Epochs are counted to `epochs`; 0 while only an evaluation goes on.
  void expect(std::uint32_t epochs) { epochs_ = epochs; }

  void on_batch(const training::TrainingProgress& progress) override;
  void on_epoch(const training::EpochMetrics& epoch, bool best,
                const training::Trainer& trainer) override;
  void on_warning(const std::string& sentence) override;
  /// Something to know that needs no action; kept with the warnings.
  void on_note(const std::string& sentence);
  [[nodiscard]] bool stop_requested() override { return interrupt_.requested(); }
  [[nodiscard]] const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  using Clock = std::chrono::steady_clock;
  [[nodiscard]] bool is_due();

  bool quiet_;
  const InterruptGuard& interrupt_;
  StatusLine line_;
  std::uint32_t epochs_ = 0;
  Clock::time_point last_drawn_;
  std::vector<std::string> warnings_;
};

/// "hidden 5.1 %, output 12 %": the share of neurons that spike in a step.
[[nodiscard]] std::string activity_text(const std::vector<training::LayerActivity>& layers);

}  // namespace tessera::cli
