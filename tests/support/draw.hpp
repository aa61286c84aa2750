// Random choices for tests that draw what they test.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/random.hpp"

namespace tessera::test {

class Draw {
 public:
  explicit Draw(std::uint32_t seed, std::uint32_t stream = 0)
      : stream_(RandomKey(seed), Purpose::pair, stream, 0) {}
  std::uint32_t below(std::uint32_t n) { return stream_.next_below(n); }
  bool one_in(std::uint32_t n) { return below(n) == 0; }
  double between(double low, double high) { return low + (high - low) * stream_.next_unit(); }

 private:
  RandomStream stream_;
};

}  // namespace tessera::test
