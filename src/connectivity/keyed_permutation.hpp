// A pseudo-random permutation of 0 .. size-1 given by a key, evaluated one element at a time.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>

#include "base/random.hpp"

namespace tessera {

/// Small domains are shuffled outright; larger ones go through an alternating Feistel network on
/// ceil(log2(size)) bits with cycle walking, so every value below `size` comes exactly once.
class KeyedPermutation {
 public:
  KeyedPermutation(std::uint32_t size, RandomKey key, std::uint32_t a, std::uint32_t b);
  [[nodiscard]] std::uint32_t operator()(std::uint32_t index) const;

 private:
  static constexpr std::uint32_t kShuffled = 32;
  static constexpr int kRounds = 8;
  std::uint32_t size_;
  std::uint32_t low_bits_ = 0;
  std::uint32_t low_mask_ = 0;
  std::uint32_t high_mask_ = 0;
  std::array<std::uint32_t, kRounds> keys_{};
  std::array<std::uint8_t, kShuffled> table_{};
};

}  // namespace tessera
