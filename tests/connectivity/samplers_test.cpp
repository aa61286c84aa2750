// Discrete samplers, keyed permutations and the source tree against their exact distributions.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "connectivity/samplers.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "connectivity/keyed_permutation.hpp"
#include "connectivity/source_tree.hpp"
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

TEST(KeyedPermutation, IsABijectionForEverySize) {
  std::vector<std::uint32_t> sizes = {1024, 1025, 4096, 5000, 65535, 65536, 65537, 100003};
  for (std::uint32_t size = 1; size < 140; ++size) sizes.push_back(size);
  for (const std::uint32_t size : sizes) {
    const KeyedPermutation permuted(size, RandomKey(1), size, 9);
    std::vector<bool> seen(size, false);
    for (std::uint32_t i = 0; i < size; ++i) {
      const std::uint32_t image = permuted(i);
      ASSERT_LT(image, size);
      ASSERT_FALSE(seen[image]) << size << " " << i;
      seen[image] = true;
    }
  }
}

// Over many keys each element goes everywhere equally often, and pairs of elements too.
TEST(KeyedPermutation, ImagesAreUniform) {
  for (const std::uint32_t size : {2u, 5u, 32u, 33u, 40u, 64u, 100u, 1000u}) {
    constexpr std::uint32_t kKeys = 40000;
    std::vector<double> last(size, 0.0), first(size, 0.0), difference(size, 0.0);
    for (std::uint32_t key = 0; key < kKeys; ++key) {
      const KeyedPermutation permuted(size, RandomKey(2), key, size);
      const std::uint32_t a = permuted(0), b = permuted(size - 1);
      first[a] += 1.0, last[b] += 1.0;
      difference[(b + size - a) % size] += 1.0;
    }
    const std::vector<double> uniform(size, static_cast<double>(kKeys) / size);
    EXPECT_TRUE(fits(first, uniform)) << size;
    EXPECT_TRUE(fits(last, uniform)) << size;
    std::vector<double> apart(size, static_cast<double>(kKeys) / (size - 1.0));
    apart[0] = 0.0;  // distinct elements never meet
    EXPECT_EQ(difference[0], 0.0);
    difference.erase(difference.begin());
    apart.erase(apart.begin());
    if (size > 2) {
      EXPECT_TRUE(fits(difference, apart)) << size;
    }
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
