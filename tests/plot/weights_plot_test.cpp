// Plots of weights over time and of maps: well-formed, bounded, and showing what is there.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <gtest/gtest.h>

#include <cmath>

#include "plot/xml.hpp"
#include "tessera/plot.hpp"

namespace tessera {
namespace {

using test::occurrences;
using test::xml_problem;

WeightRecord histogram(std::size_t times, std::size_t bins) {
  WeightRecord record;
  record.info.recording.projection = "a<b>";
  record.info.recording.what = WeightRecording::What::histogram;
  record.info.unit = "pA";
  for (std::size_t b = 0; b <= bins; ++b) record.edges.push_back(static_cast<double>(b));
  for (std::size_t t = 0; t < times; ++t) {
    record.times_ms.push_back(10.0 * static_cast<double>(t));
    for (std::size_t b = 0; b < bins; ++b) record.counts.push_back(b == t % bins ? 50 : 1);
    record.below.push_back(0);
    record.above.push_back(0);
  }
  return record;
}

TEST(WeightsPlot, ShowsACellForEveryTimeAndBin) {
  const std::string plot = weights_svg({histogram(4, 5)});
  EXPECT_EQ(xml_problem(plot), "");
  EXPECT_NE(plot.find("Weights of a&lt;b&gt;"), std::string::npos);
  EXPECT_NE(plot.find("weight (pA)"), std::string::npos);
  EXPECT_EQ(occurrences(plot, "#0072b2"), 20u);
  // The mean: (0.5 x 50 + 1.5 + 2.5 + 3.5 + 4.5) / 54 and (0.5 + 1.5 + 2.5 + 3.5 x 50 + 4.5) / 54.
  EXPECT_NE(plot.find("mean 0.685 to 3.41 pA"), std::string::npos) << plot.substr(0, 1500);
}

TEST(WeightsPlot, StaysSmallHoweverMuchWasRecorded) {
  const std::string plot = weights_svg({histogram(3000, 1000)});
  EXPECT_EQ(xml_problem(plot), "");
  EXPECT_LT(plot.size(), 3'000'000u);
}

TEST(WeightsPlot, TakesSynapsesToo) {
  WeightRecord record;
  record.info.recording.what = WeightRecording::What::all;
  record.times_ms = {0.0, 5.0};
  record.sources = {0, 1};
  record.targets = {0, 0};
  record.weights = {1.0F, 3.0F, 2.0F, 4.0F};
  const std::string plot = weights_svg({record});
  EXPECT_EQ(xml_problem(plot), "");
  EXPECT_NE(plot.find("mean 2 to 3"), std::string::npos);
  EXPECT_THROW((void)weights_svg({}), InputError);
}

MapStatistics map_of(std::uint32_t columns) {
  MapStatistics map;
  map.source_grid = map.target_grid = {columns, 0.0, 0.0, true};
  map.sources = map.targets = columns * columns;
  map.distances = {0.0, 0.5, 1.5, 2.5};
  map.before.probability = map.after.probability = {0.5, 0.25, 0.0};
  map.before.weight = map.after.weight = {1.0, 2.0, NAN};
  map.before.indegrees = map.after.outdegrees = {1, 2, 3};
  map.before.outdegrees = map.after.indegrees = {0, 4};
  map.before.preferred_x.assign(map.targets, 0.0);
  map.before.preferred_y = map.after.preferred_x = map.after.preferred_y = map.before.preferred_x;
  map.before.preferred_x[0] = NAN;  // no synapse
  map.times_ms = {1000.0, 2000.0};
  map.formed_per_s = {10.0, 20.0};
  map.eliminated_per_s = {5.0, 4.0};
  map.appeared = {1, 2, 3};
  map.disappeared = {0, 1, 0};
  return map;
}

TEST(MapPlot, ShowsFieldsAndSixCharts) {
  WeightRecordInfo info;
  info.recording.projection = "feed_forward";
  const std::string plot = map_svg(map_of(4), info);
  EXPECT_EQ(xml_problem(plot), "");
  for (const char* const title : {"Map of feed_forward", "Connection probability", "Mean weight", "Formations and eliminations over time",
                                  "Formations and eliminations by displacement", "In-degrees", "Out-degrees", "displacement (grid units)"}) {
    EXPECT_NE(plot.find(title), std::string::npos) << title;
  }
  // The middle of the four corners' colours: (0, 114, 178), (230, 159, 0), (204, 121, 167), (0, 158, 115).
  EXPECT_EQ(occurrences(plot, "#6d8a73"), 31u + 1u);  // 16 targets twice, but for the one without synapses; and the legend's middle
}

TEST(MapPlot, OfALargeMapStaysSmall) {
  const std::string plot = map_svg(map_of(400), {});
  EXPECT_EQ(xml_problem(plot), "");
  EXPECT_LT(plot.size(), 3'000'000u);
}

}  // namespace
}  // namespace tessera
