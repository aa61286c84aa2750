// Labels of populations that lie under one another, as in figures of layered cortex.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "plot/svg.hpp"
#include "tessera/result.hpp"

namespace tessera::svg {

/// One population's stripe of a plot.
struct Band {
  std::string name;
  bool inhibitory = false;
  double top = 0.0, bottom = 0.0;
  [[nodiscard]] double middle() const { return (top + bottom) / 2; }
};

/// Writes names to the left of `right`. Neighbours whose names differ just in a final E or I
/// ("L23E", "L23I") share the name of their layer ("L2/3") and are told apart by the letter.
void draw_population_labels(Canvas& canvas, const std::vector<Band>& bands, double right);

/// Pixels that these labels need; names longer than 220 pixels are shortened.
[[nodiscard]] double population_label_width(const std::vector<Band>& bands);

/// Thin lines between layers, from left to right.
void draw_layer_lines(Canvas& canvas, const std::vector<Band>& bands, double left, double right);

/// "excitatory" and "inhibitory" with their colours, ending at `right`; nothing without inhibitory
/// ones.
void draw_legend(Canvas& canvas, const std::vector<Band>& bands, double right, double y);

/// "L23E" as "L2/3E".
[[nodiscard]] std::string population_title(const std::string& name);

/// "seed 1, 10 s of model time": what every plot of a result says below its title.
[[nodiscard]] std::string result_subtitle(const Result& result);

}  // namespace tessera::svg
