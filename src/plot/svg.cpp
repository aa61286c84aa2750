// Drawing primitives for SVG plots.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "plot/svg.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace tessera::svg {
namespace {

const char* anchor_name(Anchor anchor) {
  switch (anchor) {
    case Anchor::middle:
      return "middle";
    case Anchor::end:
      return "end";
    default:
      return "start";
  }
}

// Length of the valid UTF-8 sequence at `at`, 0 when there is none.
std::size_t sequence_length(std::string_view text, std::size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xf0 && lead < 0xf5   ? 4
                             : lead >= 0xe0 && lead < 0xf0 ? 3
                             : lead >= 0xc2 && lead < 0xe0 ? 2
                                                           : 0;
  if (length == 0 || at + length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((static_cast<unsigned char>(text[at + i]) & 0xc0) != 0x80) return 0;
  }
  const auto second = static_cast<unsigned char>(text[at + 1]);
  const bool overlong = (lead == 0xe0 && second < 0xa0) || (lead == 0xf0 && second < 0x90);
  const bool outside = (lead == 0xed && second > 0x9f) || (lead == 0xf4 && second > 0x8f);
  return overlong || outside ? 0 : length;
}

double step_for(double span, int count) {
  const double raw = span / std::max(count, 1);
  const double power = std::pow(10.0, std::floor(std::log10(raw)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= raw * 0.999) return factor * power;
  }
  return 10.0 * power;
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string safe;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = sequence_length(text, i);
    const char letter = text[i];
    if (length == 0 || (length == 1 && static_cast<unsigned char>(letter) < 0x20)) {
      safe += "?";
    } else if (letter == '&') {
      safe += "&amp;";
    } else if (letter == '<') {
      safe += "&lt;";
    } else if (letter == '>') {
      safe += "&gt;";
    } else if (letter == '"') {
      safe += "&quot;";
    } else {
      safe += text.substr(i, length);
    }
    i += std::max<std::size_t>(length, 1);
  }
  return safe;
}

std::string coordinate(double value) {
  std::string text = fmt::format("{:.2f}", std::isfinite(value) ? value : 0.0);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text == "-0" ? "0" : text;
}

double text_width(std::string_view text, double size, bool bold) {
  double width = 0.0;
  for (const char letter : text) {
    if ((static_cast<unsigned char>(letter) & 0xc0) == 0x80) continue;  // within a UTF-8 sequence
    const bool narrow =
        std::string_view("iljtfI.,:;'|! ()[]/").find(letter) != std::string_view::npos;
    const bool wide = std::string_view("mwMW%@").find(letter) != std::string_view::npos;
    width += narrow ? 0.3 : wide ? 0.88 : 0.57;
  }
  return width * size * (bold ? 1.08 : 1.0);
}

std::string shortened(const std::string& text, double width, double size, bool bold) {
  if (text_width(text, size, bold) <= width) return text;
  const std::string ellipsis = "\u2026";
  for (std::size_t left = text.size() - 1; left > 1; --left) {
    // Both halves end between characters: bytes of UTF-8 that continue one begin with 10.
    const auto inside = [&](std::size_t at) {
      return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80;
    };
    std::size_t head = (left + 1) / 2, tail = text.size() - left / 2;
    while (head > 0 && inside(head)) --head;
    while (inside(tail)) ++tail;
    std::string candidate = text.substr(0, head) + ellipsis + text.substr(tail);
    if (text_width(candidate, size, bold) <= width) return candidate;
  }
  return ellipsis;
}

Canvas::Canvas(double width, double height) : width_(width), height_(height) {}

void Canvas::text(double x, double y, std::string_view text, const TextStyle& style) {
  body_ += fmt::format("<text x=\"{}\" y=\"{}\" font-size=\"{}\" fill=\"{}\"", coordinate(x),
                       coordinate(y), coordinate(style.size), style.colour);
  if (style.anchor != Anchor::start) {
    body_ += fmt::format(" text-anchor=\"{}\"", anchor_name(style.anchor));
  }
  if (style.bold) body_ += " font-weight=\"bold\"";
  if (style.rotate != 0.0) {
    body_ += fmt::format(" transform=\"rotate({} {} {})\"", coordinate(style.rotate), coordinate(x),
                         coordinate(y));
  }
  body_ += ">" + escaped(text) + "</text>\n";
}

void Canvas::line(double x1, double y1, double x2, double y2, const char* colour, double width,
                  const char* dashes) {
  path(fmt::format("M{} {}L{} {}", coordinate(x1), coordinate(y1), coordinate(x2), coordinate(y2)),
       colour, width, "none", 1.0, dashes);
}

void Canvas::rectangle(double x, double y, double width, double height, const char* fill,
                       const char* stroke, double stroke_width, double opacity) {
  body_ += fmt::format("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{}\"",
                       coordinate(x), coordinate(y), coordinate(width), coordinate(height), fill);
  if (opacity < 1.0) body_ += fmt::format(" fill-opacity=\"{}\"", coordinate(opacity));
  if (stroke != nullptr) {
    body_ += fmt::format(" stroke=\"{}\" stroke-width=\"{}\"", stroke, coordinate(stroke_width));
  }
  body_ += "/>\n";
}

