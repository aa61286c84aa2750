// How ranks on one machine divide its cores.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "comm/core_share.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "base/process_limits.hpp"

namespace tessera {
namespace {

CoreMask cores(std::initializer_list<int> numbers) {
  CoreMask mask{};
  for (const int n : numbers) mask[static_cast<std::size_t>(n / 64)] |= std::uint64_t{1} << (n % 64);
  return mask;
}

TEST(CoreShare, RanksThatAreNotPinnedDivideAllCores) {
  const std::vector<CoreMask> ranks(3, cores({0, 1, 2, 3, 4, 5}));
  for (int r = 0; r < 3; ++r) EXPECT_DOUBLE_EQ(share_of_cores(ranks, r), 2.0);
}

TEST(CoreShare, PinnedRanksKeepTheirCores) {
  const std::vector<CoreMask> ranks{cores({0, 1}), cores({2, 3}), cores({100, 1000, 1023})};
  EXPECT_DOUBLE_EQ(share_of_cores(ranks, 0), 2.0);
  EXPECT_DOUBLE_EQ(share_of_cores(ranks, 1), 2.0);
  EXPECT_DOUBLE_EQ(share_of_cores(ranks, 2), 3.0);
}

// Core 1 is shared by two, core 2 by all three: together the shares are the three cores.
TEST(CoreShare, WhatOverlapsIsDividedCoreByCore) {
  const std::vector<CoreMask> ranks{cores({0, 1, 2}), cores({1, 2}), cores({2})};
  EXPECT_DOUBLE_EQ(share_of_cores(ranks, 0), 1.0 + 1.0 / 2 + 1.0 / 3);
  EXPECT_DOUBLE_EQ(share_of_cores(ranks, 1), 1.0 / 2 + 1.0 / 3);
  EXPECT_DOUBLE_EQ(share_of_cores(ranks, 2), 1.0 / 3);
}

TEST(CoreShare, AProcessAloneHasTheCoresOfItsAffinity) {
  const std::vector<CoreMask> alone{own_core_mask()};
  EXPECT_DOUBLE_EQ(share_of_cores(alone, 0), read_system_limits().cpus);
}

TEST(CoreShare, AnEmptyMaskIsUnknown) { EXPECT_EQ(share_of_cores(std::vector<CoreMask>(2), 1), 0.0); }

// A quota of the control group holds for all ranks in it: half of what it leaves is half of a quota, too.
TEST(CoreShare, LimitsOfTheProcessFollow) {
  const ProcessLimits before = process_limits();
  share_cores(0.5);
  const ProcessLimits half = process_limits();
  share_cores(1.0);
  EXPECT_DOUBLE_EQ(half.cores, before.cores / 2);
  EXPECT_EQ(half.cpus, before.cpus);
  EXPECT_EQ(half.memory_bytes, before.memory_bytes);
  EXPECT_NE(half.cores_source.find("ranks"), std::string::npos);
  EXPECT_DOUBLE_EQ(process_limits().cores, before.cores);
}

}  // namespace
}  // namespace tessera
