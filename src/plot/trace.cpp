// Recorded state variables over time, one strip per neuron.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "plot/populations.hpp"
#include "tessera/plot.hpp"

namespace tessera {
namespace {

using svg::Canvas;

constexpr double kWidth = 960.0;
constexpr double kTop = 86.0;
constexpr double kStripHeight = 62.0;
constexpr double kStripGap = 10.0;
constexpr double kPanelGap = 30.0;
constexpr double kLeft = 124.0;
constexpr double kPlotWidth = kWidth - kLeft - 24.0;

std::string unit_of(const std::string& variable) {
  if (variable.empty()) return "";
  if (variable[0] == 'V' || variable == "v") return " (mV)";
  if (variable[0] == 'I' || variable == "w") return " (pA)";
  if (variable[0] == 'g') return " (nS)";
  return "";
}

struct Panel {
  const Trace* trace = nullptr;
  std::size_t neurons = 0;
  std::size_t first = 0, last = 0;  // samples in the window
  double low = INFINITY, high = -INFINITY;
  double top = 0.0;
};

Panel make_panel(const Trace& trace, double start_ms, double end_ms, std::size_t most) {
  Panel panel;
  panel.trace = &trace;
  panel.neurons = std::min(trace.neurons, most);
  const auto& times = trace.times_ms;
  panel.first = static_cast<std::size_t>(std::lower_bound(times.begin(), times.end(), start_ms) -
                                         times.begin());
  panel.last = static_cast<std::size_t>(std::upper_bound(times.begin(), times.end(), end_ms) -
                                        times.begin());
  panel.last = std::max(panel.first, panel.last);
  for (std::size_t t = panel.first; t < panel.last; ++t) {
    for (std::size_t i = 0; i < panel.neurons; ++i) {
      const double value = trace.values[t * trace.neurons + i];
      if (!std::isfinite(value)) continue;
      panel.low = std::min(panel.low, value);
      panel.high = std::max(panel.high, value);
    }
  }
  const svg::Range range = svg::nice_range(panel.low, panel.high, false, 2);
  panel.low = range.low;
  panel.high = range.high;
  return panel;
}

// Where there are many samples per pixel, the lowest and highest of each half pixel are drawn.
std::string curve(const Panel& panel, std::size_t neuron, const svg::Scale& x,
                  const svg::Scale& y) {
  const Trace& trace = *panel.trace;
  std::string data;
  bool pen_down = false;
  const auto point = [&](std::size_t t, double value) {
    if (!std::isfinite(value)) {
      pen_down = false;
      return;
    }
    fmt::format_to(std::back_inserter(data), "{}{} {}", pen_down ? 'L' : 'M',
                   svg::coordinate(x(trace.times_ms[t])), svg::coordinate(y(value)));
    pen_down = true;
  };
  const auto value_at = [&](std::size_t t) { return trace.values[t * trace.neurons + neuron]; };
  const std::size_t samples = panel.last - panel.first;
  const auto stride =
      static_cast<std::size_t>(static_cast<double>(samples) / (2.0 * kPlotWidth)) + 1;
  for (std::size_t t = panel.first; t < panel.last; t += stride) {
    const std::size_t end = std::min(t + stride, panel.last);
    std::size_t lowest = t;
    std::size_t highest = t;
    for (std::size_t k = t; k < end; ++k) {
      if (value_at(k) < value_at(lowest)) lowest = k;
      if (value_at(k) > value_at(highest)) highest = k;
    }
    point(std::min(lowest, highest), value_at(std::min(lowest, highest)));
    if (lowest != highest) point(std::max(lowest, highest), value_at(std::max(lowest, highest)));
  }
  return data;
}

// A recorder samples after the reset: without a mark, a spike would not be seen.
std::string spike_marks(const SpikeList& spikes, std::size_t neuron, const svg::Scale& x,
                        double start_ms, double end_ms, double top, double length) {
  std::string data;
  for (std::size_t i = 0; i < spikes.size(); ++i) {
    if (spikes.neurons[i] != neuron || spikes.times_ms[i] < start_ms ||
        spikes.times_ms[i] > end_ms) {
      continue;
    }
    fmt::format_to(std::back_inserter(data), "M{} {}v{}", svg::coordinate(x(spikes.times_ms[i])),
                   svg::coordinate(top), svg::coordinate(length));
  }
  return data;
}

void draw_panel(Canvas& canvas, const Panel& panel, const Result& result, const svg::Scale& x) {
  const Trace& trace = *panel.trace;
  const ResultPopulation* population = result.find(trace.population);
  const bool inhibitory = population != nullptr && population->inhibitory;
  const char* colour = svg::population_colour(inhibitory);
  canvas.text(
      kLeft, panel.top - 9,
      svg::population_title(trace.population) + ": " + trace.variable + unit_of(trace.variable),
      {.size = 13, .colour = colour, .bold = true});
  for (std::size_t i = 0; i < panel.neurons; ++i) {
    const double top = panel.top + static_cast<double>(i) * (kStripHeight + kStripGap);
    const svg::Frame frame{kLeft, top, kPlotWidth, kStripHeight};
    const svg::Scale y(panel.low, panel.high, top + kStripHeight, top + 8);
    svg::draw_y_axis(canvas, frame, y, "", 2);
    canvas.text(20, top + kStripHeight / 2 + 8, fmt::format("neuron {}", i),
                {.size = 11, .colour = svg::kMuted});
    canvas.begin_clip(kLeft, top - 2, kPlotWidth, kStripHeight + 4);
    canvas.path(curve(panel, i, x, y), colour, 1.1);
    if (population != nullptr && result.has_spikes) {
      canvas.path(spike_marks(population->spikes, i, x, x.low(), x.high(), top - 2, 8), svg::kInk,
                  1.2);
    }
    canvas.end_clip();
  }
}

}  // namespace

std::string trace_svg(const Result& result, const TraceOptions& options) {
  if (result.traces.empty()) {
    throw InputError("The result " + result.folder.string() +
                     " holds no traces; record them with --record V_m:POPULATION:N:INTERVAL.");
  }
  double start = options.start_ms;
  if (start < 0.0) {
    start = INFINITY;
    for (const Trace& trace : result.traces) {
      if (!trace.times_ms.empty()) start = std::min(start, trace.times_ms.front());
    }
    if (!std::isfinite(start)) start = 0.0;
    start = std::max(0.0, start - 1e-9);
  }
  double end = start;
  for (const Trace& trace : result.traces) {
    if (!trace.times_ms.empty()) end = std::max(end, trace.times_ms.back());
  }
  end = std::min(end, start + std::max(options.duration_ms, result.dt_ms));
  if (!(end > start)) end = start + result.dt_ms;

  std::vector<Panel> panels;
  double top = kTop;
  for (const Trace& trace : result.traces) {
    Panel panel = make_panel(trace, start, end, std::max<std::size_t>(options.max_neurons, 1));
    if (panel.neurons == 0) continue;
    panel.top = top;
    top += static_cast<double>(panel.neurons) * (kStripHeight + kStripGap) + kPanelGap;
    panels.push_back(panel);
  }
  const double bottom = top - kPanelGap - kStripGap + 8;
  Canvas canvas(kWidth, bottom + 52);
  canvas.heading((result.model.empty() ? "Network" : result.model) + ": traces",
                 svg::result_subtitle(result) + (result.has_spikes ? "; bars: spikes" : ""));
  const svg::Scale x(start, end, kLeft, kLeft + kPlotWidth);
  for (const Panel& panel : panels) draw_panel(canvas, panel, result, x);
  svg::draw_x_axis(canvas, {kLeft, kTop, kPlotWidth, bottom - kTop}, x, "time (ms)", 8);
  return canvas.document();
}

}  // namespace tessera
