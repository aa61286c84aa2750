// Rows that are drawn with replacement, group by group, and then put right where a rule has no multapses or
// autapses. (What is put right under fixed_indegree is in indegree_exceptions.hpp.)
//
// The synapses of a row are numbered in the order in which they are drawn. All those whose target an earlier
// one has, or that are the source itself, get another target: each has candidates of its own, drawn evenly,
// and takes the first that nobody has. Group, step and weight stay. Which draws are repeated and which
// candidates are refused depends only on which targets are equal, never on which they are. So the law of the
// row does not change when targets are renamed; any n different targets in any order can be renamed into any
// other, so all are equally likely, and every synapse has a delay and weight of its own.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "connectivity/chunks.hpp"
#include "kernels/draw_rows.hpp"
#include "kernels/row_targets.hpp"

namespace tessera {

/// The draws of one source in one bundle.
struct DrawnRow {
  RowKey key;
  const std::uint32_t* counts = nullptr;  ///< per delay group
  std::uint32_t first_group = 0;
  std::uint32_t slot = 0;                 ///< of the chunk's first neuron
  std::uint32_t slot_mask = 0;            ///< of a packed word
  std::uint32_t chunk_size = 0;
  std::uint32_t self = 0;                 ///< target that is not allowed; chunk_size: all are
  bool distinct = true;                   ///< else only `self` is put right
};

class RepeatedTargets {
 public:
  struct Repeat {
    std::uint32_t at = 0;      ///< which word of the row
    std::uint32_t group = 0;   ///< counted from the row's first one
    std::uint32_t target = 0;  ///< the new one
  };
  /// Those of n words, packed or wide, in ascending order; valid until the next call.
  template <class Word>
  const std::vector<Repeat>& find(const DrawnRow& row, const Word* words, std::uint32_t n) {
    start(row, n);
    const std::uint8_t mark = mark_;
    std::uint8_t* const marks = marks_.data();
    std::uint32_t* const at = at_.data();
    std::uint32_t repeated = 0;
    for (std::uint32_t k = 0; k < n; ++k) {
      const std::uint32_t target = (place(words[k]) & row.slot_mask) - row.slot;
      at[repeated] = k;
      repeated += marks[target] == mark ? 1 : 0;
      if (row.distinct) marks[target] = mark;
    }
    return replace(row, repeated);
  }

 private:
  static std::uint32_t place(std::uint32_t word) { return word; }
  static std::uint32_t place(const WideWord& word) { return word.place; }
  void start(const DrawnRow& row, std::uint32_t n);
  const std::vector<Repeat>& replace(const DrawnRow& row, std::uint32_t n);

  std::vector<std::uint8_t> marks_;  ///< per target: the last call that met it
  std::uint8_t mark_ = 0;
  std::vector<std::uint32_t> at_, index_, candidates_;
  std::vector<Repeat> repeats_;
};

}  // namespace tessera
