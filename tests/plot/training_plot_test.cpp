// Plots of a training: every epoch, layer, class and spike is in the document, for any names.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>

#include "plot/xml.hpp"
#include "tessera/training_result.hpp"

namespace tessera::training {
namespace {

using tessera::test::occurrences;
using tessera::test::xml_problem;

TrainingResult result_of(std::uint32_t epochs) {
  TrainingResult result;
  result.folder = "r";
  result.model = "a <model> & \"more\"";
  result.classes = {"yin", "yang & co"};
  result.seed = 7;
  result.best_epoch = epochs;
  result.steps = 20;
  for (std::uint32_t e = 0; e < epochs; ++e) {
    EpochMetrics metrics;
    metrics.epoch = e;
    metrics.loss = 1.0 / (1.0 + e);
    metrics.accuracy = 0.5 + 0.01 * e;
    metrics.validation_loss = 1.1 / (1.0 + e);
    metrics.validation_accuracy = 0.49 + 0.01 * e;
    LayerActivity layer;
    layer.name = "hidden";
    layer.neuron_steps = 1000;
    layer.spikes = 50;
    layer.listed = 80;
    metrics.layers = {layer};
    result.epochs.push_back(metrics);
  }
  return result;
}

TEST(TrainingPlot, LossHasAPointForEveryEpochOfTrainingAndValidation) {
  TrainingResult result = result_of(12);
  const std::string plain = loss_svg(result);
  EXPECT_EQ(xml_problem(plain), "");
  // Two curves in two charts, and a circle for each of them in each legend.
  EXPECT_EQ(occurrences(plain, "<circle"), 2u * (2 * 12 + 2));
  result.test_accuracy = 0.6;
  EXPECT_EQ(occurrences(loss_svg(result), "<circle"), 2u * (2 * 12 + 2) + 2);
  EXPECT_NE(loss_svg(result).find("60.00 %"), std::string::npos);
}

TEST(TrainingPlot, WithoutValidationThereIsOneCurve) {
  TrainingResult result = result_of(12);
  for (EpochMetrics& epoch : result.epochs) {
    epoch.validation_loss = epoch.validation_accuracy = std::nan("");
  }
  EXPECT_EQ(occurrences(loss_svg(result), "<circle"), 2u * (12 + 1));
}

TEST(TrainingPlot, ActivityShowsDroppedEntriesOnlyWhenThereAreAny) {
  TrainingResult result = result_of(3);
  EXPECT_EQ(xml_problem(activity_svg(result)), "");
  EXPECT_EQ(activity_svg(result).find("Dropped"), std::string::npos);
  result.epochs[1].layers[0].dropped_gradients = 4;
  EXPECT_EQ(xml_problem(activity_svg(result)), "");
  EXPECT_NE(activity_svg(result).find("Dropped"), std::string::npos);
}

TEST(TrainingPlot, ConfusionIsInPercentOfTheClass) {
  TrainingResult result = result_of(1);
  result.confusion = {{30, 10}, {0, 5}};
  const std::string svg = confusion_svg(result);
  EXPECT_EQ(xml_problem(svg), "");
  EXPECT_NE(svg.find(">75.0<"), std::string::npos);
  EXPECT_NE(svg.find(">25.0<"), std::string::npos);
  EXPECT_NE(svg.find(">100.0<"), std::string::npos);
  EXPECT_NE(svg.find("yang &amp; co"), std::string::npos);
  result.confusion = {{0, 0}, {0, 5}};  // a class without test samples
  EXPECT_EQ(xml_problem(confusion_svg(result)), "");
}

TEST(TrainingPlot, RasterHasADotForEverySpike) {
  TrainingResult result = result_of(1);
  result.raster =
      SampleRaster{0, 1, {{"input", 5, {{0, 0}, {3, 4}, {19, 2}}}, {"hidden", 40, {{1, 39}}}}};
  const std::string svg = sample_raster_svg(result);
  EXPECT_EQ(xml_problem(svg), "");
  const std::size_t first = svg.find("scale(.1)");
  const std::size_t second = svg.find("scale(.1)", first + 1);
  ASSERT_NE(second, std::string::npos);
  EXPECT_EQ(occurrences(svg.substr(first, svg.find("</g>", first) - first), "M"), 3u);
  EXPECT_EQ(occurrences(svg.substr(second, svg.find("</g>", second) - second), "M"), 1u);
  EXPECT_NE(svg.find("class yin, taken for yang &amp; co"), std::string::npos);
}

TEST(TrainingPlot, WhatIsNotThereIsASentence) {
  TrainingResult empty;
  empty.folder = "there";
  for (const auto& draw : {loss_svg, activity_svg, confusion_svg, sample_raster_svg}) {
    try {
      (void)draw(empty);
      ADD_FAILURE() << "nothing was thrown";
    } catch (const InputError& error) {
      EXPECT_NE(std::string(error.what()).find("there"), std::string::npos) << error.what();
    }
  }
}

}  // namespace
}  // namespace tessera::training
