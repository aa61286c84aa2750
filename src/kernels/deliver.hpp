// Delivering rows of packed words into a tile's ring of input slots.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/draw_rows.hpp"

namespace tessera {

/// One delay group of one row: `count` words starting at `words`.
template <class Word>
struct VisitOf {
  const Word* words;
  std::uint32_t count;
};
using RowVisit = VisitOf<std::uint32_t>;
using WideRowVisit = VisitOf<WideWord>;

/// ring[(word + now) & mask] += weight of the word, for all words of all visits. `now` is the ring slot
/// of the current step, shifted to the step bits of a packed word.
void deliver_rows(const RowVisit* visits, std::size_t n, std::int32_t* ring, std::uint32_t now);

/// The same for wide words.
void deliver_rows(const WideRowVisit* visits, std::size_t n, std::int32_t* ring, std::uint32_t now);

}  // namespace tessera
