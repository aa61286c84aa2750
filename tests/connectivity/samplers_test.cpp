// Discrete samplers, permutations of stubs and the source tree against their exact distributions.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "connectivity/samplers.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "connectivity/source_tree.hpp"
#include "connectivity/stubs.hpp"
#include "support/goodness_of_fit.hpp"

namespace tessera::test {
namespace {

constexpr int kDraws = 40000;
RandomStream stream_of(std::uint32_t a) { return {RandomKey(11), Purpose::pair, a, 0}; }

TEST(DrawBinomial, EdgesAreCertain) {
  RandomStream stream = stream_of(0);
  EXPECT_EQ(draw_binomial(0, 1.0, 2.0, stream), 0u);
  EXPECT_EQ(draw_binomial(100, 0.0, 2.0, stream), 0u);
  EXPECT_EQ(draw_binomial(100, 2.0, 2.0, stream), 100u);
  EXPECT_EQ(draw_binomial(std::uint64_t{1} << 50, 1.0, 1.0, stream), std::uint64_t{1} << 50);
}

TEST(DrawBinomial, CountsFollowTheDistribution) {
  const struct {
    std::uint64_t n;
    double p;
  } cases[] = {{1, 0.5}, {1, 0.1}, {5, 0.5}, {31, 0.5}, {32, 0.5}, {33, 0.5}, {2048, 0.5}, {2049, 0.5},
               {20, 0.03}, {20, 0.97}, {1000, 0.1}, {100000, 1e-4}, {10, 0.7}};
  std::uint32_t at = 1;
  for (const auto& [n, p] : cases) {
    RandomStream stream = stream_of(at++);
    std::vector<std::uint64_t> counts;
    for (int i = 0; i < kDraws; ++i) {
      counts.push_back(draw_binomial(n, p * 8.0, 8.0, stream));
      ASSERT_LE(counts.back(), n);
    }
    EXPECT_TRUE(fits(histogram(counts, n + 2), expectation(kDraws, n + 2, log_binomial(static_cast<double>(n), p))))
        << n << " " << p;
  }
}

// Large counts: mean and variance, with the standard errors of a nearly normal variable.
TEST(DrawBinomial, LargeCountsHaveMeanAndVariance) {
  const double n = 3e8, p = 0.3, variance = n * p * (1.0 - p);
  constexpr int kFew = 2000;
  RandomStream stream = stream_of(77);
  double sum = 0.0, squares = 0.0;
  for (int i = 0; i < kFew; ++i) {
    const double z = static_cast<double>(draw_binomial(300000000, 3.0, 10.0, stream)) - n * p;
    sum += z, squares += z * z;
  }
  EXPECT_LT(std::abs(sum / kFew), kOneInAMillionSd * std::sqrt(variance / kFew));
  EXPECT_LT(std::abs(squares / kFew - variance), kOneInAMillionSd * variance * std::sqrt(2.0 / kFew));
}

TEST(DrawHypergeometric, EdgesAreCertain) {
  RandomStream stream = stream_of(100);
  EXPECT_EQ(draw_hypergeometric(0, 5, 5, stream), 0u);
  EXPECT_EQ(draw_hypergeometric(5, 0, 5, stream), 0u);
  EXPECT_EQ(draw_hypergeometric(5, 5, 0, stream), 5u);
  EXPECT_EQ(draw_hypergeometric(10, 5, 5, stream), 5u);
}

TEST(DrawHypergeometric, CountsFollowTheDistribution) {
  const struct {
    std::uint64_t n, good, bad;
  } cases[] = {{1, 1, 1}, {3, 2, 5}, {50, 30, 40}, {65, 30, 40}, {100, 1000, 100000}, {500, 10000, 10000}, {9, 8, 2}};
  std::uint32_t at = 101;
  for (const auto& [n, good, bad] : cases) {
    RandomStream stream = stream_of(at++);
    const double g = static_cast<double>(good), b = static_cast<double>(bad), d = static_cast<double>(n);
    std::vector<std::uint64_t> counts;
    for (int i = 0; i < kDraws; ++i) {
      counts.push_back(draw_hypergeometric(n, good, bad, stream));
      ASSERT_LE(counts.back(), std::min(n, good));
      ASSERT_LE(n - counts.back(), bad);
    }
    const auto log_pmf = [=](double k) -> double {
      if (k > g || k > d || d - k > b) return -INFINITY;
      return log_choose(g, k) + log_choose(b, d - k) - log_choose(g + b, d);
    };
    EXPECT_TRUE(fits(histogram(counts, n + 2), expectation(kDraws, n + 2, log_pmf))) << n << " " << good << " " << bad;
  }
}

TEST(BinomialTable, EdgesAreCertain) {
  for (const double unit : {0.0, 0.5, 0.999999}) {
    EXPECT_EQ(BinomialTable(0, 0.5).count(unit), 0u);
    EXPECT_EQ(BinomialTable(100, 0.0).count(unit), 0u);
    EXPECT_EQ(BinomialTable(100, 1.0).count(unit), 100u);
  }
  EXPECT_EQ(BinomialTable(7, 0.5).count(0.0), 0u);
  EXPECT_EQ(BinomialTable(7, 0.5).count(std::nextafter(1.0, 0.0)), 7u);
  EXPECT_EQ(BinomialTable(1, 0.25).count(0.75 - 1e-12), 0u);
  EXPECT_EQ(BinomialTable(1, 0.25).count(0.75), 1u);
}

TEST(BinomialTable, CountsFollowTheDistribution) {
  const struct {
    std::uint32_t n;
    double p;
  } cases[] = {{1, 0.5}, {1, 0.1}, {5, 0.5}, {20, 0.03}, {20, 0.97}, {1000, 0.1}, {16384, 1e-4}, {10, 0.7}, {2000, 0.999}};
  std::uint32_t at = 300;
  for (const auto& [n, p] : cases) {
    const BinomialTable table(n, p);
    RandomStream stream = stream_of(at++);
    std::vector<std::uint32_t> counts;
    for (int i = 0; i < kDraws; ++i) {
      counts.push_back(table.count(stream.next_unit()));
      ASSERT_LE(counts.back(), n);
    }
    EXPECT_TRUE(fits(histogram(counts, n + 2), expectation(kDraws, n + 2, log_binomial(n, p)))) << n << " " << p;
  }
}

// Small means, means with tables of their own and between two of them, and means that are drawn in parts.
TEST(PoissonTables, CountsFollowTheDistributionOfTheMeanThatIsNamed) {
  const PoissonTables tables(1000.0);
  std::uint32_t at = 300;
  for (const double mean : {1e-30, 0.01, 0x1p-6, 0.1, 1.0, 1.1, 7.9, 33.0, 63.9, 64.0, 64.1, 200.0, 1000.0}) {
    RandomStream stream = stream_of(at++);
    std::vector<std::uint32_t> counts;
    double named = 0.0;
    for (int i = 0; i < kDraws; ++i) {
      const auto [drawn_mean, count] = tables.draw(mean, stream);
      ASSERT_GE(drawn_mean, mean);
      ASSERT_LE(drawn_mean, std::max(0x1p-6, 1.125 * mean));
      named = drawn_mean;
      counts.push_back(count);
    }
    EXPECT_TRUE(fits(histogram(counts, 1400), expectation(kDraws, 1400, log_poisson(named)))) << mean;
  }
}

TEST(RandomStream, EvenDrawsAreEven) {
  // 3 * 2^30 values of 2^32 draws: an integer part alone would give every third value half of the draws.
  RandomStream stream = stream_of(400);
  constexpr std::uint32_t kValues = 3u << 30;
  std::vector<double> by_residue(3, 0.0);
  for (int i = 0; i < kDraws; ++i) by_residue[stream.next_evenly_below(kValues) % 3] += 1.0;
  EXPECT_TRUE(fits(by_residue, std::vector<double>(3, kDraws / 3.0)));
  for (int i = 0; i < 100; ++i) EXPECT_EQ(stream.next_evenly_below(1), 0u);
}

std::vector<std::uint32_t> targets_of(const Stubs& stubs) {
  const StubPermutation permutation = stubs.permutation();
  std::vector<std::uint32_t> targets(permutation.stubs + kRowPadding);
  stub_targets(permutation, 0, permutation.stubs, targets.data());
  targets.resize(permutation.stubs);
  return targets;
}

// Small domains are shuffled, large ones go through rounds: one, two and three of a kind at the borders.
TEST(Stubs, EveryTargetComesAsOftenAsItHasStubs) {
  const std::pair<std::uint32_t, std::uint32_t> cases[] = {
      {1, 1}, {1, 1024}, {1, 1025}, {2, 3}, {4, 2}, {31, 33}, {32, 32}, {1025, 1}, {1089, 1}, {1090, 1}, {33, 33},
      {700, 3}, {3, 701}, {1667, 1250}, {16384, 2}, {16384, 64}, {2, 40000}, {257, 4081}};
  for (const auto& [targets, per_target] : cases) {
    std::vector<std::uint32_t> seen(targets, 0);
    for (const std::uint32_t target : targets_of(Stubs(targets, per_target, RandomKey(1), 9))) ++seen.at(target);
    for (const std::uint32_t n : seen) ASSERT_EQ(n, per_target) << targets << " " << per_target;
  }
}

/// How often the draws `at` fall into all combinations of equal parts of the targets, over many keys.
testing::AssertionResult draws_are_joint(std::uint32_t targets, std::uint32_t per_target,
                                         const std::vector<std::uint32_t>& at, std::uint32_t parts) {
  constexpr std::uint32_t kKeys = 60000;
  std::size_t cells = 1;
  for (std::size_t i = 0; i < at.size(); ++i) cells *= parts;
  std::vector<double> seen(cells, 0.0), expected(cells, kKeys);
  std::vector<double> size(parts, 0.0);
  const auto part_of = [&](std::uint32_t target) { return std::uint64_t{target} * parts / targets; };
  for (std::uint32_t t = 0; t < targets; ++t) size[part_of(t)] += per_target;
  std::vector<std::uint32_t> target(1 + kRowPadding);
  for (std::uint32_t key = 0; key < kKeys; ++key) {
    const Stubs stubs(targets, per_target, RandomKey(2), key);
    std::size_t cell = 0;
    for (const std::uint32_t draw : at) {
      stub_targets(stubs.permutation(), draw, 1, target.data());
      cell = cell * parts + part_of(target[0]);
    }
    seen[cell] += 1.0;
  }
  for (std::size_t cell = 0; cell < cells; ++cell) {  // drawn without replacement
    std::vector<double> left = size;
    double all = targets * per_target;
    for (std::size_t i = 0, rest = cell; i < at.size(); ++i, rest /= parts) expected[cell] *= left[rest % parts]-- / all--;
  }
  return fits(seen, expected);
}

// Single draws are uniform; pairs and triples of draws that are neighbours in their column or row, or far
// apart, are what draws without replacement are.
TEST(Stubs, SinglesPairsAndTriplesOfDrawsAreUniform) {
  const std::pair<std::uint32_t, std::uint32_t> cases[] = {{4, 2},   {50, 20},    {50, 21},    {1100, 1},
                                                           {3, 400}, {500, 140}, {1700, 650}};
  for (const auto& [targets, per_target] : cases) {
    const Stubs stubs(targets, per_target, RandomKey(2), 0);
    const StubPermutation p = stubs.permutation();
    const std::uint32_t last = p.stubs - 1, columns = p.shuffled != nullptr ? 2 : p.columns;
    const std::uint32_t most = std::min(targets, 100u);
    EXPECT_TRUE(draws_are_joint(targets, per_target, {0}, most)) << targets << " " << per_target;
    EXPECT_TRUE(draws_are_joint(targets, per_target, {last}, most)) << targets << " " << per_target;
    const std::uint32_t some = std::min(targets, 16u), few = std::min(targets, 8u);
    for (const std::uint32_t apart : {1u, 2u, columns, columns + 1, last / 2}) {
      EXPECT_TRUE(draws_are_joint(targets, per_target, {1, 1 + apart}, some)) << targets << " " << per_target << " " << apart;
    }
    EXPECT_TRUE(draws_are_joint(targets, per_target, {3, 4, 5}, few)) << targets << " " << per_target;
    EXPECT_TRUE(draws_are_joint(targets, per_target, {1, 1 + columns, 1 + 2 * columns}, few)) << targets << " " << per_target;
  }
}

SourceTree tree_of(std::uint64_t items, std::uint32_t sources, bool distinct, std::uint32_t stream = 3) {
  return {RandomKey(4), stream, items, sources, distinct,
          [](std::uint32_t begin, std::uint32_t end) { return std::uint64_t{50} * (end - begin); }};
}

TEST(SourceTree, SharesSumToAllItemsAndFirstIsThePrefixSum) {
  for (const std::uint32_t sources : {1u, 2u, 7u, 8u, 9u, 100u, 1000u, 1025u}) {
    for (const std::uint64_t items : {0u, 1u, 37u, 49u * sources}) {
      for (const bool distinct : {false, true}) {
        if (distinct && items > std::uint64_t{50} * sources) continue;
        const SourceTree tree = tree_of(items, sources, distinct);
        std::uint64_t before = 0;
        for (std::uint32_t s = 0; s < sources; ++s) {
          const SourceTree::Share share = tree.share(s);
          ASSERT_EQ(share.first, before) << sources << " " << items << " " << s;
          if (distinct) {
            ASSERT_LE(share.count, 50u);
          }
          before += share.count;
        }
        EXPECT_EQ(before, items);
      }
    }
  }
}

TEST(SourceTree, BlockCountsAreTheShares) {
  const SourceTree tree = tree_of(3000, 101, false);
  ASSERT_EQ(tree.blocks(), 13u);
  for (std::uint32_t block = 0; block < tree.blocks(); ++block) {
    std::uint32_t counts[SourceTree::kBlock] = {};
    tree.block_counts(block, counts);
    for (std::uint32_t i = 0; i < SourceTree::kBlock && block * 8 + i < 101; ++i) {
      EXPECT_EQ(counts[i], tree.share(block * 8 + i).count);
    }
  }
}

// A tree that keeps nothing goes down from the root, node by node; one that keeps counts has made them level by level. Items
// are so many that halves are tossed as coins at every level, at the lower ones, or at none; an odd source has fewer pairs.
TEST(SourceTree, LevelsAreWhatSingleNodesAre) {
  for (const std::uint32_t sources : {1u, 8u, 101u, 2048u, 5003u}) {
    for (const std::uint64_t items : {0u, 900u, 30'000u, 2'000'000u}) {
      for (const std::uint32_t odd : {sources, sources / 3}) {
        const auto pairs = [odd](std::uint32_t begin, std::uint32_t end) {
          return std::uint64_t{50} * (end - begin) - (begin <= odd && odd < end ? 1 : 0);
        };
        const SourceTree kept(RandomKey(4), 3, items, sources, false, pairs), walked(RandomKey(4), 3, items, sources, false, pairs, false);
        std::vector<std::uint32_t> counts(kept.blocks() * std::size_t{SourceTree::kBlock});
        kept.counts_of(0, kept.blocks(), counts.data());
        for (std::uint32_t block = 0; block < kept.blocks(); ++block) {
          std::uint32_t expected[SourceTree::kBlock] = {}, some[SourceTree::kBlock] = {};
          walked.block_counts(block, expected);
          kept.counts_of(block, 1, some);
          ASSERT_TRUE(std::equal(expected, expected + SourceTree::kBlock, counts.data() + block * std::size_t{SourceTree::kBlock}))
              << sources << " " << items << " " << odd << " " << block;
          ASSERT_TRUE(std::equal(expected, expected + SourceTree::kBlock, some));
        }
      }
    }
  }
}

// Independent items: a source's count is binomial. Distinct pairs: hypergeometric.
TEST(SourceTree, CountsOfASourceFollowTheirDistribution) {
  constexpr std::uint32_t kSources = 100, kTrees = 3000;
  for (const bool distinct : {false, true}) {
    std::vector<std::uint32_t> counts;
    for (std::uint32_t t = 0; t < kTrees; ++t) {
      const SourceTree tree = tree_of(1000, kSources, distinct, t);
      for (const std::uint32_t s : {0u, 41u, 99u}) counts.push_back(tree.share(s).count);
    }
    const auto hypergeometric = [](double k) {
      return log_choose(50, k) + log_choose(4950, 1000 - k) - log_choose(5000, 1000);
    };
    const double n = 3.0 * kTrees;  // three sources of a tree are nearly independent
    const auto expected = distinct ? expectation(n, 40, hypergeometric) : expectation(n, 40, log_binomial(1000, 0.01));
    EXPECT_TRUE(fits(histogram(counts, 40), expected)) << distinct;
  }
}

}  // namespace
}  // namespace tessera::test
