// What rules say about several sources and targets at once: sources and targets that are neighbours, or in
// different chunks, have as much in common as chance gives them. Twenty seeds are pooled into one test each.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>
#include <vector>

#include "connectivity/chunks.hpp"
#include "connectivity/connect.hpp"
#include "support/goodness_of_fit.hpp"

namespace tessera::test {
namespace {

constexpr std::uint32_t kSources = 400, kTargets = 1200, kSeeds = 20;

using Matrix = std::vector<std::vector<std::uint8_t>>;  // [source][target]: number of synapses

/// Rows with several delay groups are drawn with replacement and put right, rows with one are drawn whole.
const Distribution kDelays[] = {Distribution::constant(1.5), Distribution::uniform(0.1, 13.0)};

Matrix matrix_of(const ConnectivityRule& rule, const Distribution& delay_ms, std::uint64_t seed) {
  Matrix matrix(kSources, std::vector<std::uint8_t>(kTargets, 0));
  Network network = one_projection(kSources, kTargets, rule);
  network.projections[0].delay_ms = delay_ms;
  for (const auto& s : synapses_of(network, seed)) ++matrix[s.source][s.target];
  return matrix;
}

double log_hypergeometric(double all, double good, double drawn, double k) {
  if (k > good || k > drawn || drawn - k > all - good) return -INFINITY;
  return log_choose(good, k) + log_choose(all - good, drawn - k) - log_choose(all, drawn);
}

/// A rule without multapses, and how many targets two sources have in common, sources two or three targets.
struct DistinctRule {
  ConnectivityRule rule;
  std::function<double(double)> log_common_targets, log_common_sources, log_common_sources_of_three;
};

std::vector<DistinctRule> distinct_rules() {
  std::vector<DistinctRule> rules;
  for (const double p : {0.05, 0.6}) {
    ConnectivityRule bernoulli = rule_of(Kind::pairwise_bernoulli);
    bernoulli.probability = p;
    rules.push_back({bernoulli, log_binomial(kTargets, p * p), log_binomial(kSources, p * p), log_binomial(kSources, p * p * p)});
  }
  for (const double degree : {30.0, 180.0, 260.0}) {  // stubs, draws that are put right, stubs of what is missing
    const double two = degree * (degree - 1) / kSources / (kSources - 1);
    const auto common = [degree](double k) { return log_hypergeometric(kSources, degree, degree, k); };
    const auto common_of_three = [degree](double k) {
      double sum = 0.0;
      for (double m = k; m <= degree; m += 1.0) {
        sum += std::exp(log_hypergeometric(kSources, degree, degree, m) + log_hypergeometric(kSources, m, degree, k));
      }
      return std::log(sum);
    };
    rules.push_back({rule_of(Kind::fixed_indegree, static_cast<std::uint64_t>(degree), true, false), log_binomial(kTargets, two), common,
                     common_of_three});
  }
  for (const double degree : {70.0, 800.0}) {
    const double two = degree * (degree - 1) / kTargets / (kTargets - 1), three = two * (degree - 2) / (kTargets - 2);
    rules.push_back({rule_of(Kind::fixed_outdegree, static_cast<std::uint64_t>(degree), true, false),
                     [degree](double k) { return log_hypergeometric(kTargets, degree, degree, k); }, log_binomial(kSources, two),
                     log_binomial(kSources, three)});
  }
  return rules;
}

testing::AssertionResult fits_log(const std::vector<std::uint32_t>& values, const std::function<double(double)>& log_pmf) {
  const std::size_t bins = *std::max_element(values.begin(), values.end()) + 2;
  std::vector<double> expected;
  for (std::size_t k = 0; k + 1 < bins; ++k) expected.push_back(static_cast<double>(values.size()) * std::exp(log_pmf(static_cast<double>(k))));
  double tail = static_cast<double>(values.size());
  for (const double e : expected) tail -= e;
  expected.push_back(std::max(0.0, tail));
  return fits(histogram(values, bins), expected);
}

TEST(Joint, TargetsAreInSeveralChunks) {
  const Network network = one_projection(kSources, kTargets, rule_of(Kind::fixed_indegree, 1));
  std::size_t chunks = 0;
  for (const Chunk& chunk : cut_into_chunks(network)) chunks += chunk.population == 1 ? 1 : 0;
  EXPECT_GE(chunks, 2u);
}

void expect_as_much_in_common(const Distribution& delay_ms) {
  for (const DistinctRule& r : distinct_rules()) {
    std::vector<std::uint32_t> targets, neighbours, far, three;
    for (std::uint32_t seed = 1; seed <= kSeeds; ++seed) {
      const Matrix m = matrix_of(r.rule, delay_ms, seed);
      for (std::uint32_t s = 0; s < kSources; s += 2) {  // pairs of neighbours, none in two pairs
        std::uint32_t common = 0;
        for (std::uint32_t t = 0; t < kTargets; ++t) {
          ASSERT_LE(m[s][t], 1u);
          common += m[s][t] & m[s + 1][t];
        }
        targets.push_back(common);
      }
      for (std::uint32_t t = 0; t + 600 < kTargets; t += 3) {
        std::uint32_t near = 0, across = 0, all_three = 0;
        for (std::uint32_t s = 0; s < kSources; ++s) {
          near += m[s][t] & m[s][t + 1];
          all_three += m[s][t] & m[s][t + 1] & m[s][t + 2];
          across += m[s][t] & m[s][t + 600];
        }
        neighbours.push_back(near), far.push_back(across), three.push_back(all_three);
      }
    }
    const std::string name = to_string(r.rule.kind) + " " + std::to_string(r.rule.number);
    EXPECT_TRUE(fits_log(targets, r.log_common_targets)) << name;
    EXPECT_TRUE(fits_log(neighbours, r.log_common_sources)) << name;
    EXPECT_TRUE(fits_log(far, r.log_common_sources)) << name;
    EXPECT_TRUE(fits_log(three, r.log_common_sources_of_three)) << name;
  }
}

TEST(Joint, SourcesAndTargetsHaveInCommonWhatChanceGivesThem) { expect_as_much_in_common(kDelays[0]); }
TEST(Joint, ManyDelaysChangeNothingOfWhatTheyHaveInCommon) { expect_as_much_in_common(kDelays[1]); }

/// P(a, b) of the numbers of two cells that each of n draws hits with probabilities p and q.
double trinomial(double n, double p, double q, double a, double b) {
  return std::exp(std::lgamma(n + 1) - std::lgamma(a + 1) - std::lgamma(b + 1) - std::lgamma(n - a - b + 1) + a * std::log(p) +
                  b * std::log(q) + (n - a - b) * std::log1p(-p - q));
}

// Multapses: the synapses of a pair are a binomial number; those of two pairs are joint as the rule says.
TEST(Joint, NumbersOfSynapsesOfTwoPairs) {
  constexpr std::size_t kMost = 6;
  const double in = 400.0, out = 1200.0;
  const double by_target = 1.0 / kSources, by_source = 1.0 / kTargets;
  for (const int which : {0, 1, 2, 3}) {
    const bool of_targets = which % 2 == 0;
    const ConnectivityRule rule = of_targets ? rule_of(Kind::fixed_indegree, 400) : rule_of(Kind::fixed_outdegree, 1200);
    const double draws = of_targets ? in : out, p = of_targets ? by_target : by_source;
    std::vector<double> same(kMost * kMost, 0.0), apart = same, same_expected = same, apart_expected = same;
    double n = 0.0;
    for (std::uint32_t seed = 1; seed <= kSeeds; ++seed) {
      const Matrix m = matrix_of(rule, kDelays[which / 2], seed);
      for (std::uint32_t s = 0; s < kSources; s += 2) {
        for (std::uint32_t t = 0; t + 601 < kTargets; t += 2) {
          const auto at = [](std::uint8_t a, std::uint8_t b) {
            return std::min<std::size_t>(a, kMost - 1) * kMost + std::min<std::size_t>(b, kMost - 1);
          };
          ++same[of_targets ? at(m[s][t], m[s + 1][t]) : at(m[s][t], m[s][t + 1])];
          ++apart[of_targets ? at(m[s][t], m[s][t + 600]) : at(m[s][t], m[s + 1][t])];
          n += 1.0;
        }
      }
    }
    for (std::size_t a = 0; a < 30; ++a) {
      for (std::size_t b = 0; b < 30; ++b) {
        const std::size_t at = std::min(a, kMost - 1) * kMost + std::min(b, kMost - 1);
        const double x = static_cast<double>(a), y = static_cast<double>(b);
        same_expected[at] += n * trinomial(draws, p, p, x, y);
        apart_expected[at] += n * std::exp(log_binomial(draws, p)(x) + log_binomial(draws, p)(y));
      }
    }
    EXPECT_TRUE(fits(same, same_expected)) << to_string(rule.kind);
    EXPECT_TRUE(fits(apart, apart_expected)) << to_string(rule.kind);
  }
}

}  // namespace
}  // namespace tessera::test
