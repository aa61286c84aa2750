// Kernels of rows that are drawn whole: every instruction set against the sequential reference.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "kernels/row_targets.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "connectivity/stubs.hpp"
#include "kernels/draw_rows.hpp"
#include "kernels/reference/reference.hpp"
#include "support/forced_target.hpp"
#include "support/goodness_of_fit.hpp"

namespace tessera::test {
namespace {

const RandomKey kKey(0xfedcba9876543210ull);
constexpr std::size_t kSizes[] = {1, 2, 3, 4, 7, 8, 15, 16, 17, 31, 32, 33, 47, 48, 63, 64, 65, 100, 127, 128, 129, 300, 1000};

TEST(DrawPlaces, EveryTargetDrawsTheReferencesPlaces) {
  for (const std::string& target : simd_targets()) {
    const SimdTarget forced(target);
    for (const std::uint32_t open : {1u, 2u, 3u, 500u, 1667u, 16383u, 16384u}) {
      for (const std::uint32_t self : {0u, 1u, open / 2, open - 1, open}) {
        for (const std::uint32_t blocks : {1u, 2u, 5u}) {
          std::vector<std::uint32_t> expected(kRowBlock * blocks), places(kRowBlock * blocks);
          const RowKey row{kKey, open + 7, blocks};
          reference::draw_places(row, 3, blocks, open, self, expected.data());
          draw_places(row, 3, blocks, open, self, places.data());
          EXPECT_EQ(places, expected) << target << " " << open << " " << self;
          for (const std::uint32_t place : places) {
            EXPECT_LE(place, open);
            EXPECT_NE(place, self) << open;
          }
        }
      }
    }
  }
}

TEST(DrawBlocks, EveryTargetDrawsTheBlocksOfTheCounters) {
  for (const std::string& target : simd_targets()) {
    const SimdTarget forced(target);
    for (const std::size_t n : kSizes) {
      for (const std::uint32_t round : {0u, 1u, 70000u}) {
        std::vector<std::uint32_t> index(n + kRowPadding, 9), words(4 * (n + kRowPadding));
        for (std::size_t i = 0; i < n; ++i) index[i] = static_cast<std::uint32_t>(i * i * 2654435761u);
        draw_blocks({kKey, 31, 77}, Purpose::redirect, round, index.data(), n, words.data());
        for (std::size_t i = 0; i < n; ++i) {
          const RandomWords block = random_words(kKey, static_cast<Purpose>(7 + 256 * round), index[i], 31, 77);
          for (std::size_t w = 0; w < 4; ++w) ASSERT_EQ(words[4 * i + w], block[w]) << target << " " << i;
        }
      }
    }
  }
}

// Draws begin anywhere, rows of the permutation end inside a vector, and cycles are walked (1,025 stubs
// lie on 33 x 32 places).
TEST(StubTargets, EveryTargetFindsTheReferencesTargets) {
  const std::pair<std::uint32_t, std::uint32_t> cases[] = {{4, 2}, {1024, 1}, {1025, 1}, {1, 1025}, {350, 3}, {16384, 1},
                                                           {1667, 1250}, {16384, 70}, {16384, 262143}, {2, 2147483647}};
  for (const std::string& target : simd_targets()) {
    const SimdTarget forced(target);
    for (const auto& [targets, per_target] : cases) {
      const Stubs stubs(targets, per_target, kKey, targets);
      const StubPermutation p = stubs.permutation();
      for (const std::size_t size : kSizes) {
        const auto n = static_cast<std::uint32_t>(std::min<std::size_t>(size, p.stubs));
        for (const std::uint32_t first : {0u, p.stubs - n, (p.stubs - n) / 3}) {
          std::vector<std::uint32_t> expected(n + kRowPadding), found(n + kRowPadding);
          reference::stub_targets(p, first, n, expected.data());
          stub_targets(p, first, n, found.data());
          expected.resize(n), found.resize(n);
          EXPECT_EQ(found, expected) << target << " " << targets << " x " << per_target << " from " << first;
          EXPECT_LT(*std::max_element(found.begin(), found.end()), targets);
        }
        // Any draws, the last one and both sides of every hundredth edge of the square they lie on among them.
        std::vector<std::uint32_t> draws(n + kRowPadding), expected(n + kRowPadding), found(n + kRowPadding);
        RandomStream random(kKey, Purpose::pair, n, targets);
        for (std::uint32_t i = 0; i < n; ++i) draws[i] = i % 3 == 0 ? random.next_below(p.stubs) : random.next_below(p.stubs / p.columns) * p.columns + p.columns * (i % 3 - 1) - (i % 3 - 1);
        if (n > 0) draws[n - 1] = p.stubs - 1;
        for (std::uint32_t i = 0; i < n; ++i) ASSERT_LT(draws[i], p.stubs);
        reference::stub_targets_of(p, draws.data(), n, expected.data());
        stub_targets_of(p, draws.data(), n, found.data());
        expected.resize(n), found.resize(n);
        EXPECT_EQ(found, expected) << target << " " << targets << " x " << per_target << " any draws";
      }
    }
  }
}

// Boxes that lie in a chunk, begin before it or end behind it, with chances from none to all. Most numbers are told
// from their chances by sixteen bits; chances of 2^-15 are not, in one of two pairs that look so.
TEST(KeepPairs, EveryTargetKeepsTheReferencesPairs) {
  for (const std::string& target : simd_targets()) {
    const SimdTarget forced(target);
    for (const std::uint32_t n : {0u, 1u, 3u, 15u, 16u, 17u, 25u, 64u, 131u}) {
      for (const double scale : {0.0, 1e-12, 0x1p-15, 0.3, 0.75, 1.0}) {
        for (const std::uint32_t first : {0u, 500u, 0u - 20u}) {
          std::vector<std::uint32_t> columns(n + kRowPadding);
          std::vector<float> chances(n + kRowPadding);
          for (std::uint32_t j = 0; j < n; ++j) columns[j] = 2 * j, chances[j] = 1.0f / static_cast<float>(1 + j % 7);
          const std::uint32_t rows[] = {0, 1, 2, 5, 6};
          const float row_chances[] = {1.0f, 0.5f, 0.013f, 1.0f, 0.7f};
          const PairBox box{columns.data(), chances.data(), n, rows, row_chances, 5, scale, 300, 0u - first, 1300, first + 6};
          const RowKey row{kKey, n, first};
          std::vector<std::uint32_t> expected(5 * n + kRowPadding), kept(5 * n + kRowPadding);
          expected.resize(reference::keep_pairs(row, box, expected.data()));
          kept.resize(keep_pairs(row, box, kept.data()));
          EXPECT_EQ(kept, expected) << target << " " << n << " " << scale << " " << first;
          for (const std::uint32_t t : kept) EXPECT_TRUE(t < 1300 && t != first + 6) << t;
          if (scale == 0.0) {
            EXPECT_TRUE(kept.empty());
          }
          if (scale == 1.0 && first == 0 && n > 7) {  // a chance of one is certain
            EXPECT_EQ(kept[0], 0u);
            EXPECT_NE(std::find(kept.begin(), kept.end(), 14u), kept.end());
          }
        }
      }
    }
  }
}

// Numbers have 64 bits: of 20 million pairs with chances of 1.5 / 2^16 and of 0.3 / 2^16, as many are kept as these
// say, and not as 1, 2 or 0 steps would.
TEST(KeepPairs, ChancesBetweenTheStepsOfTheLeadingBits) {
  std::vector<std::uint32_t> columns(1000 + kRowPadding);
  std::iota(columns.begin(), columns.end(), 0u);
  const std::vector<float> chances(1000 + kRowPadding, 1.0f), row_chances(1000, 1.0f);
  std::vector<std::uint32_t> kept(1000 * 1000 + kRowPadding);
  for (const double steps : {1.5, 0.3}) {
    const PairBox box{columns.data(), chances.data(), 1000, columns.data(), row_chances.data(), 1000, steps * 0x1p-16, 1000, 0, 1000000, 1000000};
    double n = 0.0;
    for (std::uint32_t source = 0; source < 20; ++source) n += static_cast<double>(keep_pairs({kKey, source, 7}, box, kept.data()));
    const double expected = 20e6 * steps * 0x1p-16;
    EXPECT_NEAR(n, expected, test::kOneInAMillionSd * std::sqrt(expected)) << steps;
  }
}

struct Values {
  std::vector<std::int32_t> weights, thresholds, codes, steps;
  RowValues view;
  Values(RingShape shape, std::uint32_t groups, bool drawn_weights, bool drawn_steps) {
    RandomStream random(kKey, Purpose::pair, groups, shape.step_bits);
    view.positive_slot = 100;
    view.negative_slot = 2100;
    view.weight = -321;
    view.groups = groups;
    view.step_place = shape.row(shape.steps() - 1);
    for (std::uint32_t i = 0; i < 1024; ++i) {
      weights.push_back(static_cast<std::int32_t>(random.next_below(2 * kLargestUnits + 1)) - kLargestUnits);
    }
    for (std::uint32_t g = 0; g + 1 < groups; ++g) thresholds.push_back(static_cast<std::int32_t>(random.next_below(1 << 16)));
    std::sort(thresholds.begin(), thresholds.end());
    thresholds.resize(padded_groups(groups), 1 << 16);
    for (std::uint32_t g = 0; g < groups; ++g) {
      const std::uint32_t a = random.next_below(1024), b = a + random.next_below(1024 - a);
      codes.push_back(static_cast<std::int32_t>(shape.steps() == 4 ? a | b << 10 | (b + random.next_below(1024 - b)) << 20 : 1024 * g));
    }
    for (std::uint32_t i = 0; shape.steps() != 4 && i < 1024 * groups; ++i) {
      steps.push_back(static_cast<std::int32_t>(random.next_below(shape.steps()) << shape.slot_bits()));
    }
    if (drawn_weights) view.weights = weights.data();
    view.thresholds = thresholds.data();
    if (drawn_steps) view.codes = codes.data();
    if (!steps.empty()) view.steps = steps.data();
  }
};

TEST(PackRow, EveryTargetPacksTheReferencesWords) {
  for (const std::string& target : simd_targets()) {
    const SimdTarget forced(target);
    for (const RingShape shape : {RingShape{2}, RingShape{3}, RingShape{5}}) {
      for (const std::uint32_t groups : {1u, 2u, 3u, 15u, 32u, 33u, 64u, 1000u}) {
        for (const int drawn : {0, 1, 2, 3, 4, 5, 6, 7}) {
          if (groups > 1 && drawn % 4 < 2) continue;  // several groups have drawn steps
          Values values(shape, groups, drawn % 2 == 1, drawn % 4 >= 2);
          values.view.entries = drawn >= 4;
          for (const std::size_t n : kSizes) {
            const RowKey row{kKey, static_cast<std::uint32_t>(n), groups};
            std::vector<std::uint32_t> targets(n + kRowPadding), expected(n + kRowPadding), words(n + kRowPadding);
            std::vector<std::uint16_t> expected_groups(n + kRowPadding), found_groups(n + kRowPadding);
            for (std::size_t k = 0; k < n; ++k) targets[k] = static_cast<std::uint32_t>(k * 7 % 2000);
            reference::pack_row(values.view, row, targets.data(), n, expected.data(), expected_groups.data());
            pack_row(values.view, row, targets.data(), n, words.data(), found_groups.data());
            words.resize(n), expected.resize(n), found_groups.resize(n), expected_groups.resize(n);
            EXPECT_EQ(words, expected) << target << " " << groups << " " << drawn << " " << n;
            EXPECT_EQ(found_groups, expected_groups) << target << " " << groups << " " << drawn << " " << n;
          }
        }
      }
    }
  }
}

// One weight and one delay: a synapse is its target and nothing else.
TEST(PackRow, ConstantsAreNotDrawn) {
  RowValues values;
  values.weight = -5;
  values.positive_slot = 10, values.negative_slot = 1010;
  values.step_place = 3 << 16;
  std::vector<std::uint32_t> targets(20 + kRowPadding), words(20 + kRowPadding);
  std::vector<std::uint16_t> groups(20 + kRowPadding, 9);
  for (std::uint32_t k = 0; k < 20; ++k) targets[k] = 3 * k;
  pack_row(values, {kKey, 1, 2}, targets.data(), 20, words.data(), groups.data());
  for (std::uint32_t k = 0; k < 20; ++k) {
    EXPECT_EQ(words[k], packed_word(1010 + 3 * k, 3 << 16, -5));
    EXPECT_EQ(groups[k], 0u);
  }
}

}  // namespace
}  // namespace tessera::test
