// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "connectivity/keyed_permutation.hpp"

#include <bit>
#include <utility>

namespace tessera {
namespace {

// A well-mixing 32-bit finaliser (constants of Wellons' low-bias hash).
std::uint32_t mixed(std::uint32_t x) {
  x = (x ^ (x >> 16)) * 0x7feb352du;
  x = (x ^ (x >> 15)) * 0x846ca68bu;
  return x ^ (x >> 16);
}

}  // namespace

KeyedPermutation::KeyedPermutation(std::uint32_t size, RandomKey key, std::uint32_t a,
                                   std::uint32_t b)
    : size_(size) {
  RandomStream stream(key, Purpose::permutation, a, b);
  if (size <= kShuffled) {
    for (std::uint32_t i = 0; i < size; ++i) {
      table_[i] = static_cast<std::uint8_t>(i);
      std::swap(table_[i], table_[stream.next_below(i + 1)]);
    }
    return;
  }
  const auto bits = static_cast<std::uint32_t>(std::bit_width(size - 1));
  low_bits_ = bits / 2;
  low_mask_ = (1u << low_bits_) - 1;
  high_mask_ = (1u << (bits - low_bits_)) - 1;
  for (std::uint32_t& round_key : keys_) round_key = stream.next();
}

std::uint32_t KeyedPermutation::operator()(std::uint32_t index) const {
  if (size_ <= kShuffled) return table_[index];
  do {
    std::uint32_t low = index & low_mask_;
    std::uint32_t high = index >> low_bits_;
    for (int round = 0; round < kRounds; round += 2) {
      high ^= mixed(low ^ keys_[round]) & high_mask_;
      low ^= mixed(high ^ keys_[round + 1]) & low_mask_;
    }
    index = high << low_bits_ | low;
  } while (index >= size_);
  return index;
}

}  // namespace tessera
