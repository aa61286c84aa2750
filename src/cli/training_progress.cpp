// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "cli/training_progress.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cli/text.hpp"

namespace tessera::cli {
namespace {

using namespace training;

// On a terminal five lines a second; elsewhere epochs say enough, unless they take long.
constexpr double kRedrawSeconds = 0.2, kLongestPause = 30.0;
// Epochs of milliseconds need no line each.
constexpr double kEpochSeconds = 0.1;
constexpr int kBarWidth = 20;
constexpr std::size_t kMostLayersShown = 4;

std::string bar(double share) {
  const int full = static_cast<int>(std::clamp(share, 0.0, 1.0) * kBarWidth);
  return "[" + std::string(static_cast<std::size_t>(full), '#') +
         std::string(static_cast<std::size_t>(kBarWidth - full), '.') + "]";
}

std::string rate_text(double samples_per_second) {
  return grouped(static_cast<std::uint64_t>(std::max(0.0, samples_per_second))) + " samples/s";
}

}  // namespace

std::string activity_text(const std::vector<LayerActivity>& layers) {
  std::string text;
  for (std::size_t i = 0; i < std::min(layers.size(), kMostLayersShown); ++i) {
    const auto steps = static_cast<double>(layers[i].neuron_steps);
    const double share = steps > 0.0 ? 100.0 * static_cast<double>(layers[i].spikes) / steps : 0.0;
    text += fmt::format("{}{} {:.2g} %", text.empty() ? "" : ", ", layers[i].name, share);
  }
  return layers.size() > kMostLayersShown ? text + ", ..." : text;
}

TrainingProgressDisplay::TrainingProgressDisplay(bool quiet, const InterruptGuard& interrupt)
    : quiet_(quiet), interrupt_(interrupt), last_drawn_(Clock::now()) {}

void TrainingProgressDisplay::phase(const std::string& sentence) {
  if (!quiet_ && line_.terminal()) line_.draw(sentence);
}

bool TrainingProgressDisplay::is_due() {
  const Clock::time_point now = Clock::now();
  const double pause = std::chrono::duration<double>(now - last_drawn_).count();
  if (pause < (line_.terminal() ? kRedrawSeconds : kLongestPause)) return false;
  last_drawn_ = now;
  return true;
}

void TrainingProgressDisplay::on_batch(const TrainingProgress& p) {
  if (quiet_ || !is_due()) return;
  const double share =
      p.batches > 0 ? static_cast<double>(p.batch) / static_cast<double>(p.batches) : 0.0;
  std::string text = bar(share);
  if (epochs_ > 0) text += fmt::format(" epoch {}/{}", p.epoch + 1, epochs_);
  text += fmt::format("  loss {:.4g}  accuracy {:.1f} %  {}", p.loss, 100.0 * p.accuracy,
                      rate_text(p.samples_per_second));
  if (p.seconds_left > 0.0) text += "  ETA " + clock_text(p.seconds_left);
  line_.draw(text + "  " + activity_text(p.layers));
}

void TrainingProgressDisplay::on_epoch(const EpochMetrics& e, bool best, const Trainer&) {
  if (quiet_) return;
  const Clock::time_point now = Clock::now();
  const double pause = std::chrono::duration<double>(now - last_epoch_).count();
  if (e.epoch > 0 && e.epoch + 1 < epochs_ && pause < kEpochSeconds) return;
  last_epoch_ = now;
  std::string text =
      fmt::format("epoch {:{}}/{}  loss {:.4f}  accuracy {:.2f} %", e.epoch + 1,
                  std::to_string(epochs_).size(), epochs_, e.loss, 100.0 * e.accuracy);
  if (e.validation_loss != e.loss) {
    text += fmt::format("  validation {:.4f}  {:.2f} %{}", e.validation_loss,
                        100.0 * e.validation_accuracy, best ? " (best)" : "");
  }
  line_.print(text +
              fmt::format("  {}  {}", rate_text(e.samples_per_second), activity_text(e.layers)));
}

void TrainingProgressDisplay::on_warning(const std::string& sentence) {
  warnings_.push_back(sentence);
  line_.print("warning: " + sentence);
}

}  // namespace tessera::cli
