// The tasks of e-prop's publication: labels, spikes and targets are what docs/data.md says.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <set>

#include "tessera/data.hpp"

namespace tessera::training {
namespace {

DataSpec spec_of(const std::string& set, std::uint32_t samples = 0) {
  DataSpec spec;
  spec.dataset = set;
  spec.generator.training_samples = spec.generator.test_samples = samples;
  return spec;
}

// Spikes of the channels begin .. begin + 10 in the steps first .. end.
std::size_t spikes(const SpikeSample& s, std::uint32_t begin, std::uint32_t first, std::uint32_t end) {
  std::size_t n = 0;
  for (std::uint32_t e = s.first[first]; e < s.first[end]; ++e) n += s.channel[e] >= begin && s.channel[e] < begin + 10;
  return n;
}

TEST(EvidenceAccumulation, TheSideWithMoreCuesIsTheLabel) {
  const auto data = open_dataset(spec_of("evidence_accumulation", 200), "", Split::train, 1);
  EXPECT_EQ(data->shape().size(), 40u);
  EXPECT_EQ(data->steps(), 2250u);
  EXPECT_EQ(data->classes(), 2u);
  SpikeSample s;
  double cue = 0.0, noise = 0.0, recall = 0.0, right_labels = 0.0;
  std::set<std::vector<std::uint32_t>> different;
  for (std::size_t i = 0; i < data->size(); ++i) {
    data->read(i, kUnvaried, s);
    different.insert(s.channel);
    int right = 0;
    for (std::uint32_t c = 0; c < 7; ++c) {
      const std::size_t l = spikes(s, 0, c * 150, c * 150 + 100), r = spikes(s, 10, c * 150, c * 150 + 100);
      EXPECT_TRUE(l == 0 || r == 0) << "one side at a time";
      EXPECT_GT(l + r, 0u);  // 40 on average
      right += r > 0;
      cue += static_cast<double>(l + r) / 7.0;
      EXPECT_EQ(spikes(s, 0, c * 150 + 100, c * 150 + 150) + spikes(s, 10, c * 150 + 100, c * 150 + 150), 0u);
    }
    EXPECT_EQ(s.label, right > 3 ? 1 : 0);
    EXPECT_EQ(spikes(s, 20, 0, 2100), 0u);
    EXPECT_EQ(spikes(s, 0, 1050, 2250) + spikes(s, 10, 1050, 2250), 0u);
    recall += static_cast<double>(spikes(s, 20, 2100, 2250));
    noise += static_cast<double>(spikes(s, 30, 0, 2250));
    right_labels += s.label;
  }
  // Binomial: 0.04 of 1000 and 1500 pairs of channel and step, 0.01 of 22,500; five standard deviations of the mean.
  const double n = 200.0;
  EXPECT_NEAR(cue / n, 40.0, 5.0 * std::sqrt(40.0 / n / 7.0));
  EXPECT_NEAR(recall / n, 60.0, 5.0 * std::sqrt(60.0 / n));
  EXPECT_NEAR(noise / n, 225.0, 5.0 * std::sqrt(225.0 / n));
  EXPECT_NEAR(right_labels / n, 0.5, 5.0 * 0.5 / std::sqrt(n));
  EXPECT_EQ(different.size(), data->size());
  const auto test = open_dataset(spec_of("evidence_accumulation", 200), "", Split::test, 1);
  test->read(0, kUnvaried, s);
  EXPECT_FALSE(different.contains(s.channel));
}

TEST(EvidenceAccumulation, ShortOnesAndMistakes) {
  DataSpec spec = spec_of("evidence_accumulation", 3);
  spec.generator.cues = 1;
  spec.encoder.steps = 300;
  EXPECT_TRUE(validate(spec).empty());
  SpikeSample s;
  open_dataset(spec, "", Split::train, 1)->read(0, kUnvaried, s);
  EXPECT_EQ(s.first.size(), 301u);
  EXPECT_GT(spikes(s, 20, 150, 300), 0u);
  EXPECT_EQ(spikes(s, 20, 0, 150), 0u);
  spec.encoder.steps = 299;
  EXPECT_NE(validate(spec).at(0).message.find("take 300"), std::string::npos);
  spec.encoder.steps = 1000;
  spec.generator.cues = 4;
  EXPECT_NE(validate(spec).at(0).message.find("take an odd number"), std::string::npos);
  spec.generator.cues = 3;
  spec.generator.classes = 3;
  EXPECT_EQ(validate(spec).size(), 1u);
  DataSpec other = spec_of("yin_yang");
  other.generator.cues = 3;
  EXPECT_EQ(validate(other).size(), 1u);
  other.dataset = "random_manifolds";
  EXPECT_EQ(validate(other).size(), 1u);
}

TEST(PatternGeneration, ATargetOfFourSines) {
  DataSpec spec = spec_of("pattern_generation");
  spec.encoder.steps = 600;
  const auto data = open_dataset(spec, "", Split::train, 1);
  ASSERT_TRUE(data->has_targets());
  EXPECT_EQ(data->size(), 1u);
  EXPECT_EQ(data->classes(), 1u);
  SpikeSample s;
  data->read(0, kUnvaried, s);
  ASSERT_EQ(s.target.size(), 600u);
  // Its Fourier coefficients: frequencies 1, 2, 3 and 5, amplitudes within a factor of 4 of each other, nothing else.
  double largest = 0.0, least = 1e9, strongest = 0.0, rest = 0.0;
  for (int f = 0; f < 20; ++f) {
    double re = 0.0, im = 0.0;
    for (int t = 0; t < 600; ++t) {
      re += s.target[static_cast<std::size_t>(t)] * std::cos(2.0 * std::numbers::pi * f * t / 600.0) / 300.0;
      im += s.target[static_cast<std::size_t>(t)] * std::sin(2.0 * std::numbers::pi * f * t / 600.0) / 300.0;
    }
    const double size = std::hypot(re, im);
    if (f == 1 || f == 2 || f == 3 || f == 5) {
      strongest = std::max(strongest, size);
      least = std::min(least, size);
    } else {
      rest = std::max(rest, size);
    }
  }
  EXPECT_LT(rest, 1e-6);
  EXPECT_LE(strongest, 4.0 * least);
  for (const float x : s.target) largest = std::max(largest, static_cast<double>(std::abs(x)));
  EXPECT_FLOAT_EQ(static_cast<float>(largest), 1.0f);
  EXPECT_NEAR(static_cast<double>(s.channel.size()), 3000.0, 5.0 * std::sqrt(3000.0));
  SpikeSample again;
  open_dataset(spec, "", Split::test, 9)->read(0, kUnvaried, again);
  EXPECT_EQ(again.target, s.target);
  EXPECT_EQ(again.channel, s.channel);
  spec.generator.seed = 43;
  open_dataset(spec, "", Split::train, 1)->read(0, kUnvaried, again);
  EXPECT_NE(again.target, s.target);
  spec.generator.training_samples = 5;
  EXPECT_EQ(validate(spec).size(), 1u);
}

}  // namespace
}  // namespace tessera::training
