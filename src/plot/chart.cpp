// Plain charts: lines and points on two axes, and tables coloured by value.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "plot/svg.hpp"
#include "tessera/plot.hpp"

namespace tessera {
namespace {

using svg::Canvas;

constexpr double kWidth = 720.0;
constexpr double kHeight = 460.0;
constexpr double kUsualLegend = 170.0;
constexpr double kTop = 70.0;

bool usable(double value, bool logarithmic) {
  return std::isfinite(value) && (!logarithmic || value > 0.0);
}

void check_lengths(const Chart& chart) {
  for (const Chart::Series& series : chart.series) {
    const std::size_t count = series.x.size();
    const bool bars_fit = (series.low.empty() && series.high.empty()) ||
                          (series.low.size() == count && series.high.size() == count);
    if (series.y.size() != count || !bars_fit) {
      throw InputError("The series '" + series.label +
                       "' of a chart has lists of different length.");
    }
  }
}

struct Ranges {
  svg::Range x, y;
};

Ranges ranges_of(const Chart& chart) {
  double x_low = INFINITY, x_high = -INFINITY, y_low = INFINITY, y_high = -INFINITY;
  const auto include_y = [&](double value) {
    if (!usable(value, chart.y_log)) return;
    y_low = std::min(y_low, value);
    y_high = std::max(y_high, value);
  };
  for (const Chart::Series& series : chart.series) {
    for (std::size_t i = 0; i < series.x.size(); ++i) {
      if (!usable(series.x[i], chart.x_log) || !usable(series.y[i], chart.y_log)) continue;
      x_low = std::min(x_low, series.x[i]);
      x_high = std::max(x_high, series.x[i]);
      include_y(series.y[i]);
      if (!series.low.empty()) include_y(series.low[i]);
      if (!series.high.empty()) include_y(series.high[i]);
    }
  }
  if (x_low > x_high) throw InputError("A chart without a point cannot be drawn.");
  for (const double mark : chart.horizontal_marks) include_y(mark);
  if (chart.y_from_zero && !chart.y_log) y_low = std::min(y_low, 0.0);
  Ranges ranges{svg::nice_range(x_low, x_high, chart.x_log),
                svg::nice_range(y_low, y_high, chart.y_log)};
  if (!chart.x_names.empty()) ranges.x = {-0.5, static_cast<double>(chart.x_names.size()) - 0.5};
  return ranges;
}

void draw_series(Canvas& canvas, const Chart& chart, const Chart::Series& series,
                 const char* colour, const svg::Scale& x, const svg::Scale& y) {
  std::string line;
  for (std::size_t i = 0; i < series.x.size(); ++i) {
    if (!usable(series.x[i], chart.x_log) || !usable(series.y[i], chart.y_log)) continue;
    line += fmt::format("{}{} {}", line.empty() ? "M" : "L", svg::coordinate(x(series.x[i])),
                        svg::coordinate(y(series.y[i])));
  }
  if (series.line) canvas.path(line, colour, 2.0, "none", 1.0, series.dashed ? "6 4" : nullptr);
  for (std::size_t i = 0; i < series.x.size(); ++i) {
    if (!usable(series.x[i], chart.x_log) || !usable(series.y[i], chart.y_log)) continue;
    const double px = x(series.x[i]);
    if (!series.low.empty() && usable(series.low[i], chart.y_log) &&
        usable(series.high[i], chart.y_log)) {
      canvas.line(px, y(series.low[i]), px, y(series.high[i]), colour, 1.2);
      for (const double end : {series.low[i], series.high[i]}) {
        canvas.line(px - 3, y(end), px + 3, y(end), colour, 1.2);
      }
    }
    if (series.points) canvas.circle(px, y(series.y[i]), 3.6, "#ffffff", colour, 1.8);
  }
}

void draw_chart_legend(Canvas& canvas, const Chart& chart, double left, double top) {
  std::size_t shown = 0;
  for (std::size_t i = 0; i < chart.series.size(); ++i) {
    const Chart::Series& series = chart.series[i];
    if (series.label.empty()) continue;
    const double y = top + 10 + 20 * static_cast<double>(shown++);
    const char* colour = svg::kSeries[i % svg::kSeriesCount];
    if (series.line) canvas.line(left, y, left + 22, y, colour, 2, series.dashed ? "6 4" : nullptr);
    if (series.points) canvas.circle(left + 11, y, 3.6, "#ffffff", colour, 1.8);
    canvas.text(left + 30, y + 4, series.label, {.size = 12});
  }
}

double legend_width(const Chart& chart) {
  double widest = 0.0;
  for (const Chart::Series& series : chart.series) {
    if (!series.label.empty()) widest = std::max(widest, 1.1 * svg::text_width(series.label, 12) + 46);
  }
  return widest;
}

void draw_names(Canvas& canvas, const Chart& chart, const svg::Frame& frame, const svg::Scale& x) {
  const double bottom = frame.y + frame.height;
  for (std::size_t i = 0; i < chart.x_names.size(); ++i) {
    const double px = x(static_cast<double>(i));
    canvas.line(px, bottom, px, bottom + 5, svg::kInk);
    canvas.text(px, bottom + 18, chart.x_names[i], {.size = 11, .anchor = svg::Anchor::middle});
  }
  canvas.line(frame.x, bottom, frame.x + frame.width, bottom, svg::kInk);
  canvas.text(frame.x + frame.width / 2, bottom + 36, chart.x_label,
              {.size = 12, .anchor = svg::Anchor::middle});
}

// A sequential palette from light to dark blue: share 0 is light.
std::string shade(double share) {
  static constexpr double kStops[5][3] = {
      {247, 251, 255}, {198, 219, 239}, {107, 174, 214}, {33, 113, 181}, {8, 48, 107}};
  const double place = std::clamp(share, 0.0, 1.0) * 4;
  const auto below = std::min<std::size_t>(static_cast<std::size_t>(place), 3);
  const double weight = place - static_cast<double>(below);
  std::string colour = "#";
  for (std::size_t k = 0; k < 3; ++k) {
    const double value = kStops[below][k] + weight * (kStops[below + 1][k] - kStops[below][k]);
    colour += fmt::format("{:02x}", static_cast<int>(std::lround(value)));
  }
  return colour;
}

struct Extremes {
  double low = INFINITY, high = -INFINITY;
};

void draw_cells(Canvas& canvas, const HeatTable& table, const Extremes& extremes, double left,
                double top, double cell_width, double cell_height) {
  const double span = extremes.high > extremes.low ? extremes.high - extremes.low : 1.0;
  const double best = table.lower_is_better ? extremes.low : extremes.high;
  std::string frame;
  for (std::size_t i = 0; i < table.values.size(); ++i) {
    const double x = left + cell_width * static_cast<double>(i % table.columns.size());
    const double y = top + cell_height * static_cast<double>(i / table.columns.size());
    const double value = table.values[i];
    if (!std::isfinite(value)) {
      canvas.rectangle(x, y, cell_width, cell_height, "#f2f2f2", "#ffffff", 2);
      continue;
    }
    const double share = 0.08 + 0.84 * (value - extremes.low) / span;
    canvas.rectangle(x, y, cell_width, cell_height, shade(share).c_str(), "#ffffff", 2);
    const bool is_best = table.frame_best && value == best && frame.empty();
    canvas.text(x + cell_width / 2, y + cell_height / 2 + 4.5,
                fmt::format("{:.{}f}", value, std::clamp(table.decimals, 0, 9)),
                {.size = 13,
                 .colour = share > 0.55 ? "#ffffff" : svg::kInk,
                 .anchor = svg::Anchor::middle,
                 .bold = is_best});
    if (is_best) {
      frame = fmt::format("M{} {}h{}v{}h-{}Z", svg::coordinate(x + 2), svg::coordinate(y + 2),
                          svg::coordinate(cell_width - 4), svg::coordinate(cell_height - 4),
                          svg::coordinate(cell_width - 4));
    }
  }
  if (!frame.empty()) canvas.path(frame, svg::kInhibitory, 2.5);
}

void draw_colour_bar(Canvas& canvas, const HeatTable& table, const Extremes& extremes, double x,
                     double top, double height) {
  constexpr int kSteps = 40;
  for (int i = 0; i < kSteps; ++i) {
    const double share = (i + 0.5) / kSteps;
    canvas.rectangle(x, top + height * (1.0 - (i + 1.0) / kSteps), 14, height / kSteps + 0.6,
                     shade(0.08 + 0.84 * share).c_str());
  }
  const svg::Range range{extremes.low,
                         extremes.high > extremes.low ? extremes.high : extremes.low + 1.0};
  const svg::Scale y(range.low, range.high, top + height, top);
  for (const svg::Tick& tick : y.ticks(4)) {
    canvas.line(x + 14, y(tick.value), x + 18, y(tick.value), svg::kInk);
    canvas.text(x + 22, y(tick.value) + 4, tick.label, {.size = 11});
  }
  canvas.text(x + 64, top + height / 2, table.value_label,
              {.size = 12, .anchor = svg::Anchor::middle, .rotate = 90});
}

// The number after `key="` in the first tag of a document of ours.
double attribute(const std::string& document, const char* key) {
  const std::string text = std::string(" ") + key + "=\"";
  const std::size_t at = document.find(text);
  return at == std::string::npos ? 0.0 : std::strtod(document.c_str() + at + text.size(), nullptr);
}

}  // namespace

std::string chart_svg(const Chart& chart) {
  check_lengths(chart);
  const Ranges ranges = ranges_of(chart);
  const double legend = legend_width(chart);
  // Long labels make the picture wider, not the frame narrower.
  const double width = kWidth + std::max(0.0, legend - kUsualLegend);
  const svg::Frame frame{92, kTop, width - 92 - 28 - legend, kHeight - kTop - 58};
  const svg::Scale x(ranges.x.low, ranges.x.high, frame.x, frame.x + frame.width, chart.x_log);
  const svg::Scale y(ranges.y.low, ranges.y.high, frame.y + frame.height, frame.y, chart.y_log);
  Canvas canvas(width, kHeight);
  canvas.heading(chart.title, chart.subtitle);
  svg::draw_y_axis(canvas, frame, y, chart.y_label, 6);
  if (chart.x_names.empty()) {
    svg::draw_x_axis(canvas, frame, x, chart.x_label, 7);
  } else {
    draw_names(canvas, chart, frame, x);
  }
  for (const double mark : chart.horizontal_marks) {
    if (usable(mark, chart.y_log)) {
      canvas.line(frame.x, y(mark), frame.x + frame.width, y(mark), svg::kMuted, 1.2, "5 4");
    }
  }
  for (std::size_t i = 0; i < chart.series.size(); ++i) {
    draw_series(canvas, chart, chart.series[i], svg::kSeries[i % svg::kSeriesCount], x, y);
  }
  draw_chart_legend(canvas, chart, frame.x + frame.width + 16, frame.y);
  return canvas.document();
}

std::string heat_table_svg(const HeatTable& table) {
  if (table.rows.empty() || table.columns.empty() ||
      table.values.size() / table.columns.size() != table.rows.size() ||
      table.values.size() % table.columns.size() != 0) {
    throw InputError("A heat table needs one value per row and column.");
  }
  Extremes extremes;
  for (const double value : table.values) {
    if (!std::isfinite(value)) continue;
    extremes.low = std::min(extremes.low, value);
    extremes.high = std::max(extremes.high, value);
  }
  if (extremes.low > extremes.high) throw InputError("A heat table needs a finite value.");
  double row_names = 0.0;
  double column_names = 0.0;
  for (const std::string& name : table.rows)
    row_names = std::max(row_names, svg::text_width(name, 12));
  for (const std::string& name : table.columns) {
    column_names = std::max(column_names, svg::text_width(name, 12));
  }
  const double cell_width = std::max(74.0, column_names + 14);
  const double cell_height = 38.0;
  const double left = 24 + 24 + row_names + 12;
  const double top = 112.0;
  const double width = cell_width * static_cast<double>(table.columns.size());
  const double height = cell_height * static_cast<double>(table.rows.size());
  const double heading =
      std::max(svg::text_width(table.title, 17, true), svg::text_width(table.subtitle, 12)) + 40;
  Canvas canvas(std::max(left + width + 116, heading), top + height + 28);
  canvas.heading(table.title, table.subtitle);
  canvas.text(left + width / 2, top - 30, table.column_label,
              {.size = 12, .anchor = svg::Anchor::middle});
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    canvas.text(left + cell_width * (static_cast<double>(i) + 0.5), top - 9, table.columns[i],
                {.size = 12, .anchor = svg::Anchor::middle, .bold = true});
  }
  canvas.text(30, top + height / 2, table.row_label,
              {.size = 12, .anchor = svg::Anchor::middle, .rotate = -90});
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    canvas.text(left - 10, top + cell_height * (static_cast<double>(i) + 0.5) + 4, table.rows[i],
                {.size = 12, .anchor = svg::Anchor::end, .bold = true});
  }
  draw_cells(canvas, table, extremes, left, top, cell_width, cell_height);
  draw_colour_bar(canvas, table, extremes, left + width + 24, top, height);
  return canvas.document();
}

std::string stacked_svg(const std::vector<std::string>& documents) { return tiled_svg(documents, 1); }

std::string tiled_svg(const std::vector<std::string>& documents, std::size_t columns) {
  double width = 0.0;
  for (const std::string& document : documents) {
    if (document.rfind("<svg ", 0) != 0) throw InputError("Only documents of this library can be stacked.");
    width = std::max(width, attribute(document, "width"));
  }
  double top = 0.0, height = 0.0;  // of the row
  std::string body;
  for (std::size_t i = 0; i < documents.size(); ++i) {
    if (i % columns == 0) {
      top += height;
      height = 0.0;
    }
    const double left = width * static_cast<double>(i % columns);
    const std::string x = left > 0.0 ? fmt::format("x=\"{}\" ", svg::coordinate(left)) : "";
    body += fmt::format("<svg {}y=\"{}\" {}", x, svg::coordinate(top), documents[i].substr(5));
    height = std::max(height, attribute(documents[i], "height"));
  }
  Canvas canvas(std::max(width * static_cast<double>(std::min(columns, documents.size())), 1.0), std::max(top + height, 1.0));
  canvas.raw(body);
  return canvas.document();
}

}  // namespace tessera
