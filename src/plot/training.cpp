// Plots of a training: loss and accuracy, activity of the layers, confusion, spikes of one sample.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "plot/svg.hpp"
#include "tessera/plot.hpp"
#include "tessera/training_result.hpp"

namespace tessera::training {
namespace {

using svg::Canvas;

using Column = double (*)(const EpochMetrics&);

std::string subtitle(const TrainingResult& result) {
  std::string text = fmt::format("{} epochs, seed {}", result.epochs.size(), result.seed);
  if (result.best_epoch > 0) text += fmt::format(", best epoch {}", result.best_epoch);
  if (result.test_accuracy) text += fmt::format(", test {:.2f} %", 100.0 * *result.test_accuracy);
  return text;
}

std::string title(const TrainingResult& result, const std::string& what) {
  return (result.model.empty() ? "Training" : result.model) + ": " + what;
}

void require_epochs(const TrainingResult& result) {
  if (result.epochs.empty())
    throw InputError("The result " + result.folder.string() + " holds no epoch.");
}

Chart::Series series_of(const TrainingResult& result, const std::string& label, Column column,
                        double factor) {
  Chart::Series series;
  series.label = label;
  series.points = result.epochs.size() <= 30;
  for (const EpochMetrics& epoch : result.epochs) {
    series.x.push_back(epoch.epoch + 1);
    series.y.push_back(factor * column(epoch));
  }
  return series;
}

bool has_validation(const TrainingResult& result) {
  return std::any_of(result.epochs.begin(), result.epochs.end(),
                     [](const EpochMetrics& e) { return e.validated(); });
}

// Fractions of all neurons and steps, in percent; NaN where a layer has none.
double percent(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? std::nan("") : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

Chart activity_chart(const TrainingResult& result) {
  Chart chart;
  chart.title = title(result, "activity");
  chart.subtitle = "solid: neurons that spike per step; dashed: all that are listed";
  chart.x_label = "epoch";
  chart.y_label = "share of the neurons (%)";
  for (std::size_t l = 0; l < result.epochs.front().layers.size(); ++l) {
    Chart::Series spikes, listed;
    spikes.label = result.epochs.front().layers[l].name;
    listed.label = spikes.label + ", listed";
    listed.dashed = true;
    listed.points = false;
    spikes.points = result.epochs.size() <= 30;
    for (const EpochMetrics& epoch : result.epochs) {
      if (l >= epoch.layers.size()) continue;
      const LayerActivity& layer = epoch.layers[l];
      for (Chart::Series* series : {&spikes, &listed}) series->x.push_back(epoch.epoch + 1);
      spikes.y.push_back(percent(layer.spikes, layer.neuron_steps));
      listed.y.push_back(percent(layer.listed, layer.neuron_steps));
    }
    chart.series.push_back(std::move(spikes));
    chart.series.push_back(std::move(listed));
  }
  return chart;
}

// Entries that did not fit, if there were any.
std::optional<Chart> dropped_chart(const TrainingResult& result) {
  Chart chart;
  chart.title = "Dropped entries";
  chart.subtitle = "spikes and gradient entries beyond a list's capacity, per epoch";
  chart.x_label = "epoch";
  chart.y_label = "entries";
  bool any = false;
  for (std::size_t l = 0; l < result.epochs.front().layers.size(); ++l) {
    Chart::Series series;
    series.label = result.epochs.front().layers[l].name;
    for (const EpochMetrics& epoch : result.epochs) {
      if (l >= epoch.layers.size()) continue;
      const LayerActivity& layer = epoch.layers[l];
      const auto dropped = static_cast<double>(layer.dropped_spikes + layer.dropped_gradients);
      any |= dropped > 0.0;
      series.x.push_back(epoch.epoch + 1);
      series.y.push_back(dropped);
    }
    chart.series.push_back(std::move(series));
  }
  if (!any) return std::nullopt;
  return chart;
}

struct Stripe {
  const SampleRaster::Layer* layer;
  double top, bottom;
};

constexpr double kStripesTop = 84.0, kStripesHeight = 480.0, kStripeGap = 10.0;

// Heights grow with the square root of the neurons, so that a small output remains visible.
std::vector<Stripe> stripes_of(const SampleRaster& raster) {
  double weight = 0.0;
  for (const SampleRaster::Layer& layer : raster.layers)
    weight += std::sqrt(static_cast<double>(layer.neurons));
  const double gaps = kStripeGap * static_cast<double>(raster.layers.size() - 1);
  std::vector<Stripe> stripes;
  double top = kStripesTop;
  for (const SampleRaster::Layer& layer : raster.layers) {
    const double share = std::sqrt(static_cast<double>(layer.neurons)) / std::max(weight, 1.0);
    const double height = share * (kStripesHeight - gaps);
    stripes.push_back({&layer, top, top + height});
    top += height + kStripeGap;
  }
  return stripes;
}

void draw_stripe(Canvas& canvas, const Stripe& stripe, const svg::Scale& time, double dt_ms,
                 const char* colour) {
  const double rows = static_cast<double>(std::max<std::uint64_t>(stripe.layer->neurons, 1));
  const double row = (stripe.bottom - stripe.top) / rows;
  const double dot = std::clamp(row, 1.7, 5.0);
  std::string data;
  for (const auto& [step, neuron] : stripe.layer->spikes) {
    const double x = time((step + 0.5) * dt_ms) - dot / 2;
    const double y = stripe.top + (neuron + 0.5) * row;
    fmt::format_to(std::back_inserter(data), "M{} {}h{}", std::lround(x * 10), std::lround(y * 10),
                   std::lround(dot * 10));
  }
  if (data.empty()) return;
  canvas.raw("<g transform=\"scale(.1)\">");
  canvas.path(data, colour, dot * 10);
  canvas.raw("</g>\n");
}

std::string class_name(const TrainingResult& result, std::int32_t label) {
  const auto index = static_cast<std::size_t>(label);
  return label >= 0 && index < result.classes.size() ? result.classes[index]
                                                     : std::to_string(label);
}

}  // namespace

std::string loss_svg(const TrainingResult& result) {
  require_epochs(result);
  Chart loss, accuracy;
  loss.title = title(result, "loss and accuracy");
  loss.subtitle = subtitle(result);
  loss.x_label = accuracy.x_label = "epoch";
  loss.y_label = "loss";
  accuracy.title = "Accuracy";
  accuracy.subtitle = "share of the samples that are classified correctly";
  accuracy.y_label = "accuracy (%)";
  accuracy.y_from_zero = false;
  const auto add = [&](const char* label, Column losses, Column accuracies) {
    loss.series.push_back(series_of(result, label, losses, 1.0));
    accuracy.series.push_back(series_of(result, label, accuracies, 100.0));
  };
  add(
      "training", [](const EpochMetrics& e) { return e.loss; },
      [](const EpochMetrics& e) { return e.accuracy; });
  if (has_validation(result)) {
    add(
        "validation", [](const EpochMetrics& e) { return e.validation_loss; },
        [](const EpochMetrics& e) { return e.validation_accuracy; });
  }
  if (result.test_accuracy && result.best_epoch > 0) {
    Chart::Series test;
    test.label = "test, best epoch";
    test.line = false;
    test.x = {static_cast<double>(result.best_epoch)};
    test.y = {100.0 * *result.test_accuracy};
    accuracy.series.push_back(test);
  }
  return stacked_svg({chart_svg(loss), chart_svg(accuracy)});
}

std::string activity_svg(const TrainingResult& result) {
  require_epochs(result);
  if (result.epochs.front().layers.empty())
    throw InputError("The network of " + result.folder.string() + " has no spiking layer.");
  std::vector<std::string> charts = {chart_svg(activity_chart(result))};
  if (const auto dropped = dropped_chart(result)) charts.push_back(chart_svg(*dropped));
  return stacked_svg(charts);
}

std::string confusion_svg(const TrainingResult& result) {
  if (result.confusion.empty()) {
    throw InputError("The result " + result.folder.string() +
                     " was not evaluated; run 'tessera evaluate' on it (its data set must have test "
                     "samples).");
  }
  HeatTable table;
  table.title = title(result, "confusion");
  table.subtitle = "share of a class's test samples, in %; " + subtitle(result);
  table.row_label = "label";
  table.column_label = "prediction";
  table.value_label = "%";
  table.rows = table.columns = result.classes;
  table.decimals = 1;
  table.lower_is_better = false;
  for (const auto& row : result.confusion) {
    std::uint64_t samples = 0;
    for (const std::uint64_t count : row) samples += count;
    for (const std::uint64_t count : row) table.values.push_back(percent(count, samples));
  }
  return heat_table_svg(table);
}

std::string sample_raster_svg(const TrainingResult& result) {
  if (!result.raster || result.raster->layers.empty() || result.steps == 0) {
    throw InputError("The result " + result.folder.string() +
                     " holds no spikes of a sample; run 'tessera evaluate' on it (its data set must "
                     "have test samples).");
  }
  const SampleRaster& raster = *result.raster;
  const std::vector<Stripe> stripes = stripes_of(raster);
  double names = 0.0;
  for (const Stripe& stripe : stripes)
    names = std::max(names, svg::text_width(stripe.layer->name, 12, true));
  const svg::Frame frame{40 + std::max(names, 60.0), kStripesTop, 760, kStripesHeight};
  Canvas canvas(frame.x + frame.width + 30, kStripesTop + kStripesHeight + 60);
  canvas.heading(title(result, "spikes of one test sample"),
                 fmt::format("class {}, taken for {}", class_name(result, raster.label),
                             class_name(result, raster.prediction)));
  const svg::Scale time(0.0, result.steps * result.dt_ms, frame.x, frame.x + frame.width);
  for (std::size_t i = 0; i < stripes.size(); ++i) {
    const Stripe& stripe = stripes[i];
    const char* colour = svg::kSeries[i % svg::kSeriesCount];
    canvas.rectangle(frame.x, stripe.top, frame.width, stripe.bottom - stripe.top, "none",
                     svg::kFaint);
    draw_stripe(canvas, stripe, time, result.dt_ms, colour);
    const double middle = (stripe.top + stripe.bottom) / 2;
    canvas.text(frame.x - 10, middle, stripe.layer->name,
                {.size = 12, .colour = colour, .anchor = svg::Anchor::end, .bold = true});
    canvas.text(frame.x - 10, middle + 14, svg::grouped(stripe.layer->neurons),
                {.size = 11, .colour = svg::kMuted, .anchor = svg::Anchor::end});
  }
  svg::draw_x_axis(canvas, frame, time, "time (ms)", 8);
  return canvas.document();
}

}  // namespace tessera::training
