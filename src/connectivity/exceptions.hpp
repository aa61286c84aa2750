// What the rows of fixed_indegree must not keep, and what comes in its place: a small table, sorted by source.
// indegree_exceptions.hpp says which they are.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "base/prefetch.hpp"

namespace tessera {

class Exceptions {
 public:
  /// (source, place of a synapse in the source's row), and (source, target).
  using Entry = std::pair<std::uint32_t, std::uint32_t>;

  Exceptions() = default;
  /// Both lists in any order; places are below 2^20, targets too.
  Exceptions(std::vector<Entry> dropped, std::vector<Entry> added, std::uint32_t sources);

  /// Changes a source's row of n targets, which has room for what is added. Returns its new length.
  std::uint32_t apply(std::uint32_t source, std::uint32_t* targets, std::uint32_t n) const;
  /// Calls dropped(place) with the places of a source's row that go, the last one first, then added(target).
  template <class Dropped, class Added>
  void visit(std::uint32_t source, const Dropped& dropped, const Added& added) const {
    if (entries_.empty()) return;
    const std::uint32_t block = source >> block_bits_, wanted = source & ((1u << block_bits_) - 1);
    std::uint32_t at = begin_[block];
    const std::uint32_t end = begin_[block + 1];
    while (at < end && entries_[at] >> (kValueBits + 1) < wanted) ++at;
    for (; at < end && entries_[at] >> (kValueBits + 1) == wanted; ++at) {
      const std::uint32_t value = entries_[at] & (kAdded - 1);
      if ((entries_[at] & kAdded) != 0) {
        added(value);
      } else {
        dropped(value);
      }
    }
  }
  /// Asks memory for where a source's entries begin, and for the entries.
  void prefetch_begin(std::uint32_t source) const {
    if (!entries_.empty()) tessera::prefetch(begin_.data() + (source >> block_bits_));
  }
  void prefetch(std::uint32_t source) const {
    if (!entries_.empty()) tessera::prefetch(entries_.data() + begin_[source >> block_bits_]);
  }
  [[nodiscard]] bool empty() const { return entries_.empty(); }
  /// Most targets that any one row is given.
  [[nodiscard]] std::uint32_t most_added() const { return most_added_; }
  [[nodiscard]] std::size_t bytes() const {
    return entries_.size() * sizeof(entries_[0]) + begin_.size() * sizeof(begin_[0]);
  }

 private:
  // An entry: source inside its block (11 bits), added or dropped (1), target or place (20). Dropped
  // places of a source are in descending order.
  static constexpr std::uint32_t kValueBits = 20;
  static constexpr std::uint32_t kAdded = 1u << kValueBits;
  static constexpr std::uint32_t kMostBlockBits = 31 - kValueBits;
  std::vector<std::uint32_t> begin_;  ///< per block of 2^block_bits_ sources
  std::vector<std::uint32_t> entries_;
  std::uint32_t block_bits_ = 0;
  std::uint32_t most_added_ = 0;
};

}  // namespace tessera
