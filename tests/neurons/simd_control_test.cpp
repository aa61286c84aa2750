// Looking at and forcing the instruction set.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "tessera/simd_control.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "neurons/block.hpp"
#include "tessera/errors.hpp"

namespace tessera::test {
namespace {

TEST(SimdControl, EveryListedTargetCanBeForcedAndAutoRestoresTheBest) {
  const std::vector<std::string> targets = simd_targets();
  ASSERT_GE(targets.size(), 2u);  // a vector target and the scalar one
  EXPECT_EQ(targets.back(), "scalar");
  EXPECT_EQ(std::count(targets.begin(), targets.end(), "scalar"), 1);
  EXPECT_EQ(simd_target(), targets.front());
  for (const std::string& target : targets) {
    const ForcedTarget forced(target);
    EXPECT_EQ(simd_target(), target);
    EXPECT_EQ(scalar_kernels_forced(), target == "scalar");
    EXPECT_EQ(simd_targets(), targets);  // forcing does not shorten the list
  }
  EXPECT_EQ(simd_target(), targets.front());
  EXPECT_FALSE(scalar_kernels_forced());
}

TEST(SimdControl, UnknownTargetNamesThePossibleOnes) {
  try {
    force_simd_target("scalr");
    FAIL() << "accepted";
  } catch (const InputError& error) {
    const std::string sentence = error.what();
    EXPECT_NE(sentence.find("'scalr'"), std::string::npos);
    EXPECT_NE(sentence.find("auto"), std::string::npos);
    EXPECT_NE(sentence.find("Did you mean 'scalar'?"), std::string::npos);
  }
  EXPECT_EQ(simd_target(), simd_targets().front());
}

}  // namespace
}  // namespace tessera::test
