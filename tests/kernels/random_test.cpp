// Philox against its published vectors; Poisson counts against the distribution and the reference.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <vector>

#include "kernels/poisson.hpp"
#include "kernels/reference/reference.hpp"
#include "support/forced_target.hpp"
#include "support/goodness_of_fit.hpp"

namespace tessera::test {
namespace {

// Known answers of philox4x32-10 from the Random123 distribution (tests/kat_vectors).
TEST(Philox, GivesTheWordsOfTheKnownAnswerVectors) {
  const RandomKey ones(0xffffffffffffffffull), pi(std::uint64_t{0x299f31d0} << 32 | 0xa4093822u);
  EXPECT_EQ(random_words(RandomKey(0), Purpose{0}, 0, 0, 0),
            (RandomWords{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(random_words(ones, Purpose{0xffffffff}, 0xffffffff, 0xffffffff, 0xffffffff),
            (RandomWords{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(random_words(pi, Purpose{0x03707344}, 0x243f6a88, 0x85a308d3, 0x13198a2e),
            (RandomWords{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(RandomStream, HandsOutTheWordsInOrder) {
  RandomStream stream(RandomKey(5), Purpose::pair, 1, 2);
  for (std::uint32_t index = 0; index < 3; ++index) {
    for (const std::uint32_t word : random_words(RandomKey(5), Purpose::pair, index, 1, 2)) {
      EXPECT_EQ(stream.next(), word);
    }
  }
}

TEST(DrawPoisson, EveryTargetGivesTheReferencesCounts) {
  for (const double mean : {0.0, 0.01, 1.6, 15.0, 40.0, 100.0}) {
    const PoissonTable table(mean);
    for (const std::string& target : simd_targets()) {
      const SimdTarget forced(target);
      for (const std::size_t count : {0u, 1u, 15u, 16u, 17u, 63u, 64u, 65u, 129u, 1000u}) {
        const std::size_t padded = (count + 63) / 64 * 64;
        std::vector<std::int32_t> expected(padded), counts(padded);
        const PoissonStream stream{RandomKey(7), static_cast<std::uint32_t>(Purpose::poisson_input), 9, 11};
        reference::draw_poisson(table, stream, count, expected.data());
        draw_poisson(table, stream, count, counts.data());
        counts.resize(count);
        expected.resize(count);
        EXPECT_EQ(counts, expected) << target << " " << mean << " " << count;
      }
    }
  }
}

TEST(DrawPoisson, CountsFollowThePoissonDistribution) {
  constexpr std::size_t kNeurons = 1000, kSteps = 200;
  for (const double mean : {0.01, 1.6, 15.0, 40.0}) {
    const PoissonTable table(mean);
    std::vector<std::int32_t> all, counts(1024);
    for (std::uint32_t step = 0; step < kSteps; ++step) {
      draw_poisson(table, {RandomKey(3), static_cast<std::uint32_t>(Purpose::poisson_input), 1, step}, kNeurons,
                   counts.data());
      all.insert(all.end(), counts.begin(), counts.begin() + kNeurons);
    }
    const auto bins = static_cast<std::size_t>(mean + 10.0 * std::sqrt(mean) + 5.0);
    EXPECT_TRUE(fits(histogram(all, bins),
                     expectation(static_cast<double>(all.size()), bins, log_poisson(mean)))) << mean;
  }
}

// Neighbours, steps and streams must not share their draws.
TEST(DrawPoisson, NeuronsStepsAndStreamsAreIndependent) {
  const PoissonTable table(1.0);
  constexpr int kSteps = 400;
  std::vector<std::int32_t> a(1024), b(1024), c(1024);
  double neighbours = 0.0, steps = 0.0, streams = 0.0;
  const auto purpose = static_cast<std::uint32_t>(Purpose::poisson_source);
  for (std::uint32_t step = 0; step < kSteps; ++step) {
    draw_poisson(table, {RandomKey(3), purpose, 1, step}, 1000, a.data());
    draw_poisson(table, {RandomKey(3), purpose, 1, step + 1}, 1000, b.data());
    draw_poisson(table, {RandomKey(3), purpose, 2, step}, 1000, c.data());
    for (std::size_t i = 0; i + 1 < 1000; ++i) {
      neighbours += (a[i] - 1) * (a[i + 1] - 1);
      steps += (a[i] - 1) * (b[i] - 1);
      streams += (a[i] - 1) * (c[i] - 1);
    }
  }
  // Products of independent deviations of unit variance: mean 0, variance 1.
  const double limit = kOneInAMillionSd * std::sqrt(999.0 * kSteps);
  EXPECT_LT(std::abs(neighbours), limit);
  EXPECT_LT(std::abs(steps), limit);
  EXPECT_LT(std::abs(streams), limit);
}

}  // namespace
}  // namespace tessera::test