void Canvas::circle(double x, double y, double radius, const char* fill, const char* stroke,
                    double stroke_width) {
  body_ += fmt::format("<circle cx=\"{}\" cy=\"{}\" r=\"{}\" fill=\"{}\"", coordinate(x),
                       coordinate(y), coordinate(radius), fill);
  if (stroke != nullptr) {
    body_ += fmt::format(" stroke=\"{}\" stroke-width=\"{}\"", stroke, coordinate(stroke_width));
  }
  body_ += "/>\n";
}

void Canvas::diamond(double x, double y, double radius, const char* fill, const char* stroke) {
  path(fmt::format("M{} {}L{} {}L{} {}L{} {}Z", coordinate(x - radius), coordinate(y),
                   coordinate(x), coordinate(y - radius), coordinate(x + radius), coordinate(y),
                   coordinate(x), coordinate(y + radius)),
       stroke, 1.2, fill);
}

void Canvas::path(const std::string& data, const char* stroke, double width, const char* fill,
                  double fill_opacity, const char* dashes) {
  body_ += fmt::format("<path d=\"{}\" fill=\"{}\"", data, fill);
  if (fill_opacity < 1.0) body_ += fmt::format(" fill-opacity=\"{}\"", coordinate(fill_opacity));
  if (stroke != nullptr) {
    body_ += fmt::format(" stroke=\"{}\" stroke-width=\"{}\"", stroke, coordinate(width));
  }
  if (dashes != nullptr) body_ += fmt::format(" stroke-dasharray=\"{}\"", dashes);
  body_ += "/>\n";
}

void Canvas::begin_clip(double x, double y, double width, double height) {
  // The size makes names of nested documents differ where it matters: their clips do.
  const std::string name = fmt::format("c{}-{}-{}-{}-{}", ++clips_, coordinate(x), coordinate(y),
                                       coordinate(width), coordinate(height));
  body_ += fmt::format(
      "<clipPath id=\"{}\"><rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/></clipPath>\n"
      "<g clip-path=\"url(#{})\">\n",
      name, coordinate(x), coordinate(y), coordinate(width), coordinate(height), name);
}

void Canvas::end_clip() { body_ += "</g>\n"; }

void Canvas::heading(std::string_view title, std::string_view subtitle, double x) {
  const double widest = std::max(text_width(title, 17, true), text_width(subtitle, 12));
  width_ = std::max(width_, x + 1.15 * widest + 10);
  text(x, 28, title, {.size = 17, .bold = true});
  text(x, 47, subtitle, {.size = 12, .colour = kMuted});
}

void Canvas::heading_line(std::string_view line, double x) {
  width_ = std::max(width_, x + 1.15 * text_width(line, 12) + 10);
  text(x, 64, line, {.size = 12, .colour = kMuted});
}

std::string Canvas::document() const {
  return fmt::format(
             "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" "
             "viewBox=\"0 0 {0} {1}\" font-family=\"Helvetica, Arial, 'Liberation Sans', "
             "'DejaVu Sans', sans-serif\">\n<rect width=\"{0}\" height=\"{1}\" "
             "fill=\"#ffffff\"/>\n",
             coordinate(width_), coordinate(height_)) +
         body_ + "</svg>\n";
}

Scale::Scale(double low, double high, double from_pixel, double to_pixel, bool logarithmic)
    : low_(low), high_(high), from_(from_pixel), to_(to_pixel), logarithmic_(logarithmic) {}

double Scale::operator()(double value) const {
  const double share = logarithmic_
                           ? (std::log10(std::max(value, low_ * 1e-6)) - std::log10(low_)) /
                                 (std::log10(high_) - std::log10(low_))
                           : (value - low_) / (high_ - low_);
  return from_ + share * (to_ - from_);
}

std::vector<Tick> Scale::ticks(int count) const {
  std::vector<Tick> ticks;
  if (logarithmic_) {
    const int first = static_cast<int>(std::ceil(std::log10(low_) - 1e-9));
    const int last = static_cast<int>(std::floor(std::log10(high_) + 1e-9));
    const bool few = last - first < 2;  // then 2 and 5 get labels too
    const int stride = std::max(1, (last - first + 1 + count - 1) / std::max(count, 1));
    for (int exponent = first - 1; exponent <= last; ++exponent) {
      const double power = std::pow(10.0, exponent);
      for (int factor = 1; factor < 10; ++factor) {
        const double value = factor * power;
        if (value < low_ * 0.9999 || value > high_ * 1.0001) continue;
        const bool labelled =
            factor == 1 ? (exponent - first) % stride == 0 : few && (factor == 2 || factor == 5);
        ticks.push_back({value, labelled ? compact_number(value) : ""});
      }
    }
    return ticks;
  }
  const double step = step_for(high_ - low_, count);
  if (!std::isfinite(step) || !(step > 0.0)) {  // a span beyond what a double holds
    return {{low_, compact_number(low_)}, {high_, compact_number(high_)}};
  }
  const int decimals = std::max(0, static_cast<int>(-std::floor(std::log10(step) + 1e-9)));
  const double first = std::ceil(low_ / step - 1e-6);
  for (int i = 0; i < 1000; ++i) {
    const double value = (first + i) * step;
    if (value > high_ + step * 1e-6) break;
    const double clean = std::abs(value) < step * 1e-6 ? 0.0 : value;
    std::string label = decimals > 6 || std::abs(clean) >= 1e7
                            ? compact_number(clean)
                            : fmt::format("{:.{}f}", clean, decimals);
    if (label[0] == '-') label.replace(0, 1, "\u2212");
    ticks.push_back({clean, label});
  }
  return ticks;
}

