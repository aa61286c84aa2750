// Box plots of single-neuron rates, CVs and correlations per population.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "plot/populations.hpp"
#include "tessera/plot.hpp"

namespace tessera {
namespace {

using svg::Band;
using svg::Canvas;

constexpr double kTop = 96.0;
constexpr double kRowHeight = 40.0;
constexpr double kPanelWidth = 300.0;
constexpr double kPanelGap = 34.0;

struct Box {
  double low = 0.0, lower_quartile = 0.0, median = 0.0, upper_quartile = 0.0, high = 0.0;
  double mean = 0.0;
  bool empty = true;
};

// Quantile with linear interpolation between the two nearest values of a sorted sample.
double quantile(const std::vector<double>& sorted, double share) {
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

Box box_of(std::vector<double> values) {
  std::erase_if(values, [](double value) { return !std::isfinite(value); });
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  double sum = 0.0;
  for (const double value : values) sum += value;
  return {quantile(values, 0.05),
          quantile(values, 0.25),
          quantile(values, 0.5),
          quantile(values, 0.75),
          quantile(values, 0.95),
          sum / static_cast<double>(values.size()),
          false};
}

struct Panel {
  Measure measure;
  const char* letter;
  const char* label;
  std::vector<Box> boxes;
  std::vector<double> reference;  // means; NaN where unknown
};

Panel make_panel(Measure measure, const std::vector<PopulationStatistics>& statistics,
                 const Reference* reference) {
  static constexpr const char* kLabels[] = {"single-neuron rate (spikes/s)",
                                            "CV of inter-spike intervals",
                                            "spike-count correlation (2 ms)"};
  static constexpr const char* kLetters[] = {"A", "B", "C"};
  const auto number = static_cast<std::size_t>(measure);
  Panel panel{measure, kLetters[number], kLabels[number], {}, {}};
  for (const PopulationStatistics& population : statistics) {
    panel.boxes.push_back(box_of(measure == Measure::rate ? population.rates_hz
                                 : measure == Measure::cv ? population.cvs
                                                          : population.correlations));
    const Reference::Population* expected =
        reference != nullptr ? reference->find(population.name) : nullptr;
    panel.reference.push_back(expected != nullptr ? expected->mean(measure) : std::nan(""));
  }
  return panel;
}

bool is_empty(const Panel& panel) {
  return std::all_of(panel.boxes.begin(), panel.boxes.end(),
                     [](const Box& box) { return box.empty; });
}

svg::Range range_of(const Panel& panel) {
  double low = panel.measure == Measure::correlation ? INFINITY : 0.0;
  double high = -INFINITY;
  const auto include = [&](double value) {
    if (!std::isfinite(value)) return;
    low = std::min(low, value);
    high = std::max(high, value);
  };
  for (const Box& box : panel.boxes) {
    if (box.empty) continue;
    for (const double value : {box.low, box.high, box.mean}) include(value);
  }
  for (const double mean : panel.reference) include(mean);
  return svg::nice_range(low, high);
}

void draw_box(Canvas& canvas, const Box& box, const Band& band, const svg::Scale& x) {
  const char* colour = svg::population_colour(band.inhibitory);
  const double half = std::min(kRowHeight * 0.28, 12.0);
  const double y = band.middle();
  canvas.line(x(box.low), y, x(box.lower_quartile), y, colour, 1.3);
  canvas.line(x(box.upper_quartile), y, x(box.high), y, colour, 1.3);
  for (const double end : {box.low, box.high}) {
    canvas.line(x(end), y - half / 2, x(end), y + half / 2, colour, 1.3);
  }
  canvas.rectangle(x(box.lower_quartile), y - half,
                   std::max(x(box.upper_quartile) - x(box.lower_quartile), 1.0), 2 * half, colour,
                   colour, 1.3, 0.22);
  canvas.line(x(box.median), y - half, x(box.median), y + half, colour, 2.4);
  canvas.circle(x(box.mean), y, 3.4, "#ffffff", colour, 1.5);
}

void draw_panel(Canvas& canvas, const Panel& panel, const std::vector<Band>& bands, double left) {
  const double height = kRowHeight * static_cast<double>(bands.size());
  const svg::Frame frame{left, kTop, kPanelWidth, height};
  const svg::Range range = range_of(panel);
  const svg::Scale x(range.low, range.high, left, left + kPanelWidth);
  for (const Band& band : bands) {
    if (band.inhibitory) {
      canvas.rectangle(left, band.top, kPanelWidth, kRowHeight, "#f6f6f6");
    }
  }
  svg::draw_x_axis(canvas, frame, x, panel.label, 5, true);
  svg::draw_layer_lines(canvas, bands, left, left + kPanelWidth);
  if (range.low < 0.0) canvas.line(x(0), kTop, x(0), kTop + height, "#9a9a9a", 1, "3 3");
  canvas.line(left, kTop, left, kTop + height, svg::kInk);
  canvas.text(left, kTop - 12, panel.letter, {.size = 15, .bold = true});
  for (std::size_t i = 0; i < bands.size(); ++i) {
    if (!panel.boxes[i].empty) draw_box(canvas, panel.boxes[i], bands[i], x);
    if (std::isfinite(panel.reference[i])) {
      const double half = std::min(kRowHeight * 0.28, 12.0);
      canvas.diamond(x(panel.reference[i]), bands[i].middle() - half - 2, 4.0, svg::kInk,
                     "#ffffff");
    }
  }
}

constexpr const char* kKey = "box: quartiles and median, whiskers: 5 and 95 %, circle: mean";
constexpr double kKeySize = 11.0;
constexpr double kKeyGap = 34.0;

std::string reference_key(const Reference& reference) {
  return "mean of the reference (" + reference.name + ")";
}

double key_width(const Reference* reference) {
  const double first = svg::text_width(kKey, kKeySize);
  if (reference == nullptr) return first;
  return first + kKeyGap + svg::text_width(reference_key(*reference), kKeySize);
}

void draw_key(Canvas& canvas, const Reference* reference, double left, double y) {
  canvas.text(left, y, kKey, {.size = kKeySize, .colour = svg::kMuted});
  if (reference == nullptr) return;
  const double x = left + 1.1 * svg::text_width(kKey, kKeySize) + kKeyGap;
  canvas.diamond(x - 10, y - 4, 4.0, svg::kInk, "#ffffff");
  canvas.text(x, y, reference_key(*reference), {.size = kKeySize, .colour = svg::kMuted});
}

}  // namespace

std::string rates_svg(const Result& result, const std::vector<PopulationStatistics>& all_statistics,
                      const Reference* reference) {
  // Populations without recorded neurons have nothing to show.
  std::vector<PopulationStatistics> statistics;
  std::copy_if(all_statistics.begin(), all_statistics.end(), std::back_inserter(statistics), [&result](const PopulationStatistics& s) {
    const ResultPopulation* population = result.find(s.name);
    return population == nullptr || population->recorded() > 0 || population->size == 0;
  });
  if (statistics.empty()) throw InputError("There are no statistics to draw.");
  std::vector<Panel> panels;
  for (const Measure measure : {Measure::rate, Measure::cv, Measure::correlation}) {
    Panel panel = make_panel(measure, statistics, reference);
    if (measure == Measure::rate || !is_empty(panel)) panels.push_back(std::move(panel));
  }
  std::vector<Band> bands;
  for (const PopulationStatistics& population : statistics) {
    const double top = kTop + kRowHeight * static_cast<double>(bands.size());
    bands.push_back({population.name, population.inhibitory, top, top + kRowHeight});
  }
  const double left = 24 + svg::population_label_width(bands);
  const double key = left + 1.1 * key_width(reference) + 20;
  const double width = left + (kPanelWidth + kPanelGap) * static_cast<double>(panels.size()) - 4;
  const double bottom = bands.back().bottom;
  Canvas canvas(std::max({width, 620.0, key}), bottom + 84);
  const std::string discarded =
      result.discard_ms > 0.0
          ? fmt::format(", first {} discarded", svg::duration_text(result.discard_ms))
          : "";
  canvas.heading((result.model.empty() ? "Network" : result.model) + ": activity statistics",
                 svg::result_subtitle(result) + discarded + (result.is_subset() ? ", recorded neurons only" : ""));
  svg::draw_legend(canvas, bands, left + width - left - kPanelGap + 4, 70);
  for (std::size_t i = 0; i < panels.size(); ++i) {
    draw_panel(canvas, panels[i], bands, left + (kPanelWidth + kPanelGap) * static_cast<double>(i));
  }
  svg::draw_population_labels(canvas, bands, left);
  draw_key(canvas, reference, left, bottom + 66);
  return canvas.document();
}

}  // namespace tessera
