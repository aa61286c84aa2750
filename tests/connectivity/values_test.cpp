// Weights and delays of drawn synapses against their distributions.
//
// Weights come from 1024 equally likely values, each the mean of its interval of quantiles: the
// empirical distribution may be off by one half of an interval, 1/2048 (and a little more where the
// table is stretched to keep the variance). Delays are whole steps; inside a group their cumulative
// probabilities are multiples of 1/1024, rounded, so each is within 1/512 of its group's share.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "connectivity/value_tables.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "connectivity/connect.hpp"
#include "support/goodness_of_fit.hpp"

namespace tessera::test {
namespace {

constexpr double kWeightAllowance = 1.0 / 1024.0;
constexpr double kDelayAllowance = 1.0 / 512.0;

std::vector<Distribution> weight_distributions() {
  Distribution mirrored = Distribution::lognormal(2.0, 0.5);
  mirrored.mirrored = true;
  return {Distribution::uniform(5.0, 15.0),          Distribution::normal(80.0, 8.0),
          Distribution::normal(-320.0, 32.0),        Distribution::normal(10.0, 10.0),
          Distribution::normal(10.0, 10.0).within(0.0, 25.0), Distribution::lognormal(1.0, 0.8),
          mirrored,                                  Distribution::exponential(20.0),
          Distribution::exponential(-20.0),          Distribution::exponential(20.0).within(5.0, 60.0)};
}

// Both ways in which synapses are drawn: rows of the vector kernels, and listed rows.
std::vector<ConnectivityRule> drawing_rules() {
  return {rule_of(Kind::fixed_total_number, 60000), rule_of(Kind::fixed_indegree, 20)};
}

TEST(Weights, FollowTheirDistribution) {
  for (const Distribution& d : weight_distributions()) {
    for (const ConnectivityRule& rule : drawing_rules()) {
      Network network = one_projection(500, 3000, rule);
      network.projections[0].weight = d;
      std::vector<double> weights;
      double sum = 0.0;
      for (const auto& s : synapses_of(network)) {
        weights.push_back(s.weight);
        sum += s.weight;
        ASSERT_GE(s.weight, d.low);
        ASSERT_LE(s.weight, d.high);
      }
      ASSERT_EQ(weights.size(), 60000u);
      const auto cdf = [&](double x) { return d.cdf(x); };
      EXPECT_TRUE(ks_fits(weights, cdf, kWeightAllowance)) << to_string(d.kind) << " " << d.a << " " << d.b;
      EXPECT_NEAR(sum / 60000.0, d.mean(), kOneInAMillionSd * std::sqrt(d.variance() / 60000.0)) << to_string(d.kind);
    }
  }
}

// Where many groups share the upper bits of a draw, in tails, and where groups are empty.
TEST(Delays, GroupsAreFoundAsTheyAreCounted) {
  for (const Distribution& d : {Distribution::normal(20.0, 10.0).within(0.1, 400.0), Distribution::uniform(0.1, 300.0),
                                Distribution::exponential(30.0).within(0.1, 400.0), Distribution::normal(1.5, 0.75).within(0.1, 9.0)}) {
    for (const RingShape shape : {RingShape{}, RingShape{RingShape::kMostStepBits}}) {
      const DelayTable table(d, 0.1, shape);
      for (std::uint32_t draw = 0; draw < 65536; ++draw) {
        ASSERT_EQ(table.find_group(draw), table.group_of(draw) - table.first_group) << to_string(d.kind) << " " << draw;
      }
    }
  }
}

TEST(Weights, TableKeepsMeanVarianceAndSign) {
  for (const Distribution& d : weight_distributions()) {
    const WeightTable table(d);
    double mean = 0.0, variance = 0.0;
    for (const double v : table.values) mean += v / WeightTable::kSize;
    for (const double v : table.values) variance += (v - mean) * (v - mean) / WeightTable::kSize;
    EXPECT_NEAR(mean, d.mean(), 1e-3 * std::abs(d.mean())) << to_string(d.kind);
    EXPECT_NEAR(variance, d.variance(), 5e-3 * d.variance()) << to_string(d.kind) << " " << d.a << " " << d.b;
    // Lognormal and exponential weights never change sign: it decides the receptor.
    if (d.kind == Distribution::Kind::lognormal || d.kind == Distribution::Kind::exponential) {
      const double sign = d.mean() > 0.0 ? 1.0 : -1.0;
      for (const double v : table.values) ASSERT_GT(v * sign, 0.0) << to_string(d.kind) << " " << d.a << " " << d.b;
    }
  }
}

TEST(Weights, ConstantIsExact) {
  const WeightTable table(Distribution::constant(87.8));
  for (const double v : table.values) EXPECT_EQ(v, 87.8);
  for (const ConnectivityRule& rule : drawing_rules()) {
    for (const auto& s : synapses_of(one_projection(100, 3000, rule))) ASSERT_EQ(s.weight, 10.0);
  }
}

/// Probability of a delay of d steps: the distribution's mass that rounds to d, at least one step.
double step_probability(const Distribution& d, int step) {
  return d.cdf(0.1 * (step + 0.5)) - (step > 1 ? d.cdf(0.1 * (step - 0.5)) : 0.0);
}

TEST(Delays, FollowTheirDistribution) {
  const Distribution distributions[] = {
      Distribution::uniform(0.5, 4.0),        Distribution::normal(1.5, 0.75).within(0.1, 6.0),
      Distribution::normal(0.8, 0.4).within(0.1, 3.0), Distribution::lognormal(0.3, 0.5).within(0.1, 8.0),
      Distribution::exponential(1.0).within(0.1, 10.0), Distribution::uniform(1.0, 1.2)};
  for (const Distribution& d : distributions) {
    for (const ConnectivityRule& rule : drawing_rules()) {
      for (const std::uint32_t silent : {0u, 20000u, 40000u}) {  // groups of 32, 8 and 4 steps
        Network network = one_projection(500, 3000, rule);
        network.projections[0].delay_ms = d;
        if (silent > 0) network.populations.push_back(neurons_of("silent", silent));
        std::vector<double> seen(200, 0.0);
        for (const auto& s : synapses_of(network)) {
          const auto steps = static_cast<std::size_t>(std::lround(s.delay_ms / 0.1));
          ASSERT_GE(steps, 1u);
          ASSERT_LT(steps, seen.size());
          ASSERT_NEAR(s.delay_ms, 0.1 * static_cast<double>(steps), 1e-9);
          seen[steps] += 1.0;
        }
        double below = 0.0, distance = 0.0, up_to = 0.0;
        for (int step = 1; step < 200; ++step) {
          below += seen[static_cast<std::size_t>(step)] / 60000.0;
          up_to += step_probability(d, step);
          distance = std::max(distance, std::abs(below - up_to));
          // No delay where the distribution has none.
          if (step_probability(d, step) < 1e-12) {
            EXPECT_EQ(seen[static_cast<std::size_t>(step)], 0.0) << step;
          }
        }
        EXPECT_LT(distance, kOneInAMillionKs / std::sqrt(60000.0) + kDelayAllowance) << to_string(d.kind) << " " << d.a << " " << silent;
      }
    }
  }
}

TEST(Delays, TableProbabilitiesAreWithinTheResolution) {
  const Distribution d = Distribution::normal(1.5, 0.75).within(0.1, 6.0);
  for (const RingShape shape : {RingShape{2}, RingShape{3}, RingShape{4}, RingShape{5}}) {
    const DelayTable table(d, 0.1, shape);
    EXPECT_EQ(table.min_steps, 1u);
    std::vector<double> probability(table.max_steps + 5, 0.0);
    for (std::uint32_t draw16 = 0; draw16 < 65536; draw16 += 8) {
      for (std::uint32_t draw10 = 0; draw10 < 1024; draw10 += 4) {
        const std::uint32_t steps = table.delay_of(draw16, draw10);
        ASSERT_GE(steps, table.min_steps);
        ASSERT_LE(steps, table.max_steps);
        probability[steps] += 1.0 / (8192.0 * 256.0);
      }
    }
    for (std::uint32_t s = table.min_steps; s <= table.max_steps; ++s) {
      // Coarser draws than the engine's: one in 256 inside a group, one in 8192 between groups.
      EXPECT_NEAR(probability[s], step_probability(d, static_cast<int>(s)), table.largest_group_share() / 100.0 + 1.0 / 4096.0) << s;
    }
  }
}

TEST(Delays, ConstantIsExactForEveryStep) {
  for (std::uint32_t steps = 1; steps <= 300; ++steps) {
    for (const RingShape shape : {RingShape{2}, RingShape{3}, RingShape{4}, RingShape{5}}) {
      const DelayTable table(Distribution::constant(0.1 * steps), 0.1, shape);
      EXPECT_EQ(table.min_steps, steps);
      EXPECT_EQ(table.max_steps, steps);
      EXPECT_EQ(table.groups, 1u);
      for (const std::uint32_t draw : {0u, 1u, 511u, 1022u, 1023u}) {
        EXPECT_EQ(table.delay_of(0, draw), steps);
        EXPECT_EQ(table.delay_of(65535, draw), steps);
      }
    }
  }
}

// A synapse's target, weight and delay come from one draw: they must not depend on each other.
TEST(Values, WeightsDelaysAndTargetsAreIndependent) {
  for (const ConnectivityRule& rule : drawing_rules()) {
    Network network = one_projection(500, 3000, rule);
    network.projections[0].weight = Distribution::uniform(0.0, 1.0);
    network.projections[0].delay_ms = Distribution::uniform(0.1, 3.0);
    double wd = 0.0, wt = 0.0, dt = 0.0, ws = 0.0;
    for (const auto& s : synapses_of(network)) {  // standardised: products have mean 0 and variance 1
      const double w = (s.weight - 0.5) * std::sqrt(12.0), t = (s.target / 3000.0 - 0.5) * std::sqrt(12.0);
      const double d = (s.delay_ms - 1.55) / 2.9 * std::sqrt(12.0), from = (s.source / 500.0 - 0.5) * std::sqrt(12.0);
      wd += w * d, wt += w * t, dt += d * t, ws += w * from;
    }
    const double limit = 1.05 * kOneInAMillionSd * std::sqrt(60000.0);
    EXPECT_LT(std::abs(wd), limit);
    EXPECT_LT(std::abs(wt), limit);
    EXPECT_LT(std::abs(dt), limit);
    EXPECT_LT(std::abs(ws), limit);
  }
}

}  // namespace
}  // namespace tessera::test
