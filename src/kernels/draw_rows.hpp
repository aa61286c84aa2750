// Drawing rows of synapses as packed words: the kernel behind stored and procedural connectivity.
//
// A packed word is one synapse: slot in the tile and step inside its delay group (18 bits, divided as
// RingShape says), weight in units of the target population (14 bits, signed).
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/random.hpp"
#include "kernels/ring_shape.hpp"

namespace tessera {

inline constexpr std::uint32_t kWeightShift = RingShape::kPlaceBits;
inline constexpr std::uint32_t kRingMask = RingShape::kPlaces - 1;
inline constexpr std::int32_t kLargestUnits = (1 << (31 - kWeightShift)) - 1;  // 8191

[[nodiscard]] inline std::uint32_t packed_word(std::uint32_t slot, std::uint32_t step_place,
                                               std::int32_t weight_units) {
  return slot | step_place | static_cast<std::uint32_t>(weight_units) << kWeightShift;
}

/// A synapse whose weight needs more than the 14 bits of a packed word: slot and step as there, weight
/// in units.
struct WideWord {
  std::uint32_t place;
  std::int32_t weight;
};

/// Entries of all weight tables together that draw_and_deliver can tell apart by the weight bits.
inline constexpr std::uint32_t kMostWeightEntries = 1u << (32 - kWeightShift);

/// What one source population sends into one tile, a column per bundle. Arrays of `bundles` entries
/// with kBundlePadding more behind them.
inline constexpr std::size_t kBundlePadding = 16;
struct DrawStreams {
  std::size_t bundles = 0;
  const std::uint32_t* stream = nullptr;  ///< key of the bundle | weight table << kTableShift
  const std::uint32_t* place = nullptr;   ///< first slot | chunk size << 16
};
inline constexpr std::uint32_t kTableShift = 28;

/// Philox blocks waiting to be drawn, four synapses each, from any mixture of sources and bundles.
struct DrawQueue {
  static constexpr std::size_t kCapacity = 512;
  static constexpr std::size_t kSlack = 64;
  static constexpr std::uint32_t kLeftShift = 30;
  static constexpr std::uint32_t kLargestCount = 4 * kCapacity;
  alignas(64) std::uint32_t index[kCapacity + kSlack];  ///< counter | (synapses - 1) << kLeftShift
  alignas(64) std::uint32_t source[kCapacity + kSlack];
  alignas(64) std::uint32_t stream[kCapacity + kSlack];
  alignas(64) std::uint32_t place[kCapacity + kSlack];
  /// Three 10-bit thresholds, or where a step table begins.
  alignas(64) std::uint32_t steps[kCapacity + kSlack];
  std::size_t size = 0;
};

/// What draws look up.
struct DrawTables {
  const std::int32_t* weights = nullptr;  ///< at most kMostWeightEntries of them
  /// Step tables of 1024 draws, step << slot_bits of the ring; without, the queue holds thresholds for
  /// a ring of four steps.
  const std::int32_t* steps = nullptr;
};

/// Appends counts[b] synapses per bundle of one source and delay group; `steps` has what the queue keeps
/// of the group's steps per bundle (both padded like DrawStreams). Returns the first bundle that no
/// longer fits: draw, clear, call again. One bundle's count must not exceed kLargestCount.
template <class Count>
std::size_t enqueue(DrawQueue& queue, const DrawStreams& streams, std::size_t first_bundle,
                    const Count* counts, const std::uint32_t* steps, std::uint32_t source,
                    std::uint32_t group);

/// One source and bundle with all its delay groups, group after group.
struct GroupedRow {
  std::uint32_t source = 0, stream = 0, place = 0;  ///< as in DrawQueue
  std::uint32_t first_group = 0, groups = 1;
  const std::uint32_t* counts = nullptr;  ///< per group, at most kLargestCount each
  const std::int32_t* codes = nullptr;    ///< per group, as DrawQueue::steps
};
/// Appends the row from group `first` on (counted from its first group). Returns the first group that no
/// longer fits.
std::uint32_t enqueue_groups(DrawQueue& queue, const GroupedRow& row, std::uint32_t first);

/// Draws everything in the queue as packed words; `out` needs room for 4 * size + 64 words. Returns
/// how many were written.
std::size_t draw_words(const DrawQueue& queue, RandomKey key, const DrawTables& tables,
                       std::uint32_t* out);

/// The same as wide words.
std::size_t draw_words(const DrawQueue& queue, RandomKey key, const DrawTables& tables, WideWord* out);

/// The same with the index of the weight, a number below kMostWeightEntries, in place of the weight.
std::size_t draw_entries(const DrawQueue& queue, RandomKey key, const DrawTables& tables,
                         std::uint32_t* out);

/// The same one block after the other, each with its words in order. (draw_words() takes a vector of blocks at
/// a time, the first word of each, then the second.)
std::size_t draw_words_in_order(const DrawQueue& queue, RandomKey key, const DrawTables& tables, std::uint32_t* out);
std::size_t draw_words_in_order(const DrawQueue& queue, RandomKey key, const DrawTables& tables, WideWord* out);
std::size_t draw_entries_in_order(const DrawQueue& queue, RandomKey key, const DrawTables& tables, std::uint32_t* out);

/// What draw_words() gives, added to the ring at once instead of written; `now` is the ring's row of the present step.
/// Weights may be as large as 31 bits hold. Returns the number of synapses.
std::size_t draw_and_deliver(const DrawQueue& queue, RandomKey key, const DrawTables& tables,
                             std::int32_t* ring, std::uint32_t now);

}  // namespace tessera
