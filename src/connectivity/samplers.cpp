// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "connectivity/samplers.hpp"

#include <math.h>  // lgamma_r

#include <algorithm>
#include <bit>
#include <cmath>

namespace tessera {
namespace {

double log_factorial(double n) {
  int sign = 0;  // std::lgamma writes it to a global, which workers would share
  return ::lgamma_r(n + 1.0, &sign);
}
double log_choose(double n, double k) {
  return log_factorial(n) - log_factorial(k) - log_factorial(n - k);
}

std::uint64_t count_coins(std::uint64_t n, RandomStream& stream) {
  std::uint64_t heads = 0;
  for (; n >= 32; n -= 32) heads += static_cast<std::uint64_t>(std::popcount(stream.next()));
  if (n > 0) heads += static_cast<std::uint64_t>(std::popcount(stream.next() >> (32 - n)));
  return heads;
}

/// Inverts the distribution by walking from the mode alternately up and down.
/// up(k) = P(k + 1) / P(k); the support is [lowest, highest].
template <class Up>
std::uint64_t invert_from_mode(double u, std::uint64_t mode, double p_mode, std::uint64_t lowest,
                               std::uint64_t highest, const Up& up) {
  u -= p_mode;
  if (u < 0.0) return mode;
  std::uint64_t above = mode, below = mode;
  double p_above = p_mode, p_below = p_mode;
  while (above < highest || below > lowest) {
    if (above < highest) {
      p_above *= up(above);
      ++above;
      u -= p_above;
      if (u < 0.0) return above;
    }
    if (below > lowest) {
      p_below /= up(below - 1);
      --below;
      u -= p_below;
      if (u < 0.0) return below;
    }
    if (p_above < 1e-300 && p_below < 1e-300) break;
  }
  return mode;  // rounding left a sliver of probability unassigned
}

}  // namespace

std::uint64_t draw_binomial(std::uint64_t n, double numerator, double denominator,
                            RandomStream& stream) {
  if (n == 0 || numerator <= 0.0) return 0;
  if (numerator >= denominator) return n;
  if (2.0 * numerator == denominator && n <= kMostCoins) return count_coins(n, stream);
  const double p = numerator / denominator;
  const double odds = p / (1.0 - p);
  const double trials = static_cast<double>(n);
  const auto mode = std::min(n, static_cast<std::uint64_t>((trials + 1.0) * p));
  const double k = static_cast<double>(mode);
  const double p_mode =
      std::exp(log_choose(trials, k) + k * std::log(p) + (trials - k) * std::log1p(-p));
  return invert_from_mode(stream.next_unit(), mode, p_mode, 0, n, [&](std::uint64_t at) {
    const double i = static_cast<double>(at);
    return (trials - i) / (i + 1.0) * odds;
  });
}

// A draw (u, v) from a square becomes a count through a curve that nearly inverts the distribution; most
// are accepted by a rectangle below the acceptance curve, the others by the curve itself.
std::uint64_t draw_half(std::uint64_t n, RandomStream& stream) {
  constexpr std::uint64_t kFewCoins = 512;
  if (n < kFewCoins) return count_coins(n, stream);
  const double trials = static_cast<double>(n), sd = 0.5 * std::sqrt(trials);
  const double b = 1.15 + 2.53 * sd, a = -0.0873 + 0.0248 * b + 0.005, center = 0.5 * trials + 0.5;
  const double quick = 0.92 - 4.2 / b, alpha = (2.83 + 5.1 / b) * sd;
  const double mode = std::floor(0.5 * (trials + 1.0));
  for (;;) {
    const double u = stream.next_unit() - 0.5, v = 1.0 - stream.next_unit(), inner = 0.5 - std::abs(u);
    const double k = std::floor((2.0 * a / inner + b) * u + center);
    if (inner >= 0.07 && v <= quick) return static_cast<std::uint64_t>(k);
    if (!(k >= 0.0 && k <= trials)) continue;  // inner may be 0
    if (std::log(v * alpha / (a / (inner * inner) + b)) <= log_choose(trials, k) - log_choose(trials, mode)) {
      return static_cast<std::uint64_t>(k);
    }
  }
}

// Counts whose probability is below 2^-60 of the mode's cannot change a cumulative probability of 53 bits.
BinomialTable::BinomialTable(std::uint32_t n, double p) {
  if (n == 0 || p <= 0.0) return;
  if (p >= 1.0) {
    lowest_ = n;
    return;
  }
  constexpr double kNothing = 0x1p-60;
  const double trials = n, odds = p / (1.0 - p);
  const auto mode = std::min(n, static_cast<std::uint32_t>((trials + 1.0) * p));
  lowest_ = mode;
  double share = 1.0;
  for (; lowest_ > 0 && share > kNothing; --lowest_) share *= lowest_ / (trials - lowest_ + 1.0) / odds;
  double total = 0.0;
  for (std::uint32_t k = lowest_; k <= n; ++k) {
    if (k > mode && share < kNothing) break;
    total += share;
    cumulative_.push_back(total);
    share *= (trials - k) / (k + 1.0) * odds;
  }
  for (double& up_to : cumulative_) up_to /= total;
  cumulative_.pop_back();
}

std::uint32_t BinomialTable::count(double unit) const {
  const auto above = std::upper_bound(cumulative_.begin(), cumulative_.end(), unit);
  return lowest_ + static_cast<std::uint32_t>(above - cumulative_.begin());
}

namespace {

/// Means whose mantissa has three bits, numbered through. The number of the least that is not below x.
std::uint64_t mean_number(double x) { return (std::bit_cast<std::uint64_t>(x) + (std::uint64_t{1} << 49) - 1) >> 49; }
double mean_of_number(std::uint64_t number) { return std::bit_cast<double>(number << 49); }

/// P(count <= k) for k = 0, 1 ... as far as 53 bits tell it from 1.
std::vector<double> cumulative_poisson(double mean) {
  std::vector<double> cumulative;
  double share = std::exp(-mean), total = 0.0;
  for (std::uint32_t k = 1; k <= mean || share >= 0x1p-60; ++k) {
    cumulative.push_back(total += share);
    share *= mean / k;
  }
  for (double& up_to : cumulative) up_to /= total;
  cumulative.pop_back();
  return cumulative;
}

}  // namespace

PoissonTables::PoissonTables(double largest) {
  const std::uint64_t first = mean_number(kLeastMean), last = mean_number(std::clamp(largest, kLeastMean, kMostMean));
  for (std::uint64_t number = first; number <= last; ++number) cumulative_.push_back(cumulative_poisson(mean_of_number(number)));
}

PoissonTables::Draw PoissonTables::draw(double mean, RandomStream& stream) const {
  const double parts = mean > kMostMean ? std::ceil(mean / kMostMean) : 1.0;
  const std::uint64_t number = mean_number(std::max(mean / parts, kLeastMean));
  const std::vector<double>& cumulative = cumulative_[number - mean_number(kLeastMean)];
  Draw draw{parts * mean_of_number(number), 0};
  for (double part = 0.0; part < parts; part += 1.0) {
    const double unit = stream.next_unit();
    if (unit < cumulative[0]) continue;  // the most frequent of small counts
    draw.count += static_cast<std::uint32_t>(std::upper_bound(cumulative.begin(), cumulative.end(), unit) - cumulative.begin());
  }
  return draw;
}

std::size_t PoissonTables::bytes() const {
  std::size_t total = cumulative_.size() * sizeof(cumulative_[0]);
  for (const auto& table : cumulative_) total += table.size() * sizeof(double);
  return total;
}

std::uint64_t draw_hypergeometric(std::uint64_t n, std::uint64_t good, std::uint64_t bad,
                                  RandomStream& stream) {
  const std::uint64_t total = good + bad;
  const std::uint64_t lowest = n > bad ? n - bad : 0;
  const std::uint64_t highest = std::min(n, good);
  if (lowest == highest) return lowest;
  const double g = static_cast<double>(good), b = static_cast<double>(bad);
  const double draws = static_cast<double>(n);
  const double ideal = (draws + 1.0) * (g + 1.0) / (static_cast<double>(total) + 2.0);
  const auto mode = std::clamp(static_cast<std::uint64_t>(ideal), lowest, highest);
  const double k = static_cast<double>(mode);
  const double p_mode = std::exp(log_choose(g, k) + log_choose(b, draws - k) -
                                 log_choose(static_cast<double>(total), draws));
  return invert_from_mode(stream.next_unit(), mode, p_mode, lowest, highest, [&](std::uint64_t at) {
    const double i = static_cast<double>(at);
    return (g - i) * (draws - i) / ((i + 1.0) * (b - draws + i + 1.0));
  });
}

}  // namespace tessera
