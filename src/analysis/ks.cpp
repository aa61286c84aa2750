// Kolmogorov-Smirnov distances between samples.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "tessera/analysis.hpp"

namespace tessera {
namespace {

std::vector<double> sorted_finite(std::span<const double> values) {
  std::vector<double> sorted;
  sorted.reserve(values.size());
  std::copy_if(values.begin(), values.end(), std::back_inserter(sorted),
               [](double value) { return std::isfinite(value); });
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

// The distribution function of counts over a window, each count spread over the interval it stands
// for.
class SpreadCounts {
 public:
  SpreadCounts(std::span<const double> rates_hz, double window_ms)
      : seconds_(window_ms / 1000.0), counts_(sorted_finite(rates_hz)) {
    // Rates may have been rounded on their way through a file; counts are whole.
    for (double& count : counts_) count = std::round(count * seconds_);
  }

  [[nodiscard]] bool empty() const { return counts_.empty(); }

  // The function is linear between these rates.
  [[nodiscard]] std::vector<double> knots() const {
    std::vector<double> rates;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      if (i > 0 && counts_[i] == counts_[i - 1]) continue;
      rates.push_back((counts_[i] - 0.5) / seconds_);
      rates.push_back((counts_[i] + 0.5) / seconds_);
    }
    return rates;
  }

  [[nodiscard]] double at(double rate_hz) const {
    const double position = rate_hz * seconds_;
    const double nearest = std::round(position);
    const auto [low, high] = std::equal_range(counts_.begin(), counts_.end(), nearest);
    const double share = std::clamp(position - nearest + 0.5, 0.0, 1.0);
    const double below = static_cast<double>(low - counts_.begin());
    return (below + share * static_cast<double>(high - low)) / static_cast<double>(counts_.size());
  }

 private:
  double seconds_;
  std::vector<double> counts_;
};

}  // namespace

double ks_distance(std::span<const double> a_values, std::span<const double> b_values) {
  const std::vector<double> a = sorted_finite(a_values);
  const std::vector<double> b = sorted_finite(b_values);
  if (a.empty() || b.empty()) return std::numeric_limits<double>::quiet_NaN();
  const auto n = static_cast<double>(a.size());
  const auto m = static_cast<double>(b.size());
  double distance = 0.0;
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < a.size() && j < b.size()) {
    // Equal values step both functions before they are compared.
    const double value = std::min(a[i], b[j]);
    while (i < a.size() && a[i] == value) ++i;
    while (j < b.size() && b[j] == value) ++j;
    distance =
        std::max(distance, std::abs(static_cast<double>(i) / n - static_cast<double>(j) / m));
  }
  return distance;
}

double rate_ks_distance(std::span<const double> a_hz, double a_window_ms,
                        std::span<const double> b_hz, double b_window_ms) {
  if (!(a_window_ms > 0.0) || !(b_window_ms > 0.0)) return ks_distance(a_hz, b_hz);
  const SpreadCounts a(a_hz, a_window_ms);
  const SpreadCounts b(b_hz, b_window_ms);
  if (a.empty() || b.empty()) return std::numeric_limits<double>::quiet_NaN();
  // A difference of two piecewise linear functions is largest at a knot of either.
  double distance = 0.0;
  for (const SpreadCounts* counts : {&a, &b}) {
    for (const double rate : counts->knots()) {
      distance = std::max(distance, std::abs(a.at(rate) - b.at(rate)));
    }
  }
  return distance;
}

}  // namespace tessera
