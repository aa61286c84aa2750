// In-degrees without multapses or autapses: the table of exceptions, and sets that are equally likely.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "connectivity/exceptions.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <map>
#include <numeric>

#include "connectivity/connect.hpp"
#include "connectivity/wiring.hpp"
#include "support/goodness_of_fit.hpp"

namespace tessera::test {
namespace {

TEST(Exceptions, DropAndAddByHand) {
  const Exceptions exceptions({{3, 1}, {3, 4}, {3, 3}, {7, 0}}, {{3, 90}, {5, 91}, {5, 92}}, 10);
  EXPECT_EQ(exceptions.most_added(), 2u);
  const auto applied = [&](std::uint32_t source) {
    std::vector<std::uint32_t> row = {10, 11, 12, 13, 14, 0, 0};
    row.resize(exceptions.apply(source, row.data(), 5));
    std::sort(row.begin(), row.end());
    return row;
  };
  using Row = std::vector<std::uint32_t>;
  EXPECT_EQ(applied(3), (Row{10, 12, 90}));
  EXPECT_EQ(applied(5), (Row{10, 11, 12, 13, 14, 91, 92}));
  EXPECT_EQ(applied(7), (Row{11, 12, 13, 14}));
  for (const std::uint32_t source : {0u, 2u, 4u, 6u, 8u, 9u}) EXPECT_EQ(applied(source), (Row{10, 11, 12, 13, 14}));
}

// The same table looked up entry by entry and through blocks of many sources.
TEST(Exceptions, SparseTablesTakeBlocksOfSources) {
  std::vector<Exceptions::Entry> dropped, added;
  for (std::uint32_t source = 0; source < 100000; source += 977) {
    dropped.emplace_back(source, source % 3);
    added.emplace_back(source, 5000 + source % 11);
  }
  const Exceptions exceptions(dropped, added, 100000);
  EXPECT_LT(exceptions.bytes(), 103 * (8 + 4));
  for (std::uint32_t source = 0; source < 100000; ++source) {
    std::uint32_t row[4] = {1, 2, 3, 0};
    const std::uint32_t n = exceptions.apply(source, row, 3);
    ASSERT_EQ(n, 3u);
    const bool changed = std::find(row, row + 3, 5000 + source % 11) != row + 3;
    ASSERT_EQ(changed, source % 977 == 0) << source;
    if (changed) {
      ASSERT_EQ(std::find(row, row + 3, 1 + source % 3 % 3), row + 3) << source;
    }
  }
}

/// Index of the set of sources of every target of a tiny network, as digits of one number.
std::uint32_t outcome_of(const Synapses& synapses, std::uint32_t targets, const std::map<std::uint32_t, std::uint32_t>& index) {
  std::vector<std::uint32_t> sets(targets, 0);
  for (const auto& s : synapses) sets[s.target] |= 1u << s.source;
  std::uint32_t outcome = 0;
  for (const std::uint32_t set : sets) outcome = outcome * static_cast<std::uint32_t>(index.size()) + index.at(set);
  return outcome;
}

// Four sources, two per target: all 6 x 6 x 6 pairs of sets of three targets are equally likely, whether
// stubs are of the connected pairs or of the others (three of four).
TEST(FixedIndegree, EverySetOfSourcesIsEquallyLikely) {
  for (const std::uint32_t degree : {1u, 2u, 3u}) {
    std::map<std::uint32_t, std::uint32_t> index;
    for (std::uint32_t set = 0; set < 16; ++set) {
      if (static_cast<std::uint32_t>(std::popcount(set)) == degree) index.emplace(set, static_cast<std::uint32_t>(index.size()));
    }
    constexpr std::uint32_t kTargets = 3, kSeeds = 20000;
    std::vector<double> seen(index.size() * index.size() * index.size(), 0.0);
    const Network network = one_projection(4, kTargets, rule_of(Kind::fixed_indegree, degree, true, false));
    for (std::uint32_t seed = 0; seed < kSeeds; ++seed) {
      const Synapses synapses = synapses_of(network, seed);
      ASSERT_EQ(synapses.size(), kTargets * degree);
      seen[outcome_of(synapses, kTargets, index)] += 1.0;
    }
    EXPECT_TRUE(fits(seen, std::vector<double>(seen.size(), static_cast<double>(kSeeds) / static_cast<double>(seen.size())))) << degree;
  }
}

// The same in a population that must not connect to itself: three others, two of them.
TEST(FixedIndegree, EverySetOfOtherSourcesIsEquallyLikely) {
  constexpr std::uint32_t kSeeds = 20000;
  for (const bool multapses : {false, true}) {
    std::map<std::vector<std::uint32_t>, double> seen;
    const Network network = one_projection(4, 0, rule_of(Kind::fixed_indegree, 2, false, multapses));
    for (std::uint32_t seed = 0; seed < kSeeds; ++seed) {
      std::vector<std::vector<std::uint32_t>> sources(4);
      for (const auto& s : synapses_of(network, seed)) {
        ASSERT_NE(s.source, s.target);
        sources[s.target].push_back((s.source + 4 - s.target) % 4 - 1);  // 0, 1, 2: the others
      }
      std::vector<std::uint32_t> outcome;
      for (auto& set : sources) {
        ASSERT_EQ(set.size(), 2u);
        std::sort(set.begin(), set.end());
        outcome.push_back(set[0] * 3 + set[1]);
      }
      seen[outcome] += 1.0;
    }
    // Without multapses three sets per target; with them a set of two different ones is twice as likely as a pair.
    std::vector<double> counts, expected;
    const std::vector<std::uint32_t> sets = multapses ? std::vector<std::uint32_t>{0, 1, 2, 4, 5, 8} : std::vector<std::uint32_t>{1, 2, 5};
    for (const std::uint32_t a : sets) {
      for (const std::uint32_t b : sets) {
        for (const std::uint32_t c : sets) {
          for (const std::uint32_t d : sets) {
            double chance = 1.0;
            for (const std::uint32_t set : {a, b, c, d}) {
              chance *= !multapses ? 1.0 / 3.0 : set % 4 == 0 ? 1.0 / 9.0 : 2.0 / 9.0;
            }
            counts.push_back(seen[{a, b, c, d}]);
            expected.push_back(chance * kSeeds);
          }
        }
      }
    }
    EXPECT_EQ(std::accumulate(counts.begin(), counts.end(), 0.0), kSeeds);
    EXPECT_TRUE(fits(counts, expected)) << multapses;
  }
}

// K^2 / 2N of a target's stubs are repeated: 12 bytes each at most.
TEST(FixedIndegree, TheTableOfExceptionsIsAsSmallAsItsRepetitions) {
  const struct {
    std::uint32_t sources, degree;
    double bytes;
  } cases[] = {{1000, 100, 0.6}, {10000, 100, 0.06}, {40000, 40, 0.006}};
  for (const auto& [sources, degree, bytes] : cases) {
    const Network network = one_projection(sources, 3000, rule_of(Kind::fixed_indegree, degree, true, false));
    Wiring wiring(network, 5);
    wiring.own_all();
    const double before = wiring.expected_bytes();  // with the trees of counts
    for (const Bundle& bundle : wiring.bundles()) wiring.prepare_bundle(bundle);
    EXPECT_LT(static_cast<double>(wiring.bytes()) - before, bytes * 3000 * degree) << sources;
  }
}

}  // namespace
}  // namespace tessera::test
