// Poisson input added to a ring is the drawn counts times the weight, on every instruction set.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <vector>

#include "kernels/poisson.hpp"
#include "support/forced_target.hpp"

namespace tessera::test {
namespace {

TEST(PoissonInput, AddsCountsTimesWeight) {
  const PoissonTable table(1.7);
  const PoissonStream stream{RandomKey(5), static_cast<std::uint32_t>(Purpose::poisson_input), 3, 11};
  for (const std::string& name : simd_targets()) {
    SCOPED_TRACE(name);
    const SimdTarget forced(name);
    for (const std::size_t count : {std::size_t{1}, std::size_t{63}, std::size_t{64}, std::size_t{200}}) {
      const std::size_t padded = (count + 63) / 64 * 64;
      std::vector<std::int32_t> counts(padded), input(padded + 16, 1000);
      draw_poisson(table, stream, count, counts.data());
      add_poisson(table, stream, count, -7, input.data());
      for (std::size_t i = 0; i < count; ++i) EXPECT_EQ(input[i], 1000 - 7 * counts[i]) << i;
      for (std::size_t i = padded; i < input.size(); ++i) EXPECT_EQ(input[i], 1000) << i;  // untouched
    }
  }
}

}  // namespace
}  // namespace tessera::test
