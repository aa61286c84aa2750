// Windows of a convolution on every instruction set: the reference, and one by hand.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "kernels/windows.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "base/random.hpp"
#include "kernels/reference/training.hpp"
#include "support/forced_target.hpp"

namespace tessera::test {
namespace {

using Floats = std::vector<float>;

Floats drawn(std::size_t n, std::uint32_t salt) {
  RandomStream stream(RandomKey(3), Purpose::pair, salt, 0);
  Floats values(n);
  for (float& x : values) x = static_cast<float>(stream.next_unit()) - 0.5f;
  return values;
}

// Two windows of three filters: rows are padded with zeros, neurons are not.
TEST(Windows, ByHand) {
  const std::vector<Window> windows = {{0, 0}, {6, 16}};
  Floats weights(32, 0.0f);
  for (int f = 0; f < 3; ++f) weights[f] = 1.0f + f, weights[16 + f] = 10.0f * (1 + f);
  for (const std::string& target : simd_targets()) {
    const SimdTarget forced(target);
    Floats current(9 + 16, 0.0f);
    add_windows(weights.data(), 3, windows.data(), 2, 0.5f, current.data());
    const Floats wanted = {0.5f, 1.0f, 1.5f, 0, 0, 0, 5.0f, 10.0f, 15.0f};
    EXPECT_EQ(Floats(current.begin(), current.begin() + 9), wanted) << target;

    Floats g(9 + 16, 7.0f);  // 7 belongs to others
    for (int f = 0; f < 3; ++f) g[f] = 1.0f, g[6 + f] = 2.0f;
    EXPECT_EQ(window_dots(weights.data(), 3, windows.data(), 2, g.data()), 6.0f + 120.0f) << target;
    Floats gradient(32, 0.0f);
    window_gradients(gradient.data(), 3, windows.data(), 2, 0.5f, g.data());
    for (int k = 0; k < 32; ++k) {
      const float expected = k < 3 ? 0.5f : k >= 16 && k < 19 ? 1.0f : 0.0f;
      EXPECT_EQ(gradient[k], expected) << target << ' ' << k;
    }
  }
}

TEST(Windows, EqualTheReferenceForEveryNumberOfFilters) {
  for (const std::uint32_t filters : {1u, 4u, 5u, 12u, 16u, 17u, 32u, 40u}) {
    const std::uint32_t stride = (filters + 15) / 16 * 16, pixels = 20, rows = 9;
    Floats weights(std::size_t{rows} * stride, 0.0f);
    const Floats some = drawn(weights.size(), filters);
    for (std::uint32_t k = 0; k < weights.size(); ++k) {
      if (k % stride < filters) weights[k] = some[k];
    }
    std::vector<Window> windows;
    for (std::uint32_t k = 0; k < rows; ++k)
      windows.push_back({(3 * k + 1) % pixels * filters, k * stride});
    const Floats g = drawn(std::size_t{pixels} * filters + 16, 100 + filters);
    Floats current = g, gradient(weights.size(), 0.0f);
    reference::add_windows(weights.data(), filters, windows.data(), rows, 0.25f, current.data());
    reference::window_gradients(gradient.data(), filters, windows.data(), rows, 0.25f, g.data());
    const float dot =
        reference::window_dots(weights.data(), filters, windows.data(), rows, g.data());
    for (const std::string& target : simd_targets()) {
      const SimdTarget forced(target);
      Floats found = g, found_gradient(weights.size(), 0.0f);
      add_windows(weights.data(), filters, windows.data(), rows, 0.25f, found.data());
      window_gradients(found_gradient.data(), filters, windows.data(), rows, 0.25f, g.data());
      EXPECT_EQ(found, current) << target << ' ' << filters;
      EXPECT_EQ(found_gradient, gradient) << target << ' ' << filters;
      // A sum of up to 360 products below 1/4 in another order.
      EXPECT_NEAR(window_dots(weights.data(), filters, windows.data(), rows, g.data()), dot, 1e-5f)
          << target;
    }
  }
}

}  // namespace
}  // namespace tessera::test
