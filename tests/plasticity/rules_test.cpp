// Weights of single synapses against hand calculations.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>

#include "plasticity/spike_pairs.hpp"

namespace tessera::test {
namespace {

TEST(Stdp, AdditiveByHand) {
  SpikePairs pairs;
  pairs.rule = "stdp";
  pairs.parameters = {{"tau_plus", 20.0}, {"tau_minus", 20.0}, {"alpha", 1.05}, {"Wmax", 100.0}, {"lambda", 0.01}, {"mu_plus", 0.0}, {"mu_minus", 0.0}};
  pairs.weight = 50.0;
  pairs.pre_ms = {10.0, 30.0};
  pairs.post_ms = {15.0, 25.0};
  // The target's spikes act 1 ms later. At 16: x = exp(-6/20); at 26: exp(-16/20); at 30: y = exp(-14/20) + exp(-4/20).
  const double at_16 = 50.0 + std::exp(-0.3), at_26 = at_16 + std::exp(-0.8);
  const double at_30 = at_26 - 1.05 * (std::exp(-0.7) + std::exp(-0.2));
  for (const Precision precision : {Precision::exact, Precision::fast}) {
    const std::vector<double> weights = weights_at(pairs, {10.0, 15.9, 16.0, 26.0, 30.0, 40.0}, precision);
    const double tolerance = precision == Precision::exact ? 1e-12 : 1e-5;
    const std::vector<double> expected{50.0, 50.0, at_16, at_26, at_30, at_30};
    for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(weights[i], expected[i], tolerance * 50.0) << i;
  }
  const std::vector<double> sent = transmitted(pairs);
  EXPECT_NEAR(sent[0], 50.0, 1e-10);
  EXPECT_NEAR(sent[1], at_30, 1e-10);
}

}  // namespace
}  // namespace tessera::test
