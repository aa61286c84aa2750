// Distributions of inter-spike intervals, one panel per population.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "plot/populations.hpp"
#include "tessera/plot.hpp"

namespace tessera {
namespace {

using svg::Canvas;

constexpr double kPanelWidth = 200.0;
constexpr double kPanelHeight = 120.0;
constexpr double kStepX = 248.0;
constexpr double kStepY = 186.0;
constexpr double kTop = 112.0;
constexpr double kNameSize = 13.0;
constexpr double kFigureSize = 10.5;
constexpr double kLeft = 76.0;
constexpr std::size_t kManyIntervals = 20000;  // per population: enough for narrow bins

// Intervals counted in bins of about equal width in log(interval). Edges lie half-way between
// multiples of dt, so that no bin holds more time steps than its width says.
struct Histogram {
  std::vector<double> edges;
  std::vector<double> density;  // share per decade
  double mean_ms = 0.0;
  double cv = 0.0;
  std::size_t intervals = 0;
};

std::vector<double> edges_of(double shortest, double longest, double dt_ms, bool many) {
  const double factor = std::pow(10.0, many ? 1.0 / 20 : 1.0 / 10);
  std::vector<double> edges{(std::round(shortest / dt_ms) - 0.5) * dt_ms};
  while (edges.back() < longest && edges.size() < 1000) {
    const double steps = std::round(edges.back() * factor / dt_ms - 0.5) + 0.5;
    edges.push_back(std::max(steps * dt_ms, edges.back() + dt_ms));
  }
  return edges;
}

double decades(const Histogram& histogram, std::size_t bin) {
  return std::log10(histogram.edges[bin + 1] / histogram.edges[bin]);
}

Histogram histogram_of(const std::vector<double>& intervals, const std::vector<double>& edges) {
  Histogram histogram;
  histogram.edges = edges;
  histogram.density.assign(edges.size() - 1, 0.0);
  histogram.intervals = intervals.size();
  double squares = 0.0;
  const auto count = static_cast<double>(intervals.size());
  for (const double interval : intervals) {
    const auto above = std::upper_bound(edges.begin() + 1, edges.end() - 1, interval);
    histogram.density[static_cast<std::size_t>(above - edges.begin()) - 1] += 1.0 / count;
    histogram.mean_ms += interval / count;
    squares += interval * interval / count;
  }
  for (std::size_t bin = 0; bin < histogram.density.size(); ++bin) {
    histogram.density[bin] /= decades(histogram, bin);
  }
  const double variance = squares - histogram.mean_ms * histogram.mean_ms;
  histogram.cv = std::sqrt(std::max(variance, 0.0)) / histogram.mean_ms;
  return histogram;
}

void draw_histogram(Canvas& canvas, const Histogram& histogram, const svg::Scale& x,
                    const svg::Scale& y, const char* colour) {
  std::string data =
      fmt::format("M{} {}", svg::coordinate(x(histogram.edges[0])), svg::coordinate(y(0)));
  std::string poisson;
  for (std::size_t bin = 0; bin < histogram.density.size(); ++bin) {
    const double from = histogram.edges[bin];
    const double to = histogram.edges[bin + 1];
    data +=
        fmt::format("V{}H{}", svg::coordinate(y(histogram.density[bin])), svg::coordinate(x(to)));
    // Share of an exponential distribution with the same mean in this bin.
    const double share = std::exp(-from / histogram.mean_ms) - std::exp(-to / histogram.mean_ms);
    poisson += fmt::format("{}{} {}", poisson.empty() ? "M" : "L",
                           svg::coordinate(x(std::sqrt(from * to))),
                           svg::coordinate(y(share / decades(histogram, bin))));
  }
  data += fmt::format("V{}Z", svg::coordinate(y(0)));
  canvas.path(data, colour, 1.2, colour, 0.28);
  canvas.path(poisson, "#444444", 1.2, "none", 1.0, "4 3");
}

struct Limits {
  double shortest = 0.0, longest = 0.0, highest = 0.0;
};

void draw_panel(Canvas& canvas, const ResultPopulation& population, const Histogram& histogram,
                const Limits& limits, double left, double top, bool x_label, bool y_label) {
  const svg::Frame frame{left, top, kPanelWidth, kPanelHeight};
  const svg::Scale x(limits.shortest, limits.longest, left, left + kPanelWidth, true);
  const svg::Scale y(0, limits.highest, top + kPanelHeight, top);
  const char* colour = svg::population_colour(population.inhibitory);
  svg::draw_y_axis(canvas, frame, y, y_label ? "density per decade" : "", 3);
  svg::draw_x_axis(canvas, frame, x, x_label ? "interval (ms)" : "", 5);
  const std::string figures =
      histogram.intervals == 0
          ? ""
          : fmt::format("mean {:.3g} ms, CV {:.2f}", histogram.mean_ms, histogram.cv);
  // A long name has a line of its own above the figures.
  const std::string name = svg::population_title(population.name);
  const bool long_name = 1.1 * (svg::text_width(name, kNameSize, true) +
                                svg::text_width(figures, kFigureSize)) + 8 > kPanelWidth;
  canvas.text(left, top - (long_name && !figures.empty() ? 25 : 10),
              svg::shortened(name, kPanelWidth, kNameSize, true),
              {.size = kNameSize, .colour = colour, .bold = true});
  if (histogram.intervals == 0) {
    canvas.text(left + kPanelWidth / 2, top + kPanelHeight / 2, "no intervals",
                {.size = 11, .colour = svg::kMuted, .anchor = svg::Anchor::middle});
    return;
  }
  canvas.begin_clip(left, top, kPanelWidth, kPanelHeight);
  draw_histogram(canvas, histogram, x, y, colour);
  canvas.end_clip();
  canvas.text(left + kPanelWidth, top - 10, figures,
              {.size = kFigureSize, .colour = svg::kMuted, .anchor = svg::Anchor::end});
}

}  // namespace

std::string isi_svg(const Result& result, const StatisticsOptions& window) {
  if (!result.has_spikes) {
    throw InputError("The result " + result.folder.string() +
                     " holds no spikes; record them with --record spikes.");
  }
  if (result.populations.empty())
    throw InputError("A result without populations has no intervals.");
  std::vector<const ResultPopulation*> recorded;
  for (const ResultPopulation& population : result.populations) {
    if (population.recorded() > 0 || population.size == 0) recorded.push_back(&population);
  }
  std::vector<std::vector<double>> intervals;
  Limits limits{INFINITY, 0.0, 0.0};
  std::size_t total = 0;
  for (const ResultPopulation* population : recorded) {
    intervals.push_back(interspike_intervals(population->spikes, population->recorded(), window));
    total += intervals.back().size();
    for (const double interval : intervals.back()) {
      limits.shortest = std::min(limits.shortest, std::max(interval, result.dt_ms));
      limits.longest = std::max(limits.longest, interval);
    }
  }
  if (limits.longest == 0.0) limits = {1.0, 1000.0, 0.0};
  limits.longest = std::max(limits.longest, limits.shortest * 10.0);
  const auto edges = edges_of(limits.shortest, limits.longest, result.dt_ms,
                              total >= kManyIntervals * recorded.size());
  limits.shortest = edges.front();
  limits.longest = edges.back();
  std::vector<Histogram> histograms;
  for (const auto& list : intervals) {
    histograms.push_back(histogram_of(list, edges));
    for (const double density : histograms.back().density) {
      limits.highest = std::max(limits.highest, density);
    }
  }
  limits.highest = svg::nice_range(0.0, std::max(limits.highest, 0.1), false, 3).high;

  // Four panels in a row.
  const std::size_t count = recorded.size();
  const std::size_t columns = std::max<std::size_t>(1, std::min<std::size_t>(count, 4));
  const std::size_t rows = (count + columns - 1) / columns;
  Canvas canvas(kLeft + kStepX * static_cast<double>(columns) - 20,
                kTop + kStepY * static_cast<double>(rows) - 4);
  canvas.heading((result.model.empty() ? "Network" : result.model) + ": inter-spike intervals",
                 svg::result_subtitle(result) + (result.is_subset() ? "; recorded neurons pooled" : "; all neurons pooled"));
  canvas.heading_line("dashed: exponential distribution of the same mean");
  for (std::size_t i = 0; i < count; ++i) {
    const bool last_in_column = i + columns >= count;
    draw_panel(canvas, *recorded[i], histograms[i], limits,
               kLeft + kStepX * static_cast<double>(i % columns),
               kTop + kStepY * static_cast<double>(i / columns), last_in_column, i % columns == 0);
  }
  return canvas.document();
}

}  // namespace tessera
