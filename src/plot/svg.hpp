// Drawing primitives for SVG plots: a canvas of elements, axes with readable ticks, colours.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tessera::svg {

// Okabe and Ito's palette: told apart with any colour vision.
inline constexpr const char* kExcitatory = "#0072b2";
inline constexpr const char* kInhibitory = "#d55e00";
inline constexpr const char* kInk = "#222222";
inline constexpr const char* kMuted = "#666666";
inline constexpr const char* kFaint = "#e4e4e4";
inline constexpr const char* kSeries[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                          "#e69f00", "#56b4e9", "#7f3c8d", "#444444"};
inline constexpr std::size_t kSeriesCount = 8;
[[nodiscard]] inline const char* population_colour(bool inhibitory) {
  return inhibitory ? kInhibitory : kExcitatory;
}

/// Text made safe for XML: markup escaped, control characters and broken UTF-8 replaced.
[[nodiscard]] std::string escaped(std::string_view text);

/// A coordinate with at most two decimals and no trailing zeros.
[[nodiscard]] std::string coordinate(double value);

enum class Anchor { start, middle, end };

struct TextStyle {
  double size = 12.0;
  const char* colour = kInk;
  Anchor anchor = Anchor::start;
  bool bold = false;
  double rotate = 0.0;  ///< degrees, about the text's position
};

/// An approximate width in pixels, for layout. Fonts differ by a tenth.
[[nodiscard]] double text_width(std::string_view text, double size, bool bold = false);

/// The text if it fits into `width` pixels, else its beginning and end around an ellipsis.
[[nodiscard]] std::string shortened(const std::string& text, double width, double size,
                                    bool bold = false);

/// Collects elements; document() wraps them.
class Canvas {
 public:
  Canvas(double width, double height);
  void text(double x, double y, std::string_view text, const TextStyle& style = {});
  void line(double x1, double y1, double x2, double y2, const char* colour, double width = 1.0,
            const char* dashes = nullptr);
  void rectangle(double x, double y, double width, double height, const char* fill,
                 const char* stroke = nullptr, double stroke_width = 1.0, double opacity = 1.0);
  void circle(double x, double y, double radius, const char* fill, const char* stroke = nullptr,
              double stroke_width = 1.0);
  void diamond(double x, double y, double radius, const char* fill, const char* stroke);
  /// `data` is the path's d attribute.
  void path(const std::string& data, const char* stroke, double width, const char* fill = "none",
            double fill_opacity = 1.0, const char* dashes = nullptr);
  /// Elements between begin_clip and end_clip show only inside the rectangle.
  void begin_clip(double x, double y, double width, double height);
  void end_clip();
  void raw(const std::string& element) { body_ += element; }
  /// Title in bold and a muted line below it. A canvas too narrow for them grows.
  void heading(std::string_view title, std::string_view subtitle, double x = 20.0);
  /// One more muted line below the heading, with its baseline at 64.
  void heading_line(std::string_view line, double x = 20.0);
  [[nodiscard]] double width() const { return width_; }
  [[nodiscard]] double height() const { return height_; }
  [[nodiscard]] std::string document() const;

 private:
  double width_, height_;
  int clips_ = 0;
  std::string body_;
};

struct Tick {
  double value = 0.0;
  std::string label;  ///< empty for minor ticks
};

/// Maps values to pixels and knows readable ticks. `from` may lie after `to` in pixels (y axes).
class Scale {
 public:
  Scale(double low, double high, double from_pixel, double to_pixel, bool logarithmic = false);
  [[nodiscard]] double operator()(double value) const;
  [[nodiscard]] double low() const { return low_; }
  [[nodiscard]] double high() const { return high_; }
  /// About `count` ticks at 1, 2 or 5 times a power of ten; powers of ten on a logarithmic axis.
  [[nodiscard]] std::vector<Tick> ticks(int count) const;

 private:
  double low_, high_, from_, to_;
  bool logarithmic_;
};

/// [low, high] widened to round numbers; never empty.
struct Range {
  double low = 0.0;
  double high = 1.0;
};
[[nodiscard]] Range nice_range(double low, double high, bool logarithmic = false, int ticks = 5);

/// A frame's lower x axis and left y axis, with ticks, grid lines and labels.
struct Frame {
  double x = 0.0, y = 0.0, width = 0.0, height = 0.0;  ///< of the area for data
};
void draw_x_axis(Canvas& canvas, const Frame& frame, const Scale& scale, std::string_view label,
                 int ticks, bool grid = false);
void draw_y_axis(Canvas& canvas, const Frame& frame, const Scale& scale, std::string_view label,
                 int ticks, bool grid = true);

/// Positions as near as possible to those wanted (ascending), at least `gap` apart, within [low,
/// high].
[[nodiscard]] std::vector<double> spread_labels(std::vector<double> wanted, double gap, double low,
                                                double high);

/// 77169 as "77,169"; 2.5 as "2.5".
[[nodiscard]] std::string grouped(std::uint64_t number);
[[nodiscard]] std::string compact_number(double value);
[[nodiscard]] std::string duration_text(double milliseconds);

}  // namespace tessera::svg
