// The unit in which a population's weights are added: exact where weights have a common divisor, within
// a thousandth elsewhere, and never so fine that a sum could leave 31 bits.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "connectivity/weight_units.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "connectivity/connect.hpp"
#include "kernels/draw_rows.hpp"

namespace tessera::test {
namespace {

/// "A" (100 neurons) to "B" (200 neurons), one projection a weight.
Network with_weights(const std::vector<Distribution>& weights, ConnectivityRule rule = rule_of(Kind::fixed_indegree, 10)) {
  Network network = one_projection(100, 200, rule);
  const Projection like = network.projections[0];
  network.projections.clear();
  for (const Distribution& weight : weights) {
    network.projections.push_back(like);
    network.projections.back().name = "P" + std::to_string(network.projections.size() - 1);
    network.projections.back().weight = weight;
  }
  return network;
}

WeightUnits units_of(const Network& network) { return choose_weight_units(Wiring(network, 1)); }
constexpr std::uint32_t kTarget = 1;  // population "B"

/// What a weight has become, in its own unit.
double kept(const WeightUnits& units, double weight) { return units.units_of(weight, kTarget) * units.unit[kTarget]; }

Stimulus poisson(double weight) {
  Stimulus s;
  s.name = "noise";
  s.kind = Stimulus::Kind::poisson;
  s.target = "B";
  s.rate_hz = 1000.0;
  s.weight = weight;
  return s;
}

TEST(WeightUnits, ACommonDivisorIsTheUnit) {
  const struct {
    std::vector<double> weights;
    double divisor;
  } cases[] = {{{15.0, -20.0}, 5.0},      {{0.1, -0.45}, 0.05},    {{87.8, -351.2}, 87.8},
               {{3.0}, 3.0},              {{0.3, 0.7, 1.1}, 0.1},  {{-0.125, 1.0}, 0.125},
               {{std::sqrt(2.0), -6.0 * std::sqrt(2.0)}, std::sqrt(2.0)}};
  for (const auto& [weights, divisor] : cases) {
    std::vector<Distribution> constants;
    for (const double w : weights) constants.push_back(Distribution::constant(w));
    const WeightUnits units = units_of(with_weights(constants));
    // At most one step of float32 above the divisor, 2^-23 of it.
    EXPECT_GE(units.unit[kTarget], divisor * (1.0 - 1e-15));
    EXPECT_LE(units.unit[kTarget], divisor * (1.0 + 0x1p-23));
    EXPECT_EQ(units.unit[kTarget], static_cast<float>(units.unit[kTarget]));
    for (std::size_t p = 0; p < weights.size(); ++p) {
      EXPECT_EQ(units.units_of(weights[p], kTarget), std::lround(weights[p] / divisor)) << weights[p];
      EXPECT_FALSE(units.wide[p]);
    }
    EXPECT_TRUE(units.rounded.empty());
  }
}

TEST(WeightUnits, StimuliAndListsHaveASayInTheDivisor) {
  Network network = with_weights({Distribution::constant(15.0)});
  network.stimuli = {poisson(2.5)};
  EXPECT_EQ(units_of(network).unit[kTarget], 2.5);
  network.projections[0].rule.kind = Kind::explicit_list;
  network.projections[0].rule.list = {{0, 0, 7.5, 1.0}, {1, 0, -20.0, 1.0}, {2, 0, 1.25, 1.0}};
  EXPECT_EQ(units_of(network).unit[kTarget], 1.25);
}

// 351.2 pA (1 + 0.1 x) is about 460 pA at its largest: far from a thousandth at 1/8191 of that.
TEST(WeightUnits, DrawnWeightsOfLikeSizeAreMultiplesOfTheLargestOver8191) {
  Network network = with_weights({Distribution::normal(87.8, 8.78), Distribution::normal(-351.2, 35.12)});
  network.stimuli = {poisson(87.8)};
  const WeightUnits units = units_of(network);
  const Wiring wiring(network, 1);
  const double largest = WeightTable(network.projections[1].weight).largest_magnitude();
  EXPECT_EQ(units.unit[kTarget], largest / 8191.0);
  EXPECT_EQ(units.wide, (std::vector<bool>{false, false}));
  EXPECT_TRUE(units.rounded.empty());
}

TEST(WeightUnits, NoMeanIsRoundedByMoreThanAThousandth) {
  const double irrational = std::sqrt(2.0);
  for (const double ratio : {1.0, 17.3, 333.3, 5e3, 2e4}) {
    for (const bool constant : {true, false}) {
      const auto around = [&](double mean) {
        return constant ? Distribution::constant(mean) : Distribution::normal(mean, 0.1 * std::abs(mean));
      };
      const Network network = with_weights({around(irrational), around(-3.1 * ratio), around(M_PI * ratio)});
      const WeightUnits units = units_of(network);
      EXPECT_TRUE(units.rounded.empty()) << ratio;
      for (const Projection& p : network.projections) {
        const WeightTable table(p.weight);
        double exact = 0.0, rounded = 0.0;
        for (const double w : table.values) {
          exact += std::abs(w);
          rounded += std::abs(kept(units, w));
        }
        EXPECT_NEAR(rounded / exact, 1.0, 1e-3) << ratio << " " << p.name;
      }
      for (std::size_t p = 0; p < network.projections.size(); ++p) {
        const double largest = WeightTable(network.projections[p].weight).largest_magnitude();
        EXPECT_EQ(units.wide[p], std::abs(units.units_of(largest, kTarget)) > kLargestUnits) << ratio;
      }
      EXPECT_FALSE(units.wide[0]) << ratio;
      // At 1/8191 of 5000 pi, the square root of 2 would be 0.7 units.
      if (ratio >= 5e3) {
        EXPECT_TRUE(units.wide[2]) << ratio;
      }
    }
  }
}

// Two constants without a common divisor: the small one becomes a whole number of units, and the large
// one still fits a packed word.
TEST(WeightUnits, AreFittedToTheSmallestConstant) {
  const WeightUnits units = units_of(with_weights({Distribution::constant(std::sqrt(2.0)), Distribution::constant(-2000.0 * M_PI)}));
  EXPECT_NEAR(kept(units, std::sqrt(2.0)) / std::sqrt(2.0), 1.0, 0x1p-23);  // a step of float32
  EXPECT_NEAR(kept(units, 2000.0 * M_PI) / (2000.0 * M_PI), 1.0, 1e-3);
  EXPECT_EQ(units.wide, (std::vector<bool>{false, false}));
}

// A few different values are kept one by one; of many, the mean is.
TEST(WeightUnits, ListedWeightsDoNotVanishBesideALargeOne) {
  Network network = with_weights({Distribution::constant(1.0)});
  ConnectivityRule& rule = network.projections[0].rule;
  rule.kind = Kind::explicit_list;
  rule.list = {{0, 0, 5.0, 1.0}, {1, 0, 0.0003 * std::sqrt(2.0), 1.0}};
  WeightUnits units = units_of(network);
  EXPECT_NEAR(kept(units, rule.list[1].weight) / rule.list[1].weight, 1.0, 1e-3);
  for (std::uint32_t i = 0; i < 3000; ++i) rule.list.push_back({i % 100, i % 200, 0.001 + 1e-7 * std::sqrt(1.0 + i), 1.0});
  units = units_of(network);
  double exact = 0.0, rounded = 0.0;
  for (const auto& synapse : rule.list) {
    exact += synapse.weight;
    rounded += kept(units, synapse.weight);
  }
  EXPECT_NEAR(rounded / exact, 1.0, 1e-3);
}

// The most that one neuron can get in a step, in units, stays below 2^31: exactly known for rules that
// fix the in-degree, 30 and more beyond the mean for the others.
TEST(WeightUnits, ASumOfAllSynapsesAtOnceFits31Bits) {
  for (const double small : {1e-9, 1e-4, 1.0}) {
    for (const std::uint64_t indegree : {1u, 1000u, 1000000u}) {
      for (const Kind kind : {Kind::fixed_indegree, Kind::fixed_total_number}) {
        const std::uint64_t number = kind == Kind::fixed_indegree ? indegree : indegree * 200;
        Network network = with_weights({Distribution::constant(M_PI), Distribution::constant(small)}, rule_of(kind, number));
        network.stimuli = {poisson(-2.0)};
        const WeightUnits units = units_of(network);
        const double most = kind == Kind::fixed_indegree ? 0.0 : 30.0;
        double sum = 0.0;
        for (const Projection& p : network.projections) {
          sum += (static_cast<double>(indegree) + most) * std::abs(units.units_of(p.weight.a, kTarget));
        }
        EXPECT_LT(sum, 0x1p31) << small << " " << indegree;
      }
    }
  }
}

// One synapse of 1e6 needs 1e6 / 2^30 = 0.00093 as a unit: 1e-9 is gone, 0.01 is off by up to 5 %.
TEST(WeightUnits, WhatCannotBeKeptIsNamed) {
  Network network = with_weights({Distribution::constant(1e6), Distribution::constant(1e-9), Distribution::constant(1e3)},
                                 rule_of(Kind::fixed_indegree, 1));
  network.stimuli = {poisson(M_PI * 1e-8)};
  const WeightUnits units = units_of(network);
  ASSERT_EQ(units.rounded.size(), 2u);
  EXPECT_EQ(units.rounded[0].name, "projection 'P1'");
  EXPECT_EQ(units.rounded[0].error, 1.0);
  EXPECT_EQ(units.rounded[1].name, "stimulus 'noise'");
  EXPECT_EQ(units.rounded[1].error, 1.0);
}

TEST(WeightUnits, NoWeightsNeedNoUnit) {
  const WeightUnits units = units_of(with_weights({Distribution::constant(0.0)}));
  EXPECT_EQ(units.units_of(0.0, kTarget), 0);
  EXPECT_TRUE(units.rounded.empty());
}

}  // namespace
}  // namespace tessera::test
