// Raster plots: one dot per spike, populations under one another.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "plot/populations.hpp"
#include "tessera/plot.hpp"

namespace tessera {
namespace {

using svg::Band;
using svg::Canvas;

constexpr double kWidth = 960.0;
constexpr double kPlotHeight = 560.0;
constexpr double kTop = 84.0;
constexpr double kBandGap = 4.0;    // white between populations, where there is room for it
constexpr std::size_t kMostNamed = 48;  // more populations than this cannot be named one by one
constexpr double kMostRows = 3860;  // more neurons than this cannot be told apart

struct Window {
  double start_ms = 0.0;
  double end_ms = 0.0;
};

struct Selection {
  double fraction = 1.0;
  std::vector<std::uint32_t> rows;  // neurons shown, per population
};

Window window_of(const Result& result, const RasterOptions& options) {
  const double duration = std::min(std::max(options.duration_ms, result.dt_ms),
                                   std::max(result.model_time_ms, result.dt_ms));
  const double start =
      options.start_ms >= 0.0 ? options.start_ms : std::max(0.0, result.model_time_ms - duration);
  return {start, start + duration};
}

std::pair<std::size_t, std::size_t> spikes_within(const SpikeList& spikes, const Window& window) {
  const auto begin = spikes.times_ms.begin();
  const auto first = window.start_ms > 0.0
                         ? std::upper_bound(begin, spikes.times_ms.end(), window.start_ms)
                         : begin;  // spikes at time 0 too
  const auto last = std::upper_bound(first, spikes.times_ms.end(), window.end_ms);
  return {static_cast<std::size_t>(first - begin), static_cast<std::size_t>(last - begin)};
}

using Shown = std::vector<const ResultPopulation*>;

// Those that are wanted and have recorded neurons.
Shown shown_of(const Result& result, const std::vector<std::string>& wanted) {
  for (const std::string& name : wanted) {
    if (result.find(name) == nullptr) throw InputError("The result " + result.folder.string() + " has no population '" + name + "'.");
  }
  Shown shown;
  for (const ResultPopulation& p : result.populations) {
    const bool is_wanted = wanted.empty() || std::find(wanted.begin(), wanted.end(), p.name) != wanted.end();
    if (is_wanted && (p.recorded() > 0 || p.size == 0)) shown.push_back(&p);
  }
  if (shown.empty()) throw InputError("No spikes of these populations were recorded in " + result.folder.string() + ".");
  return shown;
}

Selection select(const Shown& shown, const Window& window, const RasterOptions& options) {
  double neurons = 0.0;
  double spikes = 0.0;
  for (const ResultPopulation* population : shown) {
    const auto [first, last] = spikes_within(population->spikes, window);
    neurons += population->recorded();
    spikes += static_cast<double>(last - first);
  }
  Selection selection;
  selection.fraction = options.neuron_fraction > 0.0
                           ? std::min(options.neuron_fraction, 1.0)
                           : std::min(1.0, kMostRows / std::max(neurons, 1.0));
  const double most = static_cast<double>(options.max_spikes);
  if (spikes * selection.fraction > most) selection.fraction = most / spikes;
  for (const ResultPopulation* population : shown) {
    const std::uint32_t size = population->recorded();
    const double rows = std::round(size * selection.fraction);
    selection.rows.push_back(std::min(size, std::max<std::uint32_t>(1, static_cast<std::uint32_t>(rows))));
  }
  return selection;
}

// Stripes proportional to the neurons shown, but never too thin to see.
std::vector<Band> bands_of(const Shown& shown, const Selection& selection) {
  const double gap = std::min(kBandGap, kPlotHeight / (4.0 * static_cast<double>(shown.size())));
  double rows = 0.0;
  for (const std::uint32_t count : selection.rows) rows += count;
  rows = std::max(rows, 1.0);
  const double least =
      std::min(7.0, kPlotHeight / (2.0 * static_cast<double>(selection.rows.size())));
  double flexible = kPlotHeight - gap * static_cast<double>(selection.rows.size() - 1);
  double flexible_rows = rows;
  for (const std::uint32_t count : selection.rows) {
    if (count / rows * kPlotHeight >= least) continue;
    flexible -= least;
    flexible_rows -= count;
  }
  std::vector<Band> bands;
  double top = kTop;
  for (std::size_t i = 0; i < selection.rows.size(); ++i) {
    const double share = selection.rows[i] / rows * kPlotHeight;
    const double height =
        share < least ? least : selection.rows[i] / std::max(flexible_rows, 1.0) * flexible;
    bands.push_back({shown[i]->name, shown[i]->inhibitory, top, top + height});
    top += height + gap;
  }
  return bands;
}

// One path in tenths of a pixel: "Mx yh6" per spike keeps the file small.
void draw_spikes(Canvas& canvas, const ResultPopulation& population, std::uint32_t rows,
                 const Band& band, const svg::Scale& time, const Window& window) {
  if (rows == 0) return;
  const double row_height = (band.bottom - band.top) / rows;
  const double dot = std::clamp(row_height, 1.7, 4.0);
  const auto [first, last] = spikes_within(population.spikes, window);
  std::string data;
  for (std::size_t i = first; i < last; ++i) {
    // Neurons spread over those recorded: row r shows neuron floor(r size / rows).
    const std::uint64_t neuron = population.spikes.neurons[i], size = population.recorded();
    const std::uint64_t row = (neuron * rows + size - 1) / size;
    if (row >= rows || row * size / rows != neuron) continue;
    const double x = time(population.spikes.times_ms[i]) - dot / 2;
    const double y = band.top + (static_cast<double>(row) + 0.5) * row_height;
    fmt::format_to(std::back_inserter(data), "M{} {}h{}", std::lround(x * 10), std::lround(y * 10),
                   std::lround(dot * 10));
  }
  if (data.empty()) return;
  canvas.raw("<g transform=\"scale(.1)\">");
  canvas.path(data, svg::population_colour(population.inhibitory), dot * 10);
  canvas.raw("</g>\n");
}

// Where populations are too many to be named: their areas, each over all of its bands.
std::vector<Band> area_bands(const std::vector<Band>& bands) {
  std::vector<Band> areas;
  for (const Band& band : bands) {
    const std::size_t dot = band.name.rfind('.');
    const std::string area = band.name.substr(0, dot == 0 ? std::string::npos : dot);
    if (areas.empty() || areas.back().name != area) areas.push_back({area, false, band.top, band.bottom});
    areas.back().bottom = band.bottom;
  }
  return areas;
}

void draw_rates(Canvas& canvas, const Shown& shown, const std::vector<Band>& bands, double left) {
  std::vector<double> places;
  for (const Band& band : bands) places.push_back(band.middle());
  places = svg::spread_labels(places, 13, bands.front().top + 4, bands.back().bottom - 4);
  canvas.text(left, kTop - 12, "spikes/s", {.size = 11, .colour = svg::kMuted});
  for (std::size_t i = 0; i < bands.size(); ++i) {
    const double rate = shown[i]->rate_hz;
    canvas.text(left + 40, places[i] + 4, std::isfinite(rate) ? fmt::format("{:.2f}", rate) : "-",
                {.size = 11.5,
                 .colour = svg::population_colour(bands[i].inhibitory),
                 .anchor = svg::Anchor::end});
  }
}

// ", 3 % of 77,169 neurons shown", of those that were recorded.
std::string neurons_text(const Shown& shown, double fraction) {
  std::uint64_t neurons = 0, all = 0;
  for (const ResultPopulation* population : shown) neurons += population->recorded(), all += population->size;
  const std::string number = svg::grouped(neurons) + (neurons < all ? " recorded" : "") + " neurons";
  return fraction < 0.9995 ? fmt::format(", {:.2g} % of {} shown", fraction * 100, number) : ", all " + number;
}

}  // namespace

std::string raster_svg(const Result& result, const RasterOptions& options) {
  if (!result.has_spikes) {
    throw InputError("The result " + result.folder.string() +
                     " holds no spikes; record them with --record spikes.");
  }
  if (result.populations.empty()) throw InputError("A result without populations has no raster.");
  const Window window = window_of(result, options);
  const Shown shown = shown_of(result, options.populations);
  const Selection selection = select(shown, window, options);
  const std::vector<Band> bands = bands_of(shown, selection);
  const bool named = bands.size() <= kMostNamed;
  const std::vector<Band> labels = named ? bands : area_bands(bands);
  const double left = 24 + svg::population_label_width(labels);
  const svg::Frame frame{left, kTop - 6, kWidth - left - 78, kPlotHeight + 12};

  Canvas canvas(kWidth, kTop + kPlotHeight + 60);
  canvas.heading((result.model.empty() ? "Network" : result.model) + ": spikes",
                 svg::result_subtitle(result) + neurons_text(shown, selection.fraction));
  svg::draw_legend(canvas, bands, frame.x + frame.width, 47);
  svg::draw_layer_lines(canvas, labels, frame.x, frame.x + frame.width);
  const svg::Scale time(window.start_ms, window.end_ms, frame.x, frame.x + frame.width);
  canvas.begin_clip(frame.x, frame.y, frame.width, frame.height);
  for (std::size_t i = 0; i < bands.size(); ++i) {
    draw_spikes(canvas, *shown[i], selection.rows[i], bands[i], time, window);
  }
  canvas.end_clip();
  canvas.line(frame.x, frame.y, frame.x, frame.y + frame.height, svg::kInk);
  svg::draw_x_axis(canvas, frame, time, "time (ms)", 8);
  svg::draw_population_labels(canvas, labels, frame.x);
  if (named) draw_rates(canvas, shown, bands, frame.x + frame.width + 14);
  return canvas.document();
}

}  // namespace tessera
