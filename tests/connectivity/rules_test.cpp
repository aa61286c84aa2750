// Every connectivity rule: exact numbers, degree distributions, autapses and multapses.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <vector>

#include "connectivity/connect.hpp"
#include "support/goodness_of_fit.hpp"

namespace tessera::test {
namespace {

/// Degrees of all neurons are nearly independent: their histogram is tested as if they were.
testing::AssertionResult degrees_fit(const std::vector<std::uint32_t>& degrees, double n, double p) {
  const double mean = n * p;
  const auto bins = static_cast<std::size_t>(mean + 10.0 * std::sqrt(mean) + 8.0);
  return fits(histogram(degrees, bins),
              expectation(static_cast<double>(degrees.size()), bins, log_binomial(n, p)));
}

TEST(OneToOne, ConnectsEqualIndices) {
  for (const std::uint32_t size : {1u, 10u, 3000u}) {
    const Synapses synapses = synapses_of(one_projection(size, size, rule_of(Kind::one_to_one)));
    ASSERT_EQ(synapses.size(), size);
    for (const auto& s : synapses) {
      EXPECT_EQ(s.source, s.target);
      EXPECT_EQ(s.weight, 10.0);
      EXPECT_DOUBLE_EQ(s.delay_ms, 1.5);
    }
    EXPECT_EQ(pairs_of(synapses).size(), size);
  }
}

TEST(AllToAll, ConnectsEveryPairOnce) {
  const Synapses synapses = synapses_of(one_projection(30, 1500, rule_of(Kind::all_to_all)));
  EXPECT_EQ(synapses.size(), 45000u);
  EXPECT_EQ(pairs_of(synapses).size(), 45000u);
  const Synapses recurrent = synapses_of(one_projection(700, 0, rule_of(Kind::all_to_all, 0, false)));
  EXPECT_EQ(recurrent.size(), 700u * 699u);
  EXPECT_FALSE(has_autapse(recurrent));
  EXPECT_FALSE(has_multapse(recurrent));
}

TEST(FixedTotalNumber, IsExactWithBinomialDegrees) {
  const struct {
    std::uint32_t sources, targets;
    std::uint64_t number;
  } cases[] = {{100, 200, 5000}, {3000, 3000, 60000}, {7, 2500, 20000}, {1, 1, 1}, {10, 10, 0}};
  for (const auto& [sources, targets, number] : cases) {
    const Synapses synapses = synapses_of(one_projection(sources, targets, rule_of(Kind::fixed_total_number, number)));
    EXPECT_EQ(synapses.size(), number);
    if (number == 0 || targets == 1) continue;
    const auto n = static_cast<double>(number);
    EXPECT_TRUE(degrees_fit(in_degrees(synapses, targets), n, 1.0 / targets));
    if (sources > 50) {
      EXPECT_TRUE(degrees_fit(out_degrees(synapses, sources), n, 1.0 / sources));
    }
  }
}

TEST(FixedTotalNumber, PairsAreHitAsOftenAsIndependentDrawsHitThem) {
  constexpr std::uint32_t kSize = 60;
  constexpr double kNumber = 7200.0, kPairs = kSize * kSize;  // two per pair
  const Synapses synapses = synapses_of(one_projection(kSize, kSize, rule_of(Kind::fixed_total_number, 7200)));
  std::map<std::pair<std::uint32_t, std::uint32_t>, int> multiplicity;
  for (const auto& s : synapses) ++multiplicity[{s.source, s.target}];
  std::vector<int> counts(static_cast<std::size_t>(kPairs) - multiplicity.size(), 0);
  for (const auto& [pair, n] : multiplicity) counts.push_back(n);
  EXPECT_TRUE(fits(histogram(counts, 15), expectation(kPairs, 15, log_binomial(kNumber, 1.0 / kPairs))));
}

TEST(FixedTotalNumber, WithoutMultapsesOrAutapses) {
  for (const bool multapses : {false, true}) {
    for (const std::uint32_t size : {40u, 2000u}) {
      const std::uint64_t number = size * 20u;
      const Synapses synapses =
          synapses_of(one_projection(size, 0, rule_of(Kind::fixed_total_number, number, false, multapses)));
      EXPECT_EQ(synapses.size(), number);
      EXPECT_FALSE(has_autapse(synapses));
      if (!multapses) {
        EXPECT_FALSE(has_multapse(synapses));
      }
      EXPECT_EQ(size == 40 && multapses, size == 40 && has_multapse(synapses));
    }
  }
  // Without multapses a neuron's in-degree is hypergeometric.
  const Synapses synapses = synapses_of(one_projection(100, 3000, rule_of(Kind::fixed_total_number, 60000, true, false)));
  EXPECT_FALSE(has_multapse(synapses));
  const auto log_pmf = [](double k) -> double {
    return k > 100 ? -INFINITY : log_choose(100, k) + log_choose(299900, 60000 - k) - log_choose(300000, 60000);
  };
  EXPECT_TRUE(fits(histogram(in_degrees(synapses, 3000), 60), expectation(3000, 60, log_pmf)));
}

TEST(FixedTotalNumber, EveryPairExactlyOnceWhenAllAreTaken) {
  const Synapses all = synapses_of(one_projection(30, 0, rule_of(Kind::fixed_total_number, 30 * 29, false, false)));
  EXPECT_EQ(pairs_of(all).size(), 30u * 29u);
  EXPECT_FALSE(has_autapse(all));
}

TEST(FixedIndegree, IsExactForEveryTarget) {
  for (const bool multapses : {false, true}) {
    for (const bool autapses : {false, true}) {
      for (const std::uint32_t size : {30u, 1500u}) {
        const Synapses synapses =
            synapses_of(one_projection(size, 0, rule_of(Kind::fixed_indegree, 25, autapses, multapses)));
        for (const std::uint32_t degree : in_degrees(synapses, size)) ASSERT_EQ(degree, 25u);
        if (!autapses) {
          EXPECT_FALSE(has_autapse(synapses));
        }
        if (!multapses) {
          EXPECT_FALSE(has_multapse(synapses));
        }
        if (size == 1500) {
          const double p = 1.0 / size;
          if (multapses) {
            EXPECT_TRUE(degrees_fit(out_degrees(synapses, size), 25.0 * size, p)) << autapses;
          }
          // Without multapses every target takes a given source with probability 25 / (number of sources).
          if (!multapses) {
            const double open = size - (autapses ? 0.0 : 1.0);
            EXPECT_TRUE(degrees_fit(out_degrees(synapses, size), open, 25.0 / open)) << autapses;
          }
        }
      }
    }
  }
}

TEST(FixedIndegree, ManyTargetsAcrossChunks) {
  const Synapses synapses = synapses_of(one_projection(500, 3000, rule_of(Kind::fixed_indegree, 40)));
  for (const std::uint32_t degree : in_degrees(synapses, 3000)) ASSERT_EQ(degree, 40u);
  EXPECT_TRUE(degrees_fit(out_degrees(synapses, 500), 120000, 1.0 / 500));
}

TEST(FixedOutdegree, IsExactForEverySource) {
  for (const bool multapses : {false, true}) {
    for (const bool autapses : {false, true}) {
      for (const std::uint32_t size : {30u, 1500u}) {
        const Synapses synapses =
            synapses_of(one_projection(size, 0, rule_of(Kind::fixed_outdegree, 25, autapses, multapses)));
        for (const std::uint32_t degree : out_degrees(synapses, size)) ASSERT_EQ(degree, 25u);
        if (!autapses) {
          EXPECT_FALSE(has_autapse(synapses));
        }
        if (!multapses) {
          EXPECT_FALSE(has_multapse(synapses));
        }
        if (size < 1000) continue;
        const double open = size - (autapses ? 0.0 : 1.0);
        EXPECT_TRUE(multapses ? degrees_fit(in_degrees(synapses, size), 25.0 * size, 1.0 / size)
                              : degrees_fit(in_degrees(synapses, size), open, 25.0 / open));
      }
    }
  }
}

TEST(PairwiseBernoulli, DegreesAreBinomialAndPairsDistinct) {
  for (const bool autapses : {false, true}) {
    ConnectivityRule rule = rule_of(Kind::pairwise_bernoulli, 0, autapses);
    rule.probability = 0.02;
    const Synapses synapses = synapses_of(one_projection(2000, 0, rule));
    EXPECT_FALSE(has_multapse(synapses));
    EXPECT_EQ(has_autapse(synapses), autapses);  // 40 expected
    const double open = autapses ? 2000 : 1999;
    EXPECT_TRUE(degrees_fit(out_degrees(synapses, 2000), open, 0.02));
    EXPECT_TRUE(degrees_fit(in_degrees(synapses, 2000), open, 0.02));
  }
}

TEST(PairwiseBernoulli, CertainAndImpossible) {
  ConnectivityRule rule = rule_of(Kind::pairwise_bernoulli);
  rule.probability = 1.0;
  EXPECT_EQ(pairs_of(synapses_of(one_projection(40, 600, rule))).size(), 24000u);
  rule.probability = 0.0;
  EXPECT_TRUE(synapses_of(one_projection(40, 600, rule)).empty());
}

TEST(Gaussian2d, ProbabilityFallsWithPeriodicDistance) {
  constexpr int kSide = 40;
  ConnectivityRule rule = rule_of(Kind::gaussian_2d, 0, false);
  rule.probability = 0.8;
  rule.sigma = 3.0;
  Network network = one_projection(kSide * kSide, 0, rule);
  network.populations[0].grid_columns = kSide;
  const Synapses synapses = synapses_of(network);
  EXPECT_FALSE(has_multapse(synapses));
  EXPECT_FALSE(has_autapse(synapses));
  const auto around = [](int d) { return std::min(std::abs(d), kSide - std::abs(d)); };
  std::vector<double> seen(2 * (kSide / 2) * (kSide / 2) + 1, 0.0), pairs(seen.size(), 0.0);
  for (int dy = 0; dy < kSide; ++dy) {
    for (int dx = 0; dx < kSide; ++dx) {
      pairs[static_cast<std::size_t>(around(dx) * around(dx) + around(dy) * around(dy))] += kSide * kSide;
    }
  }
  for (const auto& s : synapses) {
    const int dx = around(static_cast<int>(s.target % kSide) - static_cast<int>(s.source % kSide));
    const int dy = around(static_cast<int>(s.target / kSide) - static_cast<int>(s.source / kSide));
    seen[static_cast<std::size_t>(dx * dx + dy * dy)] += 1.0;
  }
  // Each squared distance is a binomial count of its own: connected and not connected make two bins.
  double statistic = 0.0;
  int bins = 0;
  for (std::size_t d2 = 1; d2 < pairs.size(); ++d2) {
    const double p = 0.8 * std::exp(-static_cast<double>(d2) / 18.0);
    if (pairs[d2] * p < 10.0) continue;
    const double z = seen[d2] - pairs[d2] * p;
    statistic += z * z / (pairs[d2] * p * (1.0 - p));
    ++bins;
  }
  EXPECT_GT(bins, 30);
  EXPECT_LT(statistic, chi_squared_limit(bins));
}

TEST(ExplicitList, ComesBackAsItWasGiven) {
  ConnectivityRule rule = rule_of(Kind::explicit_list);
  for (std::uint32_t i = 0; i < 500; ++i) {
    rule.list.push_back({(i * 7) % 20, (i * 131) % 1700, 0.5 * i - 100.0, 0.1 * (1 + i % 60)});
  }
  Synapses synapses = synapses_of(one_projection(20, 1700, rule));
  ASSERT_EQ(synapses.size(), rule.list.size());
  const auto order = [](const auto& a, const auto& b) { return a.weight < b.weight; };  // weights are unique
  std::sort(synapses.begin(), synapses.end(), order);
  for (std::size_t i = 0; i < synapses.size(); ++i) {
    EXPECT_EQ(synapses[i].source, rule.list[i].source);
    EXPECT_EQ(synapses[i].target, rule.list[i].target);
    EXPECT_EQ(synapses[i].weight, rule.list[i].weight);
    EXPECT_NEAR(synapses[i].delay_ms, rule.list[i].delay_ms, 1e-9);
  }
}

TEST(ListSynapses, TheSeedDecidesTheNetwork) {
  ConnectivityRule rules[] = {rule_of(Kind::fixed_total_number, 3000), rule_of(Kind::fixed_indegree, 10),
                              rule_of(Kind::fixed_indegree, 10, true, false), rule_of(Kind::fixed_outdegree, 10),
                              rule_of(Kind::pairwise_bernoulli)};
  rules[4].probability = 0.05;
  for (const ConnectivityRule& rule : rules) {
    const Network network = one_projection(300, 700, rule);
    const auto key = [](const Synapses& synapses) {
      std::vector<std::pair<std::uint32_t, std::uint32_t>> pairs;
      for (const auto& s : synapses) pairs.emplace_back(s.source, s.target);
      return pairs;
    };
    EXPECT_EQ(key(synapses_of(network, 5)), key(synapses_of(network, 5))) << to_string(rule.kind);
    EXPECT_NE(key(synapses_of(network, 5)), key(synapses_of(network, 6))) << to_string(rule.kind);
    EXPECT_NE(key(synapses_of(network, 5)), key(synapses_of(network, 5 | std::uint64_t{1} << 32)));
  }
}

}  // namespace
}  // namespace tessera::test
