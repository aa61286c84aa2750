// What the rows of stubs must not keep, and what comes in its place: a small table, sorted by source.
//
// fixed_indegree without multapses (or without autapses) starts from stubs, each of which has a source
// of its own drawn evenly among all. A stub that repeats a source of its target, or is the target's own,
// is dropped, and its target draws sources until one is new. What is kept and what is drawn depends only
// on which sources are equal, never on which they are, so all sets of sources of a target that can be
// renamed into each other, and these are all sets, are equally likely; and no target knows of another.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

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
  /// Asks memory for where a source's entries begin, and for the entries.
  void prefetch_begin(std::uint32_t source) const {
    if (!entries_.empty()) __builtin_prefetch(begin_.data() + (source >> block_bits_));
  }
  void prefetch(std::uint32_t source) const {
    if (!entries_.empty()) __builtin_prefetch(entries_.data() + begin_[source >> block_bits_]);
  }
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
