// Distributions against closed forms, published quantiles and quadrature.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "tessera/network.hpp"

namespace tessera {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// One of every kind, each also truncated, on both sides of zero and far in a tail.
std::vector<Distribution> examples() {
  return {Distribution::uniform(-1.0, 3.0),
          Distribution::uniform(0.0, 10.0).within(4.0, 6.0),
          Distribution::normal(1.5, 0.75),
          Distribution::normal(1.5, 0.75).within(0.05, kInfinity),
          Distribution::normal(-351.2, 35.1).within(-kInfinity, 0.0),
          Distribution::normal(0.0, 1.0).within(4.0, 5.0),
          Distribution::normal(0.0, 1.0).within(-kInfinity, -3.0),
          Distribution::lognormal(0.3, 0.5),
          Distribution::lognormal(0.3, 0.5).within(1.0, 2.0),
          Distribution::lognormal(0.3, 0.5).scaled(-2.0),
          Distribution::exponential(2.0),
          Distribution::exponential(2.0).within(1.0, 3.0),
          Distribution::exponential(2.0).within(1.0, 1.001),
          Distribution::exponential(2.0).scaled(-1.0).within(-3.0, 0.0)};
}

// Mean of f over the distribution: the integral of f(quantile(u)), midpoint rule.
template <class F>
double average(const Distribution& d, F f) {
  constexpr int kPoints = 200000;
  double sum = 0.0;
  for (int i = 0; i < kPoints; ++i) sum += f(d.quantile((i + 0.5) / kPoints));
  return sum / kPoints;
}

TEST(Distribution, QuantilesOfTheStandardNormalAreThePublishedOnes) {
  const Distribution normal = Distribution::normal(0.0, 1.0);
  EXPECT_NEAR(normal.quantile(0.5), 0.0, 1e-15);
  EXPECT_NEAR(normal.quantile(0.975), 1.959963984540054, 1e-14);
  EXPECT_NEAR(normal.quantile(0.995), 2.575829303548901, 1e-14);
  EXPECT_NEAR(normal.quantile(1e-3), -3.090232306167813, 1e-13);
  EXPECT_NEAR(normal.quantile(1e-9), -5.997807015007687, 1e-12);
  EXPECT_NEAR(normal.quantile(1e-100), -21.27345356096533, 1e-12);
}

TEST(Distribution, CdfInvertsQuantile) {
  for (const Distribution& d : examples()) {
    for (double u : {1e-6, 0.01, 0.25, 0.5, 0.75, 0.99, 1.0 - 1e-6}) {
      EXPECT_NEAR(d.cdf(d.quantile(u)), u, 1e-11)
          << to_string(d.kind) << " " << d.a << " " << d.low;
    }
  }
}

TEST(Distribution, QuantilesRiseAndStayWithinTheBounds) {
  for (const Distribution& d : examples()) {
    double previous = -kInfinity;
    for (int i = 1; i < 1000; ++i) {
      const double x = d.quantile(i / 1000.0);
      EXPECT_GE(x, previous);
      EXPECT_GE(x, d.low);
      EXPECT_LE(x, d.high);
      previous = x;
    }
  }
}

TEST(Distribution, MomentsEqualTheQuadratureOfTheQuantiles) {
  for (const Distribution& d : examples()) {
    const double mean = average(d, [](double x) { return x; });
    const double variance = average(d, [&](double x) { return (x - mean) * (x - mean); });
    const double scale = std::sqrt(variance);
    EXPECT_NEAR(d.mean(), mean, 1e-4 * scale) << to_string(d.kind) << " " << d.a << " " << d.low;
    EXPECT_NEAR(d.variance(), variance, 1e-3 * variance) << to_string(d.kind) << " " << d.low;
    EXPECT_EQ(d.problem(), "");
  }
}

TEST(Distribution, MomentsHaveTheirClosedForms) {
  EXPECT_DOUBLE_EQ(Distribution::constant(7.0).mean(), 7.0);
  EXPECT_DOUBLE_EQ(Distribution::constant(7.0).variance(), 0.0);
  EXPECT_DOUBLE_EQ(Distribution::uniform(2.0, 5.0).variance(), 0.75);
  EXPECT_DOUBLE_EQ(Distribution::normal(3.0, 2.0).variance(), 4.0);
  EXPECT_NEAR(Distribution::lognormal(1.0, 0.5).mean(), std::exp(1.125), 1e-12);
  EXPECT_NEAR(Distribution::lognormal(1.0, 0.5).variance(), std::expm1(0.25) * std::exp(2.25),
              1e-11);
  EXPECT_DOUBLE_EQ(Distribution::exponential(3.0).variance(), 9.0);
  // Half a normal: mean sqrt(2/pi), variance 1 - 2/pi.
  const Distribution half = Distribution::normal(0.0, 1.0).within(0.0, kInfinity);
  EXPECT_NEAR(half.mean(), std::sqrt(2.0 / std::numbers::pi), 1e-14);
  EXPECT_NEAR(half.variance(), 1.0 - 2.0 / std::numbers::pi, 1e-14);
}

TEST(Distribution, ScalingMultipliesEveryQuantile) {
  for (const Distribution& d : examples()) {
    for (double u : {0.1, 0.5, 0.9}) {
      EXPECT_NEAR(d.scaled(2.5).quantile(u), 2.5 * d.quantile(u), 1e-9 * std::abs(d.quantile(u)));
      EXPECT_NEAR(d.scaled(-2.0).quantile(u), -2.0 * d.quantile(1.0 - u),
                  1e-9 * std::abs(d.quantile(1.0 - u)));
    }
  }
  EXPECT_EQ(Distribution::normal(1.0, 1.0).scaled(0.0).mean(), 0.0);
}

TEST(Distribution, BoundsIntersect) {
  const Distribution d = Distribution::normal(0.0, 1.0).within(-1.0, 2.0).within(-3.0, 1.0);
  EXPECT_EQ(d.low, -1.0);
  EXPECT_EQ(d.high, 1.0);
}

TEST(Distribution, SaysWhatIsWrong) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto problem_of = [](const Distribution& d) { return d.problem(); };
  EXPECT_NE(problem_of(Distribution::normal(nan, 1.0)).find("finite"), std::string::npos);
  EXPECT_NE(problem_of(Distribution::normal(0.0, -1.0)).find("0 or more"), std::string::npos);
  EXPECT_NE(problem_of(Distribution::uniform(2.0, 1.0)).find("uniform"), std::string::npos);
  EXPECT_NE(problem_of(Distribution::normal(0.0, 1.0).within(20.0, 30.0)).find("redrawn"),
            std::string::npos);
  EXPECT_NE(problem_of(Distribution::normal(0.0, 1.0).within(2.0, 1.0)).find("empty"),
            std::string::npos);
  EXPECT_NE(problem_of(Distribution::constant(5.0).within(0.0, 1.0)).find("outside"),
            std::string::npos);
  EXPECT_NE(problem_of(Distribution::exponential(-1.0).within(1.0, 2.0)).find("redrawn"),
            std::string::npos);
  EXPECT_NE(problem_of(Distribution::lognormal(1e4, 1.0)).find("finite mean"), std::string::npos);
}

}  // namespace
}  // namespace tessera
