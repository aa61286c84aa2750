// Surrogates: the documented values, and that each is the derivative of its smooth spike function.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "train/surrogate.hpp"

#include <gtest/gtest.h>

#include <array>

namespace tessera::training {
namespace {

constexpr std::array all = {Surrogate::superspike, Surrogate::arctan, Surrogate::sigmoid,
                            Surrogate::triangular, Surrogate::piecewise_linear};

TEST(surrogate, has_the_documented_values) {
  EXPECT_DOUBLE_EQ(surrogate(Surrogate::superspike, 10.0, 0.1), 0.25);
  EXPECT_DOUBLE_EQ(surrogate(Surrogate::arctan, 10.0, -0.1), 0.5);
  EXPECT_DOUBLE_EQ(surrogate(Surrogate::triangular, 10.0, 0.05), 0.5);
  EXPECT_DOUBLE_EQ(surrogate(Surrogate::triangular, 10.0, -0.2), 0.0);
  EXPECT_DOUBLE_EQ(surrogate(Surrogate::piecewise_linear, 10.0, 0.049), 1.0);
  EXPECT_DOUBLE_EQ(surrogate(Surrogate::piecewise_linear, 10.0, -0.051), 0.0);
  const double q = 1.0 / (1.0 + std::exp(-0.7));
  EXPECT_NEAR(surrogate(Surrogate::sigmoid, 10.0, 0.07), 4.0 * q * (1.0 - q), 1e-15);
  for (const Surrogate kind : all) EXPECT_DOUBLE_EQ(surrogate(kind, 3.0, 0.0), 1.0);
}

TEST(surrogate, is_the_derivative_of_the_smooth_spike) {
  const double h = 1e-6;
  for (const Surrogate kind : all)
    for (const double x : {-3.0, -0.3, -0.11, -0.02, 0.03, 0.12, 0.4, 2.0}) {
      const double slope =
          (smooth_spike(kind, 4.0, x + h) - smooth_spike(kind, 4.0, x - h)) / (2.0 * h);
      EXPECT_NEAR(surrogate(kind, 4.0, x), slope, 1e-8) << to_string(kind) << " at " << x;
    }
}

TEST(surrogate, stays_finite_far_from_the_threshold) {
  for (const Surrogate kind : all)
    for (const float x : {-1e30F, 1e30F})
      EXPECT_TRUE(std::isfinite(surrogate(kind, 10.0F, x))) << to_string(kind);
}

}  // namespace
}  // namespace tessera::training
