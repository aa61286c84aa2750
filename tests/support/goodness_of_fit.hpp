// Pearson's chi-squared and Kolmogorov-Smirnov tests with thresholds from their distributions.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace tessera::test {

/// A correct sampler exceeds every threshold below once in a million tests (and seeds are fixed).
inline constexpr double kOneInAMillionSd = 4.7534;   // upper quantile of the standard normal
inline constexpr double kOneInAMillionKs = 2.6934;   // sqrt(-log(1e-6 / 2) / 2)

/// Upper 1e-6 quantile of chi-squared: Wilson and Hilferty (1931) Proc. Natl. Acad. Sci. 17:684.
inline double chi_squared_limit(double degrees) {
  const double a = 2.0 / (9.0 * degrees);
  return degrees * std::pow(1.0 - a + kOneInAMillionSd * std::sqrt(a), 3.0);
}

/// Pearson's test of counts against expected counts (not scaled: their sums must agree already).
/// Neighbouring bins are pooled until each expects at least ten; `lost` degrees of freedom are taken off.
inline testing::AssertionResult fits(const std::vector<double>& observed,
                                     const std::vector<double>& expected, double lost = 1.0) {
  double statistic = 0.0, seen = 0.0, wanted = 0.0, left = 0.0;
  for (const double e : expected) left += e;
  int bins = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    seen += observed[i];
    wanted += expected[i];
    left -= expected[i];
    if ((wanted < 10.0 || left < 10.0) && i + 1 < expected.size()) continue;
    if (wanted > 0.0) {
      statistic += (seen - wanted) * (seen - wanted) / wanted;
    } else if (seen > 0.0) {
      return testing::AssertionFailure() << seen << " where none can be";
    }
    ++bins;
    seen = wanted = 0.0;
  }
  const double limit = chi_squared_limit(std::max(1.0, bins - lost));
  if (statistic <= limit) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "chi-squared " << statistic << " of " << bins
                                     << " bins is above " << limit;
}

/// How often each of 0 .. bins-1 occurs; larger values land in the last bin.
template <class Values>
std::vector<double> histogram(const Values& values, std::size_t bins) {
  std::vector<double> counts(bins, 0.0);
  for (const auto value : values) {
    counts[std::min<std::size_t>(static_cast<std::size_t>(value), bins - 1)] += 1.0;
  }
  return counts;
}

/// n * P(k) for k = 0 .. bins-1 of a distribution given by log P; the last bin takes the tail.
template <class LogPmf>
std::vector<double> expectation(double n, std::size_t bins, const LogPmf& log_pmf) {
  std::vector<double> expected(bins);
  double tail = n;
  for (std::size_t k = 0; k + 1 < bins; ++k) {
    expected[k] = n * std::exp(log_pmf(static_cast<double>(k)));
    tail -= expected[k];
  }
  expected.back() = std::max(0.0, tail);
  return expected;
}

inline double log_choose(double n, double k) {
  return std::lgamma(n + 1.0) - std::lgamma(k + 1.0) - std::lgamma(n - k + 1.0);
}
inline auto log_binomial(double n, double p) {
  return [n, p](double k) {
    return k > n ? -INFINITY : log_choose(n, k) + k * std::log(p) + (n - k) * std::log1p(-p);
  };
}
inline auto log_poisson(double mean) {
  return [mean](double k) { return k * std::log(mean) - mean - std::lgamma(k + 1.0); };
}

/// Kolmogorov-Smirnov distance of a sample from a distribution, with `allowance` for a known
/// discretisation of the sampler on top of the limit.
template <class Cdf>
testing::AssertionResult ks_fits(std::vector<double> sample, const Cdf& cdf, double allowance = 0.0) {
  std::sort(sample.begin(), sample.end());
  const auto n = static_cast<double>(sample.size());
  double distance = 0.0;
  for (std::size_t i = 0; i < sample.size(); ++i) {
    const double f = cdf(sample[i]);
    // Tied values count together: the empirical distribution jumps over all of them at once.
    const auto after = std::upper_bound(sample.begin(), sample.end(), sample[i]) - sample.begin();
    const auto before = std::lower_bound(sample.begin(), sample.end(), sample[i]) - sample.begin();
    distance = std::max({distance, static_cast<double>(after) / n - f, f - static_cast<double>(before) / n - allowance});
  }
  const double limit = kOneInAMillionKs / std::sqrt(n) + allowance;
  if (distance <= limit) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "distance " << distance << " is above " << limit;
}

}  // namespace tessera::test
