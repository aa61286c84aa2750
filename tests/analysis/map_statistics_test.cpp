// Figures of a small map that can be counted by hand.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>

#include "tessera/errors.hpp"
#include "tessera/map_analysis.hpp"

namespace tessera {
namespace {

ResultPopulation grid_of(const std::string& name, std::uint32_t size, PopulationGrid grid) {
  ResultPopulation p;
  p.name = name;
  p.size = size;
  p.grid = grid;
  return p;
}

/// 6 x 6 sources and targets at the same places. At 0 s target 0 (column 0, row 0) has sources 0, 1 and 5, target 7 (1, 1) has
/// 8 (2, 1); a second later 5 is gone and 13 (1, 2) has come to target 7.
struct Small {
  explicit Small(PopulationGrid grid = {6, 0.0, 0.0, true}) {
    result.populations = {grid_of("from", 36, grid), grid_of("to", 36, grid)};
    record.info.recording.projection = "map";
    record.info.recording.what = WeightRecording::What::all;
    record.info.source = "from";
    record.info.target = "to";
    record.info.rewired = true;
    record.times_ms = {0.0, 1000.0};
    record.begin = {0, 4, 8};
    record.sources = {0, 1, 5, 8, 0, 1, 8, 13};
    record.targets = {0, 0, 0, 7, 0, 0, 7, 7};
    record.weights = {1.0F, 2.0F, 1.0F, 4.0F, 1.0F, 3.0F, 4.0F, 4.0F};
    record.formed = {10, 13};
    record.eliminated = {4, 9};
  }
  Result result;
  WeightRecord record;
};

TEST(Map, IsCountedByDisplacement) {
  const Small small;
  const MapStatistics map = map_statistics(small.result, small.record);
  // Per target 1 source at distance 0 and 8 within 1.5: those of 1 and 1.414 share the bin from 0.5 to 1.5.
  ASSERT_GE(map.distances.size(), 3u);
  EXPECT_DOUBLE_EQ(map.distances[1], 0.5);
  EXPECT_DOUBLE_EQ(map.distances[2], 1.5);
  EXPECT_DOUBLE_EQ(map.before.probability[0], 1.0 / 36.0);
  EXPECT_DOUBLE_EQ(map.before.probability[1], 3.0 / (36.0 * 8.0));
  EXPECT_DOUBLE_EQ(map.after.probability[1], 3.0 / (36.0 * 8.0));
  EXPECT_DOUBLE_EQ(map.before.weight[0], 1.0);
  EXPECT_DOUBLE_EQ(map.before.weight[1], 7.0 / 3.0);
  EXPECT_DOUBLE_EQ(map.after.weight[1], 11.0 / 3.0);
  EXPECT_TRUE(std::isnan(map.before.weight[2]));
  EXPECT_EQ(map.before.probability[2], 0.0);
  // sqrt(sum d^2 / 2n): three of four synapses have d = 1; by weight 7 of 8, later 11 of 12.
  EXPECT_DOUBLE_EQ(map.before.spread, std::sqrt(0.5 * 0.75));
  EXPECT_DOUBLE_EQ(map.before.weighted_spread, std::sqrt(0.5 * 7.0 / 8.0));
  EXPECT_DOUBLE_EQ(map.after.weighted_spread, std::sqrt(0.5 * 11.0 / 12.0));
}

TEST(Map, PreferredPlacesGoRoundTheEdge) {
  const Small small;
  const MapStatistics map = map_statistics(small.result, small.record);
  // Column 0 is at -2.5. Sources at displacements 0, +1 and -1 (round the edge) with weights 1, 2, 1; then 0 and +1 with 1, 3.
  EXPECT_DOUBLE_EQ(map.before.preferred_x[0], -2.5 + 0.25);
  EXPECT_DOUBLE_EQ(map.before.preferred_y[0], -2.5);
  EXPECT_DOUBLE_EQ(map.after.preferred_x[0], -2.5 + 0.75);
  EXPECT_DOUBLE_EQ(map.before.preferred_x[7], -0.5);
  EXPECT_DOUBLE_EQ(map.after.preferred_x[7], -1.5 + 0.5);
  EXPECT_DOUBLE_EQ(map.after.preferred_y[7], -1.5 + 0.5);
  EXPECT_TRUE(std::isnan(map.before.preferred_x[1]));
}

TEST(Map, WhatComesAndGoes) {
  const Small small;
  const MapStatistics map = map_statistics(small.result, small.record);
  EXPECT_EQ(map.times_ms, std::vector<double>{1000.0});
  EXPECT_EQ(map.formed_per_s, std::vector<double>{3.0});
  EXPECT_EQ(map.eliminated_per_s, std::vector<double>{5.0});
  EXPECT_EQ(map.appeared[1], 1u);
  EXPECT_EQ(map.disappeared[1], 1u);
  EXPECT_EQ(map.appeared[0] + map.disappeared[0], 0u);
  EXPECT_EQ(map.before.indegrees, (std::vector<std::uint64_t>{34, 1, 0, 1}));
  EXPECT_EQ(map.after.indegrees, (std::vector<std::uint64_t>{34, 0, 2}));
  EXPECT_EQ(map.before.outdegrees, (std::vector<std::uint64_t>{32, 4}));
}

// Without edges that touch, source 5 is five columns away; with an extent lengths are in mm.
TEST(Map, EdgesAndLengthsAreThoseOfTheGrid) {
  const Small open({6, 0.0, 0.0, false});
  const MapStatistics map = map_statistics(open.result, open.record);
  EXPECT_DOUBLE_EQ(map.before.preferred_x[0], -2.5 + (2.0 + 5.0) / 4.0);
  EXPECT_DOUBLE_EQ(map.before.probability[5], 1.0 / [] {
    double pairs = 0.0;  // of columns and rows at a distance from 4.5 to 5.5, both ways round
    for (int a = 0; a < 36; ++a) {
      for (int b = 0; b < 36; ++b) {
        const double d = std::hypot(a % 6 - b % 6, a / 6 - b / 6);
        if (d >= 4.5 && d < 5.5) pairs += 1.0;
      }
    }
    return pairs;
  }());
  const Small wide({6, 3.0, 3.0, true});
  EXPECT_DOUBLE_EQ(map_statistics(wide.result, wide.record).before.spread, 0.5 * std::sqrt(0.5 * 0.75));
}

TEST(Map, SaysWhatIsMissing) {
  const auto message = [](const auto& change) -> std::string {
    Small small;
    change(small);
    try {
      (void)map_statistics(small.result, small.record);
    } catch (const InputError& error) {
      return error.what();
    }
    return "";
  };
  const auto expect = [](const std::string& text, const char* part) { EXPECT_NE(text.find(part), std::string::npos) << text; };
  expect(message([](Small& s) { s.record.info.rewired = false; }), "The synapses of 'map' do not come and go");
  expect(message([](Small& s) { s.record.info.recording.what = WeightRecording::What::sample; }), "--record weights:map:all:INTERVAL");
  expect(message([](Small& s) { s.record.times_ms.pop_back(); }), "fewer than two times");
  expect(message([](Small& s) { s.result.populations[1].grid.columns = 0; }), "The population 'to' of 'map' lies on no grid");
}

}  // namespace
}  // namespace tessera
