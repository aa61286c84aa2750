// Exact discrete random variates from a counter-based stream: binomial and hypergeometric counts.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "base/random.hpp"

namespace tessera {

/// Above this many trials of a fair coin inversion from the mode needs fewer random words than counting bits.
inline constexpr std::uint64_t kMostCoins = 2048;

/// Successes in n trials of probability numerator / denominator (0 <= numerator <= denominator).
/// Fair coins are counted from random bits; everything else is inversion from the mode outwards, which
/// takes about one standard deviation of steps.
[[nodiscard]] std::uint64_t draw_binomial(std::uint64_t n, double numerator, double denominator,
                                          RandomStream& stream);

/// The same for p = 1/2, in a time that does not grow with n: bits are counted below 512 trials; above,
/// transformed rejection (Hoermann 1993, J. Stat. Comput. Simul. 46:101, algorithm BTRS), which is exact.
[[nodiscard]] std::uint64_t draw_half(std::uint64_t n, RandomStream& stream);

/// The distribution of draw_binomial(n, p, 1, .) for many draws: cumulative probabilities, looked up.
class BinomialTable {
 public:
  BinomialTable() = default;
  BinomialTable(std::uint32_t n, double p);
  /// The count that belongs to a number from [0, 1).
  [[nodiscard]] std::uint32_t count(double unit) const;
  [[nodiscard]] std::size_t bytes() const { return cumulative_.size() * sizeof(double); }

 private:
  std::uint32_t lowest_ = 0;
  std::vector<double> cumulative_;  ///< of lowest_, lowest_ + 1 ...; the last count takes what is left
};

/// Poisson counts for any mean, looked up: of a mean that is a little larger, so that few tables do.
class PoissonTables {
 public:
  struct Draw {
    double mean = 0.0;  ///< at least the one that is asked for, and at most 1/8 or 1/64 more
    std::uint32_t count = 0;
  };
  /// Makes the tables for means up to this one.
  explicit PoissonTables(double largest);
  /// A count for a mean above 0 and at most `largest`.
  [[nodiscard]] Draw draw(double mean, RandomStream& stream) const;
  [[nodiscard]] std::size_t bytes() const;

 private:
  static constexpr double kLeastMean = 0x1p-6, kMostMean = 64.0;  ///< above, a count is drawn in parts
  std::vector<std::vector<double>> cumulative_;                   ///< per eighth of an octave
};

/// Good items among n drawn without replacement from `good` good and `bad` bad ones.
[[nodiscard]] std::uint64_t draw_hypergeometric(std::uint64_t n, std::uint64_t good,
                                                std::uint64_t bad, RandomStream& stream);

}  // namespace tessera
