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
    // The test sees an error of a tenth: with another width s' = 1.1 s distances are about 0.1 z phi(z) at z = 1, 0.024,
    // for the normal one, and 0.05 / 1.1 for the uniform one; the limit of 50,000 draws is 0.012.
    std::vector<double> wider;
    for (const double value : x) wider.push_back(d.mean() + 1.1 * (value - d.mean()));
    EXPECT_FALSE(follows(wider, d));
  }
  EXPECT_TRUE(NoiseTable(MachineVariation{Distribution::normal(0.0, 1.0), false}).empty());
  EXPECT_TRUE(NoiseTable(MachineVariation{}).empty());
}

// The words of networks that are simulated, of many neurons in many steps, and of spikes on their way to several parts.
TEST(Variation, NoiseOfSimulatedNeuronsFollowsItsDistribution) {
  const Distribution d = Distribution::normal(0.0, 60.0);
  const NoiseTable table(MachineVariation{d, true});
  std::vector<double> of_membranes, of_events;
  for (std::uint32_t neuron = 0; neuron < 250; ++neuron) {
    for (std::int64_t step = 0; step < 200; ++step) {
      of_membranes.push_back(table.of(membrane_noise_word(5, 2, step, neuron)));
      of_events.push_back(table.of(event_noise_word(5, 2, step, neuron, 1 + neuron % 3)));
    }
  }
  const Distribution wider = Distribution::normal(0.0, 66.0);
  for (const std::vector<double>* x : {&of_membranes, &of_events}) {
    EXPECT_TRUE(follows(*x, d));
    EXPECT_FALSE(follows(*x, wider));
  }
  // Independent of each other and from step to step: 0 +- 1 / sqrt(n).
  double product = 0.0, next = 0.0;
  const std::size_t n = of_membranes.size();
  for (std::size_t k = 0; k < n; ++k) {
    product += of_membranes[k] * of_events[k] / 3600.0;
    next += of_membranes[k] * of_membranes[(k + 1) % n] / 3600.0;
  }
  EXPECT_LT(std::abs(product) / std::sqrt(static_cast<double>(n)), 5.0);
  EXPECT_LT(std::abs(next) / std::sqrt(static_cast<double>(n)), 5.0);
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
