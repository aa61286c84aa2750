// Spikes in flight as cursors that walk down their rows, one delay group after the other.
//
// Row format: blocks of [header][words], a block per delay group that is not empty, in ascending order.
// A word is a packed one or, where weights are large, a wide one; a header takes the place of a word.
// Header: count (20 bits), delay group (11 bits), last block (top bit). A spike of step e delivers the
// block of group g at step e + 1 + g * (steps of the ring).
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "connectivity/value_tables.hpp"
#include "kernels/deliver.hpp"

namespace tessera {

/// The step before the first: spikes at time 0 end it.
inline constexpr std::int64_t kFirstSpikeStep = -1;

namespace row_header {
inline constexpr std::uint32_t kCountBits = 20;
inline constexpr std::uint32_t kLargestCount = (1u << kCountBits) - 1;
inline constexpr std::uint32_t kLast = 1u << 31;
[[nodiscard]] inline std::uint32_t make(std::uint32_t count, std::uint32_t group) {
  return count | group << kCountBits;
}
[[nodiscard]] inline std::uint32_t count(std::uint32_t header) { return header & kLargestCount; }
[[nodiscard]] inline std::uint32_t group(std::uint32_t header) {
  return (header & ~kLast) >> kCountBits;
}
/// The header that a row keeps in place of a word.
[[nodiscard]] inline std::uint32_t& in(std::uint32_t& word) { return word; }
[[nodiscard]] inline std::uint32_t in(const std::uint32_t& word) { return word; }
[[nodiscard]] inline std::uint32_t& in(WideWord& word) { return word.place; }
[[nodiscard]] inline std::uint32_t in(const WideWord& word) { return word.place; }
}  // namespace row_header

/// Slots of step-indexed rings: a power of two above `steps`.
[[nodiscard]] std::uint32_t history_slots(std::uint32_t steps);

/// The cursors of one tile. `Base` maps a spike's step to the words its cursors count from.
class InFlight {
 public:
  struct Cursor {
    std::uint32_t words;   ///< first word of the next block
    std::uint32_t header;  ///< of the next block
  };

  InFlight(RingShape shape, std::uint32_t max_delay_steps, std::uint32_t exchange_steps);

  std::vector<Cursor>& of_step(std::int64_t step) { return steps_[static_cast<std::size_t>(step) & mask_]; }

  /// Collects the visits due at `step` from the spikes of all earlier steps.
  template <class Base, class Word>
  void collect(std::int64_t step, const Base& base, std::vector<VisitOf<Word>>& visits) {
    visits.clear();
    for_each_due(step, [&](std::int64_t spike_step, std::uint32_t group, std::vector<Cursor>& cursors) {
      const Word* words = base(spike_step);
      for (const Cursor& c : cursors) {
        if (row_header::group(c.header) == group) {
          visits.push_back({words + c.words, row_header::count(c.header)});
        }
      }
    });
  }

  /// Moves the cursors that collect() found on to their next block; finished ones are dropped.
  template <class Base>
  void advance(std::int64_t step, const Base& base) {
    for_each_due(step, [&](std::int64_t spike_step, std::uint32_t group, std::vector<Cursor>&) {
      advance_group(spike_step, group, base(spike_step));
    });
  }

  /// Drops what the spikes of `spike_step` have delivered before `step` (after a checkpoint).
  template <class Base>
  void skip_delivered(std::int64_t spike_step, std::int64_t step, const Base& base) {
    for (std::int64_t t = spike_step + 1; t < step; t += group_steps_) {
      const auto group = static_cast<std::uint32_t>((t - spike_step - 1) / group_steps_);
      advance_group(spike_step, group, base(spike_step));
    }
  }

 private:
  template <class Visit>
  void for_each_due(std::int64_t step, const Visit& visit) {
    for (std::uint32_t group = 0; group < groups_; ++group) {
      const std::int64_t spike_step = step - 1 - group * group_steps_;
      if (spike_step < kFirstSpikeStep) break;
      std::vector<Cursor>& cursors = of_step(spike_step);
      if (!cursors.empty()) visit(spike_step, group, cursors);
    }
  }

  template <class Word>
  void advance_group(std::int64_t spike_step, std::uint32_t group, const Word* words) {
    std::vector<Cursor>& cursors = of_step(spike_step);
    std::size_t kept = 0;
    for (Cursor c : cursors) {
      if (row_header::group(c.header) == group) {
        if ((c.header & row_header::kLast) != 0) continue;
        c.words += row_header::count(c.header);
        c.header = row_header::in(words[c.words++]);
      }
      cursors[kept++] = c;
    }
    cursors.resize(kept);
  }

  std::int64_t group_steps_;
  std::uint32_t groups_;
  std::uint32_t mask_;
  std::vector<std::vector<Cursor>> steps_;
};

}  // namespace tessera
