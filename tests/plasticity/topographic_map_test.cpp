// The topographic map against another program, with a few seeds; build/release/topographic_map_case runs more, and all
// controls.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "plasticity/topographic_map.hpp"

namespace tessera::test {
namespace {

void expect_near_reference(const MapCase& which, std::uint64_t seeds) {
  std::vector<MapRun> runs;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) runs.push_back(run_map(which, seed));
  for (const Deviation& d : deviations(which, runs)) {
    EXPECT_LE(d.in_sd, 3.0) << which.name << ": " << d.what << ": " << d.mean << " +- " << d.sd << ", not " << d.expected << " +- " << d.expected_sd;
  }
}

TEST(TopographicMapFullScale, FieldsShrinkAsInAnIndependentProgram) { expect_near_reference(map_cases()[0], 4); }

/// Expected synapses per neuron, formations and eliminations where weights stay. A pair of neurons is looked at by every attempt
/// with the probability 1 / 256^2; then it gets a synapse with p or loses one with q.
std::array<double, 3> without_learning(double p_form, double sigma) {
  constexpr double kAttempts = 600e3, kPerPair = 1.0 / 65536.0, q = 0.0068;
  std::array<double, 3> sum{};
  for (int x = 0; x < 16; ++x) {
    for (int y = 0; y < 16; ++y) {
      const double dx = std::min(x, 16 - x), dy = std::min(y, 16 - y), p = p_form * std::exp(-(dx * dx + dy * dy) / (2.0 * sigma * sigma));
      const double limit = p / (p + q), left = std::pow(1.0 - kPerPair * (p + q), kAttempts);  // occupied with p at the start
      const double occupied = limit * kAttempts + (p - limit) * (1.0 - left) / (kPerPair * (p + q));
      sum[0] += limit + (p - limit) * left;
      sum[1] += 256.0 * kPerPair * p * (kAttempts - occupied);
      sum[2] += 256.0 * kPerPair * q * occupied;
    }
  }
  return sum;
}

TEST(TopographicMapFullScale, WithoutLearningFieldsWiden) {
  expect_near_reference(map_cases()[1], 3);
  const MapRun run = run_map(map_cases()[1], 4);
  const auto expect = [](const MapFigures& seen, const std::array<double, 3>& expected) {  // counts: at most Poisson's variance
    EXPECT_NEAR(256.0 * seen.per_neuron, 256.0 * expected[0], 4.0 * std::sqrt(256.0 * expected[0]));
    EXPECT_NEAR(seen.formed, expected[1], 4.0 * std::sqrt(expected[1]));
    EXPECT_NEAR(seen.eliminated, expected[2], 4.0 * std::sqrt(expected[2]));
  };
  expect(run.feed_forward, without_learning(0.16, 2.5));
  expect(run.lateral, without_learning(1.0, 1.0));
}

}  // namespace
}  // namespace tessera::test
