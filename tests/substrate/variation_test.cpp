// Draws of chips and runs: the distributions of the description, and independence of their order.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "substrate/readout.hpp"
#include "substrate/variation.hpp"
#include "support/goodness_of_fit.hpp"

namespace tessera::substrate {
namespace {

testing::AssertionResult follows(const std::vector<double>& drawn, const Distribution& distribution) {
  return test::ks_fits(drawn, [&](double x) { return distribution.cdf(x); });
}

MachineDescription::FixedPattern pattern() {
  MachineDescription::FixedPattern p;
  p.threshold.distribution = Distribution::normal(0.05, 0.031);
  p.leak.distribution = Distribution::normal(0.0, 0.02);
  p.membrane_time_constant.distribution = Distribution::normal(0.0, 0.1).within(-0.5, 0.5);
  p.synapse_time_constant.distribution = Distribution::uniform(-0.2, 0.1);
  p.weight_gain.distribution = Distribution::lognormal(-3.0, 0.5);
  return p;
}

TEST(Variation, CircuitsFollowTheirDistributions) {
  std::vector<double> threshold, leak, membrane, synapse, gain;
  for (std::uint32_t chip = 0; chip < 20; ++chip) {
    for (std::uint32_t circuit = 0; circuit < 512; ++circuit) {
      const CircuitPattern c = draw_pattern(pattern(), 7, chip, circuit);
      threshold.push_back(c.threshold);
      leak.push_back(c.leak);
      membrane.push_back(c.membrane);
      synapse.push_back(c.synapse);
      gain.push_back(c.gain);
    }
  }
  const auto p = pattern();
  EXPECT_TRUE(follows(threshold, p.threshold.distribution));
  EXPECT_TRUE(follows(leak, p.leak.distribution));
  EXPECT_TRUE(follows(membrane, p.membrane_time_constant.distribution));
  EXPECT_TRUE(follows(synapse, p.synapse_time_constant.distribution));
  EXPECT_TRUE(follows(gain, p.weight_gain.distribution));
  // Independent: correlations of n pairs are 0 +- 1 / sqrt(n); five of these are 2.5 in 10 million.
  double product = 0.0;
  for (std::size_t k = 0; k < threshold.size(); ++k) product += (threshold[k] - 0.05) / 0.031 * leak[k] / 0.02;
  EXPECT_LT(std::abs(product) / std::sqrt(static_cast<double>(threshold.size())), 5.0);
}

TEST(Variation, AChipIsTheSameWheneverItIsLookedAt) {
  const CircuitPattern c = draw_pattern(pattern(), 7, 3, 100);
  EXPECT_EQ(draw_pattern(pattern(), 7, 3, 100), c);
  EXPECT_NE(draw_pattern(pattern(), 7, 2, 100), c);
  EXPECT_NE(draw_pattern(pattern(), 8, 3, 100), c);
  auto without = pattern();
  without.leak.on = false;
  CircuitPattern expected = c;
  expected.leak = 0.0;
  EXPECT_EQ(draw_pattern(without, 7, 3, 100), expected) << "what is switched off changes nothing else";
}

TEST(Variation, RunsDifferByTheNoiseOfThresholds) {
  const MachineVariation noise{Distribution::normal(0.0, 0.015), true};
  std::vector<double> x;
  for (std::uint32_t batch = 0; batch < 50; ++batch) {
    for (std::uint32_t circuit = 0; circuit < 200; ++circuit) x.push_back(draw_run_threshold(noise, 1, {batch, 0}, 0, circuit));
  }
  EXPECT_TRUE(follows(x, noise.distribution));
  EXPECT_EQ(draw_run_threshold(noise, 1, {3, 0}, 0, 5), x[3 * 200 + 5]);
  EXPECT_NE(draw_run_threshold(noise, 1, {3, 1}, 0, 5), x[3 * 200 + 5]) << "another look";
}

TEST(Variation, NoisePerStepFollowsItsDistribution) {
  for (const Distribution& d : {Distribution::normal(0.1, 0.3), Distribution::uniform(-1.0, 2.0)}) {
    const NoiseTable table(MachineVariation{d, true});
    NoiseWords words(5, {2, 0}, NoiseWords::Of::membranes, 1, 7);
    std::vector<double> x;
    for (int k = 0; k < 50'000; ++k) x.push_back(table.of(words.next()));
    EXPECT_TRUE(follows(x, d));
  }
  EXPECT_TRUE(NoiseTable(MachineVariation{Distribution::normal(0.0, 1.0), false}).empty());
  EXPECT_TRUE(NoiseTable(MachineVariation{}).empty());
}

// Eight bits from -1 to 1: steps of 2 / 255. 0.5 is step 191.25 from the lower end, so it is read as -1 + 191 * 2 / 255.
TEST(Readout, TakesWholeSteps) {
  const Readout r{-1.0F, 1.0F, 255, 1};
  EXPECT_NEAR(r.read(0.5F), -1.0 + 191.0 * 2.0 / 255.0, 1e-6);
  EXPECT_EQ(r.read(7.0F), 1.0F);
  EXPECT_EQ(r.read(-7.0F), -1.0F);
  for (int k = -100; k <= 100; ++k) {
    const float u = static_cast<float>(k) * 0.01F;
    EXPECT_LE(std::abs(r.read(u) - u), 1.0 / 255.0 + 1e-6);
  }
  EXPECT_EQ(Readout{}.read(0.123F), 0.123F);
}

TEST(Readout, ReadsInIntervals) {
  const Readout r{0.0F, 1.0F, 255, 3};
  EXPECT_TRUE(r.reads_at(0));
  EXPECT_FALSE(r.reads_at(2));
  EXPECT_TRUE(r.reads_at(3));
}

}  // namespace
}  // namespace tessera::substrate
