// Aligned arrays, error sentences, near names, uniform random numbers.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "base/aligned_array.hpp"
#include "base/random.hpp"
#include "support/goodness_of_fit.hpp"
#include "tessera/errors.hpp"

namespace tessera::test {
namespace {

TEST(AlignedArray, IsZeroedAndAligned) {
  EXPECT_EQ(AlignedArray<int>(0).data(), nullptr);
  for (const std::size_t size : {1u, 1000u, 3000000u}) {
    AlignedArray<std::uint32_t> array(size);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(array.data()) % 64, 0u);
    EXPECT_EQ(array.bytes(), 4 * size);
    EXPECT_TRUE(std::all_of(array.begin(), array.end(), [](std::uint32_t v) { return v == 0; }));
  }
}

TEST(AlignedArray, ResizingKeepsValuesAndZeroesNewOnes) {
  AlignedArray<std::uint32_t> array(10);
  for (std::uint32_t i = 0; i < 10; ++i) array[i] = i + 1;
  array.resize(2000000);
  ASSERT_EQ(array.size(), 2000000u);
  for (std::uint32_t i = 0; i < 10; ++i) EXPECT_EQ(array[i], i + 1);
  EXPECT_TRUE(std::all_of(array.begin() + 10, array.end(), [](std::uint32_t v) { return v == 0; }));
  array.resize(5);
  EXPECT_EQ(array.size(), 5u);
  EXPECT_EQ(array[4], 5u);
  array.resize(0);
  EXPECT_EQ(array.size(), 0u);
  array.resize(7);
  EXPECT_EQ(array[6], 0u);
}

TEST(AlignedArray, MovesLeaveNothingBehind) {
  AlignedArray<int> a(5);
  a[3] = 9;
  AlignedArray<int> b(std::move(a));
  EXPECT_EQ(b[3], 9);
  EXPECT_EQ(a.size(), 0u);  // NOLINT: what is left is the point
  a = std::move(b);
  EXPECT_EQ(a[3], 9);
}

TEST(Errors, LocationsReadAsFilePositions) {
  EXPECT_EQ((SourceLocation{"m.toml", 3, 7, "a.b"}.to_string()), "m.toml:3:7 (a.b)");
  EXPECT_EQ((SourceLocation{"m.toml", 3, 0, ""}.to_string()), "m.toml:3");
  EXPECT_EQ((SourceLocation{"", 0, 0, "a.b"}.to_string()), "a.b");
  EXPECT_EQ(SourceLocation{}.to_string(), "");
}

TEST(Errors, AllProblemsAreInTheMessage) {
  const InputError error({{{"m.toml", 1, 2, ""}, "First."}, {{}, "Second."}});
  EXPECT_EQ(error.problems().size(), 2u);
  EXPECT_STREQ(error.what(), "m.toml:1:2: First.\nSecond.");
}

TEST(Errors, NearNamesAreSuggestedFarOnesAreNot) {
  const std::vector<std::string> names = {"iaf_psc_exp", "iaf_psc_alpha", "izhikevich"};
  EXPECT_EQ(nearest_name("iaf_psc_ex", names), "iaf_psc_exp");
  EXPECT_EQ(nearest_name("izhikevitch", names), "izhikevich");
  EXPECT_EQ(nearest_name("hodgkin", names), "");
  EXPECT_EQ(did_you_mean("iaf_psc_alfa", names), " Did you mean 'iaf_psc_alpha'?");
  EXPECT_EQ(did_you_mean("x", {}), "");
}

// A letter in the other case is nearer than another letter, whatever order the names come in.
TEST(Errors, TheCaseOfLettersHardlyCounts) {
  EXPECT_EQ(nearest_name("W", {"g", "w"}), "w");
  EXPECT_EQ(nearest_name("W", {"w", "g"}), "w");
  EXPECT_EQ(nearest_name("SCALE", {"scape", "scale"}), "scale");
  EXPECT_EQ(nearest_name("v_m", {"V_m", "w_m"}), "V_m");
  EXPECT_EQ(nearest_name("tau", {"TAU", "Tau"}), "Tau");  // one letter differs in case, not three
  EXPECT_EQ(nearest_name("XYZ", {"abc"}), "");
}

TEST(RandomStream, UnitsAreUniform) {
  RandomStream stream(RandomKey(1), Purpose::pair, 0, 0);
  std::vector<double> sample;
  for (int i = 0; i < 100000; ++i) sample.push_back(stream.next_unit());
  EXPECT_TRUE(ks_fits(sample, [](double x) { return x; }));
  EXPECT_LT(*std::max_element(sample.begin(), sample.end()), 1.0);
}

TEST(RandomStream, NextBelowIsUniformAndBelow) {
  for (const std::uint32_t n : {1u, 2u, 7u, 100u}) {
    RandomStream stream(RandomKey(1), Purpose::pair, n, 1);
    std::vector<std::uint32_t> values;
    for (int i = 0; i < 50000; ++i) {
      values.push_back(stream.next_below(n));
      ASSERT_LT(values.back(), n);
    }
    EXPECT_TRUE(fits(histogram(values, n), std::vector<double>(n, 50000.0 / n)));
  }
}

// Keys, purposes, entities and both halves of the seed lead to other numbers.
TEST(RandomWords, EveryPartOfTheCounterAndKeyMatters) {
  const RandomWords words = random_words(RandomKey(1), Purpose::pair, 2, 3, 4);
  EXPECT_NE(words, random_words(RandomKey(2), Purpose::pair, 2, 3, 4));
  EXPECT_NE(words, random_words(RandomKey(1 | std::uint64_t{1} << 32), Purpose::pair, 2, 3, 4));
  EXPECT_NE(words, random_words(RandomKey(1), Purpose::synapse, 2, 3, 4));
  EXPECT_NE(words, random_words(RandomKey(1), Purpose::pair, 3, 3, 4));
  EXPECT_NE(words, random_words(RandomKey(1), Purpose::pair, 2, 4, 4));
  EXPECT_NE(words, random_words(RandomKey(1), Purpose::pair, 2, 3, 5));
}

}  // namespace
}  // namespace tessera::test
