// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "cli/progress.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/text.hpp"

namespace tessera::cli {
namespace {

constexpr double kSilentSeconds = 2.0;
// On a terminal four lines a second; elsewhere after 10 % and 2 s, or 30 s, whichever comes first.
constexpr double kRedrawSeconds = 0.25;
constexpr double kSparseShare = 0.1, kSparseSeconds = 2.0, kLongestPause = 30.0;

}  // namespace

ProgressDisplay::ProgressDisplay(bool quiet, const InterruptGuard& interrupt)
    : quiet_(quiet), interrupt_(interrupt), begin_(Clock::now()) {}

void ProgressDisplay::phase(const std::string& sentence) {
  if (!quiet_) line_.draw(sentence);
}

void ProgressDisplay::begin_run(double start_ms, double end_ms) {
  clear();
  start_ms_ = start_ms;
  end_ms_ = end_ms;
  begin_ = Clock::now();
  last_drawn_seconds_ = last_drawn_share_ = 0.0;
}

void ProgressDisplay::on_progress(const Progress& progress) {
  if (quiet_ || end_ms_ <= start_ms_) return;
  const double elapsed = std::chrono::duration<double>(Clock::now() - begin_).count();
  if (elapsed < kSilentSeconds) return;
  const double share = (progress.model_time_ms - start_ms_) / (end_ms_ - start_ms_);
  const double pause = elapsed - last_drawn_seconds_;
  const bool due = line_.terminal()
                       ? pause >= kRedrawSeconds
                       : last_drawn_seconds_ == 0.0 || pause >= kLongestPause ||
                             (share - last_drawn_share_ >= kSparseShare && pause >= kSparseSeconds);
  if (!due) return;
  last_drawn_seconds_ = elapsed;
  last_drawn_share_ = share;
  line_.draw(line(progress, elapsed));
}

std::string ProgressDisplay::line(const Progress& progress, double elapsed) const {
  const double done = progress.model_time_ms - start_ms_;
  const double share = std::clamp(done / (end_ms_ - start_ms_), 0.0, 1.0);
  const std::string left =
      done > 0.0 ? clock_text(elapsed * (end_ms_ - progress.model_time_ms) / done) : "?";
  return fmt::format(
      "{:3.0f} %  {} of {}  ETA {}  real-time factor {:.2f}  {} spikes/s", 100.0 * share,
      time_text(progress.model_time_ms), time_text(end_ms_), left, progress.real_time_factor,
      grouped(static_cast<std::uint64_t>(std::max(0.0, progress.spikes_per_second))));
}

}  // namespace tessera::cli
