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

std::string rewiring_text(const std::vector<RewiringCounts>& rewiring) {
  if (rewiring.empty()) return "";
  std::uint64_t formed = 0, eliminated = 0;
  for (const RewiringCounts& counts : rewiring) {
    formed += counts.formed;
    eliminated += counts.eliminated;
  }
  return fmt::format("+{} -{} synapses", grouped(formed), grouped(eliminated));
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
  const std::string epoch = epochs_ > 0 ? fmt::format("epoch {}/{}", p.epoch + 1, epochs_) : "";
  const std::string left = p.seconds_left > 0.0 ? "ETA " + clock_text(p.seconds_left) : "";
  line_.draw(fitted_line({{bar(share) + (epoch.empty() ? "" : " " + epoch), 0},
                          {fmt::format("loss {:.4g}", p.loss), 1},
                          {fmt::format("accuracy {:.1f} %", 100.0 * p.accuracy), 1},
                          {rate_text(p.samples_per_second), 3},
                          {left, 2},
                          {activity_text(p.layers), 4},
                          {rewiring_text(p.rewiring), 5}},
                         line_.draw_room()));
}

// What the next epochs are compared by stays longest on a narrow terminal.
void TrainingProgressDisplay::on_epoch(const EpochMetrics& e, bool best, const Trainer&) {
  if (quiet_) return;
  std::vector<LinePart> parts = {
      {fmt::format("epoch {:{}}/{}", e.epoch + 1, std::to_string(epochs_).size(), epochs_), 0},
      {fmt::format("loss {:.4f}", e.loss), 4},
      {fmt::format("accuracy {:.2f} %", 100.0 * e.accuracy), e.validated() ? 3 : 1}};
  if (e.validated()) {
    parts.push_back({fmt::format("validation {:.2f} %", 100.0 * e.validation_accuracy), 1});
    if (best) parts.push_back({"(best)", 2});
    parts.push_back({fmt::format("validation loss {:.4f}", e.validation_loss), 5});
  }
  parts.push_back({rate_text(e.samples_per_second), 6});
  parts.push_back({activity_text(e.layers), 7});
  parts.push_back({rewiring_text(e.rewiring), 6});
  line_.print(fitted_line(parts, line_.print_room()));
}

void TrainingProgressDisplay::on_note(const std::string& sentence) {
  warnings_.push_back(sentence);
  if (!quiet_) line_.print("note: " + sentence);
}

void TrainingProgressDisplay::on_warning(const std::string& sentence) {
  warnings_.push_back(sentence);
  line_.print("warning: " + sentence);
}

}  // namespace tessera::cli
