// The weight map against its equations in float64.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "substrate/weight_map.hpp"

namespace tessera::substrate {
namespace {

// The equation of weight_map.hpp, as it reads.
double rolled_off(double w, double cap, double roll_off) {
  const double s = std::abs(w), b = roll_off * cap;
  if (s <= b) return s;
  return roll_off == 1.0 ? cap : cap - (cap - b) * std::exp(-(s - b) / (cap - b));
}

std::vector<float> sweep() {
  std::vector<float> w;
  for (int k = -4000; k <= 4000; ++k) w.push_back(static_cast<float>(k) * 0.000731F);
  return w;
}

TEST(WeightMap, RollsOffAsTheEquationSays) {
  for (const double roll_off : {0.0, 0.4, 1.0}) {
    WeightMap map;
    map.cap = 0.9F;
    map.roll_off = static_cast<float>(roll_off);
    const std::vector<float> w = sweep();
    std::vector<float> mapped(w.size()), slope(w.size());
    map.apply(w.data(), w.size(), mapped.data(), slope.data());
    for (std::size_t i = 0; i < w.size(); ++i) {
      const double r = rolled_off(w[i], map.cap, map.roll_off);
      EXPECT_NEAR(mapped[i], std::copysign(r, w[i]), 1e-6) << w[i];
      // dr/ds = exp(-(s - b) / (cap - b)) = 1 - (r - b) / (cap - b) beyond the beginning; 1 below it and for a hard limit
      const double b = static_cast<double>(map.roll_off) * map.cap;
      const double expected = std::abs(w[i]) <= b || roll_off == 1.0 ? 1.0 : 1.0 - (r - b) / (map.cap - b);
      EXPECT_NEAR(slope[i], expected, 2e-6) << w[i];
    }
  }
}

// r / step is compared with the nearest whole number; within 1e-4 of a half float32 may choose either.
TEST(WeightMap, TakesWholeSteps) {
  for (const double roll_off : {0.0, 1.0}) {
    WeightMap map{0.9F, 63, static_cast<float>(roll_off)};
    const std::vector<float> w = sweep();
    std::vector<float> mapped(w.size());
    map.apply(w.data(), w.size(), mapped.data(), nullptr);
    for (std::size_t i = 0; i < w.size(); ++i) {
      const double exact = rolled_off(w[i], map.cap, map.roll_off) / (static_cast<double>(map.cap) / 63);
      const double steps = std::abs(mapped[i]) / (static_cast<double>(map.cap) / 63);
      EXPECT_NEAR(steps, std::round(steps), 1e-4);
      EXPECT_LE(std::abs(steps - exact), 0.5 + 1e-4) << w[i];
      EXPECT_EQ(std::signbit(mapped[i]), std::signbit(w[i]));
    }
  }
}

// Largest error of a quantised weight inside the limit: half a step. With 63 steps that is cap / 126.
TEST(WeightMap, ErrsByHalfAStepAtMost) {
  const WeightMap map{1.0F, 63, 1.0F};
  double largest = 0.0;
  for (int k = 0; k <= 10'000; ++k) {
    const float w = static_cast<float>(k) * 1e-4F;
    float mapped = 0.0F;
    map.apply(&w, 1, &mapped, nullptr);
    largest = std::max(largest, std::abs(static_cast<double>(w) - mapped));
  }
  EXPECT_LE(largest, 1.0 / 126 + 1e-6);
  EXPECT_GT(largest, 1.0 / 126 - 2e-4);
}

TEST(WeightMap, WithoutALimitNothingChanges) {
  const WeightMap map;
  const float w[3] = {-3.25F, 1e-9F, 7e8F};
  float mapped[3], slope[3];
  map.apply(w, 3, mapped, slope);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(mapped[i], w[i]);
    EXPECT_EQ(slope[i], 1.0F);
  }
}

// 63 steps of a cap of 2.1 (fastAndDeep's limits): 1 is 30 steps, a factor of 1.5 makes 45 of them, and 3 is too much.
TEST(WeightMap, NumbersOnTheChip) {
  const WeightMap map{2.1F, 63, 1.0F};
  EXPECT_EQ(map.chip_weight(1.0F), 30);
  EXPECT_EQ(map.chip_weight(-1.0F), -30);
  EXPECT_EQ(map.chip_weight(1.0F, 1.5F), 45);
  EXPECT_EQ(map.chip_weight(3.0F), 63);
  EXPECT_EQ(map.chip_weight(-3.0F), -63);
  EXPECT_EQ(map.chip_weight(0.0F), 0);
}

// Many weights at once against one at a time, also where single precision would round a weight to the other side: a factor
// of 1 / (2 k) puts whole weight k on a half.
TEST(WeightMap, WholeWeightsGoToTheChipAsOneDoes) {
  for (const std::uint32_t steps : {1U, 63U, 127U, 5000U}) {
    WeightMap map;
    map.cap = 0.7F;
    map.steps = steps;
    std::vector<float> whole;
    for (std::uint32_t k = 0; k <= steps; ++k) {
      whole.push_back(static_cast<float>(k) * map.step());
      whole.push_back(-static_cast<float>(k) * map.step());
    }
    for (const float factor : {1.0F, 0.5F, 1.0F / 126.0F, 1.0F / 6.0F, 0.9137F, 1.1F, 40.0F, std::nextafter(0.5F, 0.0F), std::nextafter(0.5F, 1.0F)}) {
      std::vector<float> many = whole;
      map.to_chip(factor, many.size(), many.data());
      for (std::size_t i = 0; i < whole.size(); ++i) {
        ASSERT_EQ(many[i], static_cast<float>(map.chip_weight(whole[i], factor)) * map.step()) << steps << " " << factor << " " << i;
      }
    }
  }
}

}  // namespace
}  // namespace tessera::substrate
