// Recorded weights over time: which share of the synapses has which weight.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "plot/svg.hpp"
#include "tessera/plot.hpp"

namespace tessera {
namespace {

using svg::Canvas;
using What = WeightRecording::What;

constexpr double kWidth = 720.0, kHeight = 360.0;
constexpr svg::Frame kFrame{70.0, 76.0, 560.0, 226.0};
constexpr std::size_t kMostTimes = 140, kMostBins = 60;  // cells that a file can hold

/// Shares of synapses by time and bin, and the mean weight over time.
struct Distribution {
  std::vector<double> times_ms, edges, share, mean;  ///< share[t * bins + b]
  [[nodiscard]] std::size_t bins() const { return edges.size() - 1; }
};

// As many times as can be told apart, the first and the last among them.
std::vector<std::size_t> some_times(std::size_t number) {
  std::vector<std::size_t> times;
  const std::size_t shown = std::min(number, kMostTimes);
  for (std::size_t i = 0; i < shown; ++i) times.push_back(shown == 1 ? 0 : i * (number - 1) / (shown - 1));
  return times;
}

void add_time(Distribution& d, double time_ms, const std::vector<double>& counts, double sum) {
  double total = 0.0;
  for (const double count : counts) total += count;
  d.times_ms.push_back(time_ms);
  for (const double count : counts) d.share.push_back(total > 0.0 ? count / total : 0.0);
  d.mean.push_back(total > 0.0 ? sum / total : std::nan(""));
}

Distribution from_histogram(const WeightRecord& record) {
  Distribution d;
  const std::size_t bins = record.edges.size() - 1, joined = (bins + kMostBins - 1) / kMostBins;
  for (std::size_t b = 0; b < bins; b += joined) d.edges.push_back(record.edges[b]);
  d.edges.push_back(record.edges.back());
  for (const std::size_t t : some_times(record.times_ms.size())) {
    std::vector<double> counts(d.bins(), 0.0);
    double sum = 0.0;  // a bin's weights are taken to lie in its middle
    for (std::size_t b = 0; b < bins; ++b) {
      const auto count = static_cast<double>(record.counts[t * bins + b]);
      counts[b / joined] += count;
      sum += count * 0.5 * (record.edges[b] + record.edges[b + 1]);
    }
    add_time(d, record.times_ms[t], counts, sum);
  }
  return d;
}

Distribution from_synapses(const WeightRecord& record) {
  Distribution d;
  float low = 0.0F, high = 0.0F;
  for (const float w : record.weights) {
    if (!std::isfinite(w)) continue;
    low = std::min(low, w);
    high = std::max(high, w);
  }
  if (low == high) high = 1.0F;
  for (std::size_t b = 0; b <= kMostBins; ++b) d.edges.push_back(low + (static_cast<double>(high) - low) * static_cast<double>(b) / kMostBins);
  const double per_bin = kMostBins / (static_cast<double>(high) - low);
  for (const std::size_t t : some_times(record.times_ms.size())) {
    std::vector<double> counts(kMostBins, 0.0);
    double sum = 0.0;
    for (const float w : record.at(t).weights) {
      if (!std::isfinite(w)) continue;
      counts[std::min(kMostBins - 1, static_cast<std::size_t>((static_cast<double>(w) - low) * per_bin))] += 1.0;
      sum += w;
    }
    add_time(d, record.times_ms[t], counts, sum);
  }
  return d;
}

std::string subtitle(const WeightRecord& record, const Distribution& d) {
  const WeightRecording& r = record.info.recording;
  std::string what = r.what == What::histogram ? "all synapses"
                     : r.what == What::all     ? "all synapses, recorded one by one"
                                               : "a sample of " + svg::grouped(record.at(record.times_ms.size() - 1).weights.size()) + " synapses";
  return fmt::format("{} to {}, {}; mean {:.3g} to {:.3g} {}", record.info.source, record.info.target, what, d.mean.front(), d.mean.back(),
                     record.info.unit);
}

// Darker where more synapses are; the square root shows bins with few.
void draw_cells(Canvas& canvas, const Distribution& d, const svg::Scale& x, const svg::Scale& y) {
  const double most = std::max(1e-9, *std::max_element(d.share.begin(), d.share.end()));
  for (std::size_t t = 0; t < d.times_ms.size(); ++t) {
    const double from = t == 0 ? d.times_ms[0] : 0.5 * (d.times_ms[t - 1] + d.times_ms[t]);
    const double to = t + 1 == d.times_ms.size() ? d.times_ms[t] : 0.5 * (d.times_ms[t] + d.times_ms[t + 1]);
    const double left = x(from), width = std::max(0.5, x(to) - left);
    for (std::size_t b = 0; b < d.bins(); ++b) {
      const double share = d.share[t * d.bins() + b];
      if (share <= 0.0) continue;
      const double top = y(d.edges[b + 1]);
      canvas.rectangle(left, top, width, y(d.edges[b]) - top, svg::kExcitatory, nullptr, 1.0, 0.06 + 0.94 * std::sqrt(share / most));
    }
  }
}

std::string panel(const WeightRecord& record) {
  const Distribution d = record.info.recording.what == What::histogram ? from_histogram(record) : from_synapses(record);
  Canvas canvas(kWidth, kHeight);
  canvas.heading("Weights of " + record.info.recording.projection, subtitle(record, d));
  const double end = d.times_ms.back() > d.times_ms.front() ? d.times_ms.back() : d.times_ms.front() + 1.0;
  const svg::Scale x(d.times_ms.front() / 1000.0, end / 1000.0, kFrame.x, kFrame.x + kFrame.width);
  const svg::Scale y(d.edges.front(), d.edges.back(), kFrame.y + kFrame.height, kFrame.y);
  canvas.begin_clip(kFrame.x, kFrame.y, kFrame.width, kFrame.height);
  draw_cells(canvas, d, svg::Scale(d.times_ms.front(), end, kFrame.x, kFrame.x + kFrame.width), y);
  std::string line;
  for (std::size_t t = 0; t < d.times_ms.size(); ++t) {
    if (std::isfinite(d.mean[t])) line += fmt::format("{}{} {}", line.empty() ? "M" : "L", svg::coordinate(x(d.times_ms[t] / 1000.0)), svg::coordinate(y(d.mean[t])));
  }
  canvas.path(line, svg::kInhibitory, 2.0);
  canvas.end_clip();
  svg::draw_x_axis(canvas, kFrame, x, "time (s)", 6);
  svg::draw_y_axis(canvas, kFrame, y, "weight (" + record.info.unit + ")", 5, false);
  canvas.line(644.0, 92.0, 664.0, 92.0, svg::kInhibitory, 2.0);
  canvas.text(670.0, 96.0, "mean", {.size = 11});
  return canvas.document();
}

}  // namespace

std::string weights_svg(const std::vector<WeightRecord>& records) {
  std::vector<std::string> panels;
  for (const WeightRecord& record : records) {
    if (!record.times_ms.empty()) panels.push_back(panel(record));
  }
  if (panels.empty()) {
    throw InputError("This result holds no weights over time: record them with --record weights:PROJECTION:COUNT:INTERVAL.");
  }
  return stacked_svg(panels);
}

}  // namespace tessera
