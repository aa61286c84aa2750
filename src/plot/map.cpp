// A topographic map: receptive fields, synapses by distance, what was formed and eliminated, degrees.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "plot/svg.hpp"
#include "tessera/plot.hpp"

namespace tessera {
namespace {

using svg::Canvas;
using State = MapStatistics::State;

constexpr double kWidth = 1440.0, kField = 330.0, kTop = 92.0, kLegend = 150.0;
constexpr std::uint32_t kMostCells = 64;  // drawn along an edge

/// A place of the sources' grid, from 0 to 1 along both edges, as a colour between those of four corners.
std::string colour_of(double x, double y) {
  using Colour = std::array<double, 3>;
  constexpr Colour kCorners[2][2] = {{{0, 114, 178}, {230, 159, 0}}, {{204, 121, 167}, {0, 158, 115}}};
  x = std::clamp(x, 0.0, 1.0);
  y = std::clamp(y, 0.0, 1.0);
  int mixed[3];
  for (std::size_t c = 0; c < 3; ++c) {
    const double top = (1.0 - x) * kCorners[0][0][c] + x * kCorners[0][1][c];
    const double bottom = (1.0 - x) * kCorners[1][0][c] + x * kCorners[1][1][c];
    mixed[c] = static_cast<int>(std::lround((1.0 - y) * top + y * bottom));
  }
  return fmt::format("#{:02x}{:02x}{:02x}", mixed[0], mixed[1], mixed[2]);
}

double length_of(const PopulationGrid& grid, std::uint32_t size, bool x) {
  if (grid.extent_x_mm > 0.0) return x ? grid.extent_x_mm : grid.extent_y_mm;
  return x ? grid.columns : size / grid.columns;
}

/// Every target as a square in the colour of the place that it prefers; grey: it has no synapse.
void draw_field(Canvas& canvas, const MapStatistics& map, const State& state, double left, const std::string& title) {
  const std::uint32_t columns = map.target_grid.columns, rows = map.targets / columns;
  const std::uint32_t step = (std::max(columns, rows) + kMostCells - 1) / kMostCells;
  const double cell = kField / (std::max(columns, rows) / static_cast<double>(step));
  const double length_x = length_of(map.source_grid, map.sources, true), length_y = length_of(map.source_grid, map.sources, false);
  canvas.text(left, kTop - 12.0, title, {.size = 12, .bold = true});
  for (std::uint32_t row = 0; row < rows; row += step) {
    for (std::uint32_t column = 0; column < columns; column += step) {
      const std::size_t t = std::size_t{row} * columns + column;
      const double x = state.preferred_x[t], y = state.preferred_y[t];
      const std::string colour = std::isfinite(x) && std::isfinite(y) ? colour_of(x / length_x + 0.5, y / length_y + 0.5) : svg::kFaint;
      canvas.rectangle(left + cell * (column / step), kTop + cell * (row / step), cell + 0.3, cell + 0.3, colour.c_str());
    }
  }
}

void draw_legend(Canvas& canvas, double left) {
  constexpr int kCells = 15;
  canvas.text(left, kTop - 12.0, "place of the source", {.size = 12, .bold = true});
  for (int row = 0; row < kCells; ++row) {
    for (int column = 0; column < kCells; ++column) {
      const std::string colour = colour_of((column + 0.5) / kCells, (row + 0.5) / kCells);
      canvas.rectangle(left + kLegend / kCells * column, kTop + kLegend / kCells * row, kLegend / kCells + 0.3, kLegend / kCells + 0.3, colour.c_str());
    }
  }
  canvas.text(left, kTop + kLegend + 20.0, "grey: no synapses", {.size = 11, .colour = svg::kMuted});
}

std::string fields(const MapStatistics& map, const WeightRecordInfo& info) {
  Canvas canvas(kWidth, kTop + kField + 30.0);
  canvas.heading("Map of " + info.recording.projection + ": preferred places of '" + info.target + "' on '" + info.source + "'",
                 fmt::format("spread of synapses about their target's place {:.3g} (by weight {:.3g}) at {}, {:.3g} ({:.3g}) at {}",
                             map.before.spread, map.before.weighted_spread, svg::duration_text(map.before.time_ms), map.after.spread,
                             map.after.weighted_spread, svg::duration_text(map.after.time_ms)));
  draw_field(canvas, map, map.before, 40.0, "at " + svg::duration_text(map.before.time_ms));
  draw_field(canvas, map, map.after, 90.0 + kField, "at " + svg::duration_text(map.after.time_ms));
  draw_legend(canvas, 140.0 + 2.0 * kField);
  return canvas.document();
}

Chart::Series series(std::string label, std::vector<double> x, std::vector<double> y) {
  Chart::Series made;
  made.label = std::move(label);
  made.x = std::move(x);
  made.y = std::move(y);
  made.points = made.x.size() <= 60;
  return made;
}

std::vector<double> as_numbers(const std::vector<std::uint64_t>& counts) { return {counts.begin(), counts.end()}; }

std::string by_distance(const MapStatistics& map, const char* title, const std::string& label, const char* first_label, const char* second_label,
                        std::vector<double> first, std::vector<double> second) {
  // Bins that nothing ever reached are not drawn.
  std::size_t used = first.size();
  const auto is_empty = [&](std::size_t b) { return !(first[b] > 0.0) && !(second[b] > 0.0); };
  while (used > 2 && is_empty(used - 1)) --used;
  std::vector<double> middles;
  for (std::size_t b = 0; b < used; ++b) middles.push_back(b == 0 ? 0.0 : 0.5 * (map.distances[b] + map.distances[b + 1]));
  first.resize(used);
  second.resize(used);
  Chart chart;
  chart.title = title;
  chart.x_label = map.source_grid.extent_x_mm > 0.0 ? "displacement (mm)" : "displacement (grid units)";
  chart.y_label = label;
  chart.series = {series(first_label, middles, std::move(first)), series(second_label, middles, std::move(second))};
  return chart_svg(chart);
}

std::string over_time(const MapStatistics& map) {
  std::vector<double> seconds;
  for (const double ms : map.times_ms) seconds.push_back(ms / 1000.0);
  Chart chart;
  chart.title = "Formations and eliminations over time";
  chart.x_label = "time (s)";
  chart.y_label = "synapses per second";
  chart.series = {series("formed", seconds, map.formed_per_s), series("eliminated", seconds, map.eliminated_per_s)};
  return chart_svg(chart);
}

std::string degrees(const char* title, const std::vector<std::uint64_t>& before, const std::vector<std::uint64_t>& after) {
  Chart chart;
  chart.title = title;
  chart.x_label = "synapses";
  chart.y_label = "neurons";
  const auto add = [&chart](const char* label, const std::vector<std::uint64_t>& counts) {
    std::vector<double> x;
    for (std::size_t i = 0; i < counts.size(); ++i) x.push_back(static_cast<double>(i));
    chart.series.push_back(series(label, std::move(x), as_numbers(counts)));
  };
  add("before", before);
  add("after", after);
  return chart_svg(chart);
}

}  // namespace

std::string map_svg(const MapStatistics& map, const WeightRecordInfo& info) {
  const std::vector<std::string> charts = {
      by_distance(map, "Connection probability", "synapses per pair", "before", "after", map.before.probability, map.after.probability),
      by_distance(map, "Mean weight", "weight (" + info.unit + ")", "before", "after", map.before.weight, map.after.weight),
      over_time(map),
      by_distance(map, "Formations and eliminations by displacement", "pairs, between recorded times", "formed", "eliminated",
                  as_numbers(map.appeared), as_numbers(map.disappeared)),
      degrees("In-degrees", map.before.indegrees, map.after.indegrees),
      degrees("Out-degrees", map.before.outdegrees, map.after.outdegrees)};
  return stacked_svg({fields(map, info), tiled_svg(charts, 2)});
}

}  // namespace tessera
