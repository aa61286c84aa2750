// Labels of populations that lie under one another.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "plot/populations.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tessera::svg {
namespace {

constexpr double kNameSize = 13.0;
constexpr double kLetterColumn = 22.0;  // for the letters E and I
constexpr double kLabelGap = 13.0;
constexpr double kWidestName = 220.0;

struct Layer {
  std::string name;
  std::size_t first = 0, last = 0;  // bands, inclusive
  bool paired = false;              // an E and an I population
};

std::string layer_title(const std::string& stem) { return stem == "L23" ? "L2/3" : stem; }

bool has_letter(const std::string& name) {
  return name.size() > 1 && (name.back() == 'E' || name.back() == 'I');
}

std::vector<Layer> layers_of(const std::vector<Band>& bands) {
  std::vector<Layer> layers;
  for (std::size_t i = 0; i < bands.size(); ++i) {
    const std::string& name = bands[i].name;
    const std::string stem = has_letter(name) ? name.substr(0, name.size() - 1) : name;
    const bool pair = has_letter(name) && i + 1 < bands.size() && has_letter(bands[i + 1].name) &&
                      bands[i + 1].name != name &&
                      bands[i + 1].name.substr(0, bands[i + 1].name.size() - 1) == stem;
    if (pair) {
      layers.push_back({layer_title(stem), i, i + 1, true});
      ++i;
    } else {
      layers.push_back({name, i, i, false});
    }
  }
  return layers;
}

}  // namespace

std::string population_title(const std::string& name) {
  if (!has_letter(name)) return name;
  return layer_title(name.substr(0, name.size() - 1)) + name.back();
}

void draw_population_labels(Canvas& canvas, const std::vector<Band>& bands, double right) {
  const std::vector<Layer> layers = layers_of(bands);
  std::vector<double> names, letters;
  for (const Layer& layer : layers) {
    names.push_back((bands[layer.first].top + bands[layer.last].bottom) / 2);
  }
  for (const Band& band : bands) letters.push_back(band.middle());
  const double top = bands.front().top + 4;
  const double bottom = bands.back().bottom - 4;
  names = spread_labels(names, kLabelGap + 3, top, bottom);
  letters = spread_labels(letters, kLabelGap, top, bottom);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const Layer& layer = layers[i];
    const char* colour = layer.paired ? kInk : population_colour(bands[layer.first].inhibitory);
    canvas.text(right - (layer.paired ? 10 + kLetterColumn : 10), names[i] + 4.5,
                shortened(layer.name, kWidestName, kNameSize, true),
                {.size = kNameSize, .colour = colour, .anchor = Anchor::end, .bold = true});
    if (!layer.paired) continue;
    for (std::size_t k = layer.first; k <= layer.last; ++k) {
      canvas.text(
          right - 16, letters[k] + 4, std::string(1, bands[k].name.back()),
          {.size = 12, .colour = population_colour(bands[k].inhibitory), .anchor = Anchor::middle});
    }
  }
}

double population_label_width(const std::vector<Band>& bands) {
  double widest = 0.0;
  for (const Layer& layer : layers_of(bands)) {
    widest = std::max(
        widest, std::min(text_width(layer.name, kNameSize, true), kWidestName) +
                    (layer.paired ? kLetterColumn : 0.0));
  }
  return 1.1 * widest + 10;  // the reader's font may be wider
}

void draw_layer_lines(Canvas& canvas, const std::vector<Band>& bands, double left, double right) {
  for (const Layer& layer : layers_of(bands)) {
    if (layer.first == 0) continue;
    const double y = (bands[layer.first - 1].bottom + bands[layer.first].top) / 2;
    canvas.line(left, y, right, y, "#bdbdbd", 0.8);
  }
}

void draw_legend(Canvas& canvas, const std::vector<Band>& bands, double right, double y) {
  const bool both =
      std::any_of(bands.begin(), bands.end(), [](const Band& band) { return band.inhibitory; });
  if (!both) return;
  // Dot, word, dot, word from the left: a wider font than expected then runs into free space.
  double x = right - svg::text_width("excitatory inhibitory", 12) - 48;
  for (const bool inhibitory : {false, true}) {
    const char* word = inhibitory ? "inhibitory" : "excitatory";
    const char* colour = population_colour(inhibitory);
    canvas.circle(x, y - 4, 4, colour);
    canvas.text(x + 9, y, word, {.size = 12, .colour = colour});
    x += text_width(word, 12) + 34;
  }
}

std::string result_subtitle(const Result& result) {
  return fmt::format("seed {}, {} of model time", result.seed, duration_text(result.model_time_ms));
}

}  // namespace tessera::svg
