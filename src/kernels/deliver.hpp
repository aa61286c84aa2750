// Delivering rows of packed words into a tile's ring of input slots.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace tessera {

/// One delay group of one row: `count` words starting at `words`.
struct RowVisit {
  const std::uint32_t* words;
  std::uint32_t count;
};

/// ring[(word + now) & mask] += weight of the word, for all words of all visits. `now` is the ring slot
/// of the current step, shifted to the step bits of a packed word.
void deliver_rows(const RowVisit* visits, std::size_t n, std::int32_t* ring, std::uint32_t now);

}  // namespace tessera
