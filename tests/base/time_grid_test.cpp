// Times on the grid of steps.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "base/time_grid.hpp"

#include <gtest/gtest.h>

namespace tessera {
namespace {

// All multiples of a hundredth of a step: integers say where they belong, half way to the later step.
TEST(TimeGrid, DecimalTimesGoToTheNearestStepHalfWayToTheLater) {
  for (std::int64_t hundredths = 0; hundredths < 300000; ++hundredths) {
    ASSERT_EQ(nearest_step(static_cast<double>(hundredths) * 0.001, 0.1), (hundredths + 50) / 100);
    ASSERT_EQ(nearest_step(static_cast<double>(hundredths) / 800.0, 0.125), (hundredths + 50) / 100);
  }
}

TEST(TimeGrid, HowATimeWasComputedDoesNotMatter) {
  EXPECT_EQ(nearest_step(0.35, 0.1), 4);  // 0.35 / 0.1 is a little less than 3.5
  EXPECT_EQ(nearest_step(0.1 + 0.25, 0.1), 4);
  double sum = 0.0;
  for (int k = 0; k < 100000; ++k, sum += 0.05) {
    ASSERT_EQ(nearest_step(0.05 * k, 0.1), (k + 1) / 2);
    ASSERT_EQ(nearest_step(sum, 0.1), (k + 1) / 2) << k;
  }
}

TEST(TimeGrid, WhatNoSimulationReachesIsForEver) {
  EXPECT_EQ(nearest_step(std::numeric_limits<double>::infinity(), 0.1), kForever);
  EXPECT_EQ(nearest_step(1e300, 0.1), kForever);
  EXPECT_EQ(step_window(3.0, std::numeric_limits<double>::infinity(), 0.1).end, kForever);
  EXPECT_EQ(nearest_step(4294967295.0 * 0.1, 0.1), 4294967295);
}

// Windows that touch in time touch in steps, whatever their length.
TEST(TimeGrid, WindowsThatTouchTouch) {
  for (const double length : {0.03, 0.1, 0.25, 1.04, 33.33}) {
    for (int k = 0; k < 20000; ++k) {
      ASSERT_EQ(step_window(k * length, length, 0.1).end, step_window((k + 1) * length, length, 0.1).begin)
          << k << " of " << length;
    }
  }
}

}  // namespace
}  // namespace tessera