Range nice_range(double low, double high, bool logarithmic, int ticks) {
  if (!std::isfinite(low) || !std::isfinite(high)) return logarithmic ? Range{1.0, 10.0} : Range{};
  if (logarithmic) {
    low = std::max(low, 1e-300);
    high = std::max(high, low);
    return high / low < 1.5 ? Range{low / 2.0, high * 2.0} : Range{low / 1.15, high * 1.15};
  }
  if (!(high > low)) {
    const double margin = low == 0.0 ? 1.0 : std::abs(low) * 0.1;
    low -= margin;
    high += margin;
  }
  const double step = step_for(high - low, ticks);
  if (!(step > 0.0) || !std::isfinite(step)) return {low, high};
  return {std::floor(low / step + 1e-9) * step, std::ceil(high / step - 1e-9) * step};
}

void draw_x_axis(Canvas& canvas, const Frame& frame, const Scale& scale, std::string_view label,
                 int ticks, bool grid) {
  const double bottom = frame.y + frame.height;
  for (const Tick& tick : scale.ticks(ticks)) {
    const double x = scale(tick.value);
    if (grid && !tick.label.empty()) canvas.line(x, frame.y, x, bottom, kFaint);
    canvas.line(x, bottom, x, bottom + (tick.label.empty() ? 3 : 5), kInk);
    if (!tick.label.empty()) {
      canvas.text(x, bottom + 18, tick.label, {.size = 11, .anchor = Anchor::middle});
    }
  }
  canvas.line(frame.x, bottom, frame.x + frame.width, bottom, kInk);
  if (!label.empty()) {
    canvas.text(frame.x + frame.width / 2, bottom + 36, label,
                {.size = 12, .anchor = Anchor::middle});
  }
}

void draw_y_axis(Canvas& canvas, const Frame& frame, const Scale& scale, std::string_view label,
                 int ticks, bool grid) {
  double widest = 0.0;
  for (const Tick& tick : scale.ticks(ticks)) {
    const double y = scale(tick.value);
    const bool labelled = !tick.label.empty();
    if (grid && labelled) canvas.line(frame.x, y, frame.x + frame.width, y, kFaint);
    canvas.line(frame.x - (labelled ? 5 : 3), y, frame.x, y, kInk);
    if (!labelled) continue;
    canvas.text(frame.x - 8, y + 4, tick.label, {.size = 11, .anchor = Anchor::end});
    widest = std::max(widest, text_width(tick.label, 11));
  }
  canvas.line(frame.x, frame.y, frame.x, frame.y + frame.height, kInk);
  if (!label.empty()) {
    canvas.text(frame.x - widest - 18, frame.y + frame.height / 2, label,
                {.size = 12, .anchor = Anchor::middle, .rotate = -90});
  }
}

std::vector<double> spread_labels(std::vector<double> wanted, double gap, double low, double high) {
  if (wanted.empty()) return wanted;
  gap = std::min(gap, (high - low) / static_cast<double>(wanted.size()));
  wanted.front() = std::max(wanted.front(), low);
  for (std::size_t i = 1; i < wanted.size(); ++i) {
    wanted[i] = std::max(wanted[i], wanted[i - 1] + gap);
  }
  // Pushed down too far at the end: push back up.
  wanted.back() = std::min(wanted.back(), high);
  for (std::size_t i = wanted.size() - 1; i > 0; --i) {
    wanted[i - 1] = std::min(wanted[i - 1], wanted[i] - gap);
  }
  return wanted;
}

std::string grouped(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::ptrdiff_t i = static_cast<std::ptrdiff_t>(digits.size()) - 3; i > 0; i -= 3) {
    digits.insert(static_cast<std::size_t>(i), ",");
  }
  return digits;
}

std::string compact_number(double value) { return fmt::format("{:.6g}", value); }

std::string duration_text(double milliseconds) {
  return milliseconds >= 1000.0 ? compact_number(milliseconds / 1000.0) + " s"
                                : compact_number(milliseconds) + " ms";
}

}  // namespace tessera::svg
