// Grids as sheets in space: places and distances by hand, probabilities against the kernel, delays that
// grow with the distance.
//
// Two sheets of 2 x 1 mm are used throughout: A of 40 x 20 neurons, B of 20 x 10 (4:1). In units of 25 um,
// half of A's spacing, A's columns are at odd numbers 2i + 1 and B's at 4j + 2, so all distances are whole
// numbers that the tests count in without the code under test.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "network/sheet.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>

#include "connectivity/connect.hpp"
#include "support/draw.hpp"
#include "support/goodness_of_fit.hpp"

namespace tessera::test {
namespace {

constexpr double kUnit_mm = 0.025;
constexpr int kWidth = 80, kHeight = 40;  // of the sheets, in units

Population sheet(const std::string& name, std::uint32_t columns, std::uint32_t rows, bool periodic) {
  Population p = neurons_of(name, columns * rows);
  p.grid_columns = columns;
  p.extent_mm = {2.0, 1.0};
  p.periodic = periodic;
  return p;
}

/// From A to B (or backwards), or from A to itself.
Network two_sheets(const ConnectivityRule& rule, bool periodic, const std::string& from = "A", const std::string& to = "B") {
  Network network = one_projection(800, 200, rule);
  network.populations = {sheet("A", 40, 20, periodic), sheet("B", 20, 10, periodic)};
  network.projections[0].source = from;
  network.projections[0].target = to;
  return network;
}

struct Units {
  int x, y;
};
Units units_of(const std::string& population, std::uint32_t neuron) {
  const auto i = static_cast<int>(neuron);
  if (population == "A") return {2 * (i % 40) + 1, 2 * (i / 40) + 1};
  return {4 * (i % 20) + 2, 4 * (i / 20) + 2};
}
int squared_units(const Network& network, std::uint32_t source, std::uint32_t target) {
  const Units a = units_of(network.projections[0].source, source), b = units_of(network.projections[0].target, target);
  int dx = std::abs(a.x - b.x), dy = std::abs(a.y - b.y);
  if (network.populations[0].periodic) {
    dx = std::min(dx, kWidth - dx);
    dy = std::min(dy, kHeight - dy);
  }
  return dx * dx + dy * dy;
}
std::uint32_t size_of(const std::string& population) { return population == "A" ? 800 : 200; }

TEST(Sheet, PlacesByHand) {
  Population p = neurons_of("P", 8);
  p.grid_columns = 4;  // two rows
  p.extent_mm = {8.0, 3.0};
  const Sheet measured = sheet_of(p);
  // Cells of 2 x 1.5 mm around the centre: neuron 5 is in column 1 and row 1.
  EXPECT_DOUBLE_EQ(measured.x.place(measured.column(0)), -3.0);
  EXPECT_DOUBLE_EQ(measured.y.place(measured.row(0)), -0.75);
  EXPECT_DOUBLE_EQ(measured.x.place(measured.column(5)), -1.0);
  EXPECT_DOUBLE_EQ(measured.y.place(measured.row(5)), 0.75);
  p.extent_mm = {0.0, 0.0};  // grid units
  const Sheet plain = sheet_of(p);
  EXPECT_EQ(plain.x.place(3), 1.5);
  EXPECT_EQ(plain.y.place(1), 0.5);
}

TEST(Sheet, DistancesByHand) {
  // Four places at -1.5, -0.5, 0.5, 1.5 and two at -1, 1, on an edge of 4 mm.
  const AxisPair ring{{4, 4.0, true}, {2, 4.0, true}}, open{{4, 4.0, false}, {2, 4.0, false}};
  EXPECT_DOUBLE_EQ(ring.gap(0, 0), 0.5);
  EXPECT_DOUBLE_EQ(ring.gap(0, 1), 1.5);  // 2.5 the long way round
  EXPECT_DOUBLE_EQ(ring.gap(3, 0), 1.5);
  EXPECT_DOUBLE_EQ(ring.gap(1, 1), 1.5);
  EXPECT_DOUBLE_EQ(open.gap(0, 1), 2.5);
  EXPECT_DOUBLE_EQ(open.gap(1, 1), 1.5);
  // Both axes: 3 and 4 make 5, and around the ring 3 becomes 1.
  Population p = neurons_of("P", 20);
  p.grid_columns = 4;
  p.periodic = false;
  EXPECT_DOUBLE_EQ(SheetPair(p, p).distance(0, 19), 5.0);
  p.periodic = true;
  EXPECT_DOUBLE_EQ(SheetPair(p, p).distance(0, 19), std::sqrt(1.0 + 1.0));
}

TEST(Sheet, ShortestAndLongestGapsAreThoseOfAllPairs) {
  Draw draw(3);
  for (int i = 0; i < 300; ++i) {
    const bool ring = draw.one_in(2);
    const double length = draw.between(0.1, 9.0), other = ring ? length : draw.between(0.1, 9.0);
    const AxisPair axis{{1 + draw.below(30), length, ring}, {1 + draw.below(30), other, ring}};
    double shortest = HUGE_VAL, longest = 0.0;
    for (std::uint32_t s = 0; s < axis.source.cells; ++s) {
      for (std::uint32_t t = 0; t < axis.target.cells; ++t) {
        shortest = std::min(shortest, axis.gap(s, t));
        longest = std::max(longest, axis.gap(s, t));
      }
    }
    EXPECT_EQ(axis.gaps().shortest, shortest) << axis.source.cells << " " << axis.target.cells << " " << ring;
    EXPECT_EQ(axis.gaps().longest, longest) << axis.source.cells << " " << axis.target.cells << " " << ring;
  }
}

TEST(Gaussian2d, ProbabilityFallsWithDistanceBetweenSheetsOfDifferentDensity) {
  ConnectivityRule rule = rule_of(Kind::gaussian_2d);
  rule.probability = 0.8;
  rule.sigma = 0.15;
  const double sigma = rule.sigma / kUnit_mm;
  for (const bool periodic : {true, false}) {
    for (const auto& [from, to] : {std::pair{"A", "B"}, {"B", "A"}, {"A", "A"}, {"B", "B"}}) {
      SCOPED_TRACE(std::string(from) + to + (periodic ? " periodic" : " open"));
      const Network network = two_sheets(rule, periodic, from, to);
      std::map<int, double> pairs, seen;
      for (std::uint32_t s = 0; s < size_of(from); ++s) {
        for (std::uint32_t t = 0; t < size_of(to); ++t) pairs[squared_units(network, s, t)] += 1.0;
      }
      const Synapses synapses = synapses_of(network);
      EXPECT_FALSE(has_multapse(synapses));
      for (const auto& s : synapses) seen[squared_units(network, s.source, s.target)] += 1.0;
      // Each squared distance is a binomial count of its own: connected and not connected make two bins.
      double statistic = 0.0, expected = 0.0;
      int bins = 0;
      for (const auto& [d2, n] : pairs) {
        const double p = 0.8 * std::exp(-d2 / (2.0 * sigma * sigma));
        expected += n * p;
        if (n * p < 10.0) continue;
        const double z = seen[d2] - n * p;
        statistic += z * z / (n * p * (1.0 - p));
        ++bins;
      }
      EXPECT_GT(bins, 10);
      EXPECT_LT(statistic, chi_squared_limit(bins));
      // Rare distances together: their count has at most a Poisson's variance.
      EXPECT_NEAR(static_cast<double>(synapses.size()), expected, kOneInAMillionSd * std::sqrt(expected));
      EXPECT_NEAR(expected_synapses(network.projections[0], *network.find(from), *network.find(to)), expected,
                  1e-9 * expected);
    }
  }
}

TEST(Gaussian2d, ExpectedNumberOnLongRingsIsTheIntegralOfTheKernel) {
  // 60,000 x 59,999 places are too many pairs to add up. Where the spacing is far below sigma, and sigma far
  // below the edge, every source sees m / L * integral of exp(-x^2 / (2 sigma^2)) = m / L * sigma * sqrt(2 pi).
  const AxisPair axis{{60000, 10.0, true}, {59999, 10.0, true}};
  const double integral = 0.5 * std::sqrt(2.0 * M_PI);
  EXPECT_NEAR(axis.gaussian_sum(0.5) / (60000.0 * 59999.0 / 10.0 * integral), 1.0, 1e-9);
}

// Delays in steps of 0.1 ms, by hand.
void expect_delays(const Network& network, const std::map<std::pair<std::uint32_t, std::uint32_t>, double>& delays_ms) {
  const Synapses synapses = synapses_of(network);
  ASSERT_EQ(synapses.size(), delays_ms.size());
  for (const auto& s : synapses) {
    const auto wanted = delays_ms.find({s.source, s.target});
    ASSERT_NE(wanted, delays_ms.end()) << s.source << " -> " << s.target;
    EXPECT_NEAR(s.delay_ms, wanted->second, 1e-9) << s.source << " -> " << s.target;
  }
}

TEST(DistanceDelay, ByHandOnALine) {
  Network network = one_projection(3, 0, rule_of(Kind::all_to_all));
  Population& line = network.populations[0];
  line.grid_columns = 3;
  line.extent_mm = {3.0, 1.0};  // neighbours are 1 mm apart
  line.periodic = false;
  Projection& p = network.projections[0];
  p.delay_ms = Distribution::constant(0.5);
  p.delay_slope = 1.0 / 0.3;  // 0.3 mm/ms: 3.33 ms per mm
  expect_delays(network, {{{0, 0}, 0.5}, {{0, 1}, 3.8}, {{0, 2}, 7.2},
                          {{1, 0}, 3.8}, {{1, 1}, 0.5}, {{1, 2}, 3.8},
                          {{2, 0}, 7.2}, {{2, 1}, 3.8}, {{2, 2}, 0.5}});
  line.periodic = true;  // now all are neighbours
  p.delay_ms = Distribution::constant(0.0);
  p.delay_slope = 0.26;  // 0.26 ms is nearest to 0.3 ms; without any distance, one step
  expect_delays(network, {{{0, 0}, 0.1}, {{0, 1}, 0.3}, {{0, 2}, 0.3},
                          {{1, 0}, 0.3}, {{1, 1}, 0.1}, {{1, 2}, 0.3},
                          {{2, 0}, 0.3}, {{2, 1}, 0.3}, {{2, 2}, 0.1}});
}

TEST(DistanceDelay, ByHandBetweenSheetsOfDifferentSize) {
  // One neuron above a square of four, whose cells are 6 x 8 mm: all are sqrt(3^2 + 4^2) = 5 mm away.
  Network network = one_projection(4, 1, rule_of(Kind::all_to_all));
  network.populations[0].grid_columns = 2;
  network.populations[1].grid_columns = 1;
  for (Population& p : network.populations) p.extent_mm = {12.0, 16.0};
  network.projections[0].delay_ms = Distribution::constant(1.0);
  network.projections[0].delay_slope = 0.2;
  expect_delays(network, {{{0, 0}, 2.0}, {{1, 0}, 2.0}, {{2, 0}, 2.0}, {{3, 0}, 2.0}});
}

TEST(DistanceDelay, BelongsToEveryRule) {
  // 0.4 ms per mm are 0.01 ms per unit of 25 um.
  for (const Kind kind : {Kind::all_to_all, Kind::fixed_total_number, Kind::fixed_indegree, Kind::fixed_outdegree,
                          Kind::pairwise_bernoulli, Kind::gaussian_2d}) {
    for (const bool periodic : {true, false}) {
      ConnectivityRule rule = rule_of(kind, 20);
      rule.probability = 0.5;
      rule.sigma = 0.3;
      Network network = two_sheets(rule, periodic);
      network.projections[0].delay_ms = Distribution::constant(0.2);
      network.projections[0].delay_slope = 0.4;
      const Synapses synapses = synapses_of(network);
      EXPECT_GE(synapses.size(), 20u);
      for (const auto& s : synapses) {
        const double delay_ms = 0.2 + 0.01 * std::sqrt(squared_units(network, s.source, s.target));
        ASSERT_NEAR(s.delay_ms, delay_ms, 0.05 + 1e-9) << to_string(kind) << " " << periodic;
      }
    }
  }
}

TEST(DistanceDelay, BoundsOfTheDistancesHoldForAllSynapses) {
  Draw draw(8);
  for (int i = 0; i < 60; ++i) {
    const bool self = draw.one_in(3);
    ConnectivityRule rule = rule_of(draw.one_in(2) ? Kind::all_to_all : Kind::gaussian_2d, 0, draw.one_in(2));
    rule.probability = 1.0;
    rule.sigma = draw.between(0.05, 0.5);
    const std::uint32_t columns = 1 + draw.below(9), rows = 1 + draw.below(9);
    Network network = one_projection(columns * rows, self ? 0 : 12, rule);
    network.populations[0].grid_columns = columns;
    if (!self) network.populations[1].grid_columns = 1 + draw.below(4);
    if (!self && 12 % network.populations[1].grid_columns != 0) network.populations[1].grid_columns = 3;
    const bool periodic = draw.one_in(2);
    for (Population& p : network.populations) {
      p.extent_mm = {1.3, 0.7};
      p.periodic = periodic;
    }
    Projection& p = network.projections[0];
    p.delay_ms = Distribution::constant(0.0);
    p.delay_slope = draw.between(1.0, 50.0);
    const Plan needs = plan(network, NeuronCatalogue::builtin(), {});
    for (const auto& s : synapses_of(network)) {
      EXPECT_GE(s.delay_ms, needs.min_delay_ms - 1e-9);
      EXPECT_LE(s.delay_ms, needs.max_delay_ms + 1e-9);
    }
    if (rule.kind == Kind::all_to_all && (rule.autapses || !self)) {  // every distance occurs
      double longest = 0.0;
      for (const auto& s : synapses_of(network)) longest = std::max(longest, s.delay_ms);
      EXPECT_NEAR(longest, needs.max_delay_ms, 1e-9);
    }
  }
}

}  // namespace
}  // namespace tessera::test
