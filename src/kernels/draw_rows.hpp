// Drawing rows of synapses as packed words: the kernel behind stored and procedural connectivity.
//
// A packed word is one synapse: slot in the tile (16 bits), step inside its delay group (2 bits), weight
// in units of the target population (14 bits, signed).
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/random.hpp"

namespace tessera {

inline constexpr std::uint32_t kSlotBits = 16;
inline constexpr std::uint32_t kStepBits = 2;
inline constexpr std::uint32_t kWeightShift = kSlotBits + kStepBits;
inline constexpr std::uint32_t kRingSlots = 1u << kStepBits;
inline constexpr std::uint32_t kRingMask = (kRingSlots << kSlotBits) - 1;
inline constexpr std::int32_t kLargestUnits = (1 << (31 - kWeightShift)) - 1;  // 8191

[[nodiscard]] inline std::uint32_t packed_word(std::uint32_t slot, std::uint32_t step,
                                               std::int32_t weight_units) {
  return slot | step << kSlotBits | static_cast<std::uint32_t>(weight_units) << kWeightShift;
}

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
  alignas(64) std::uint32_t steps[kCapacity + kSlack];  ///< three 10-bit thresholds
  std::size_t size = 0;
};

/// Appends counts[b] synapses per bundle of one source and delay group; `steps` has the group's step
/// thresholds per bundle (both padded like DrawStreams). Returns the first bundle that no longer fits: draw, clear, call again. One
/// bundle's count must not exceed kLargestCount.
template <class Count>
std::size_t enqueue(DrawQueue& queue, const DrawStreams& streams, std::size_t first_bundle,
                    const Count* counts, const std::uint32_t* steps, std::uint32_t source,
                    std::uint32_t group);

/// Draws everything in the queue as packed words; `out` needs room for 4 * size + 64 words. Returns
/// how many were written.
std::size_t draw_words(const DrawQueue& queue, RandomKey key, const std::int32_t* weights,
                       std::uint32_t* out);

/// The same, added to the ring at once instead of written. Returns the number of synapses. `weights`
/// has at most kMostWeightEntries entries.
std::size_t draw_and_deliver(const DrawQueue& queue, RandomKey key, const std::int32_t* weights,
                             std::int32_t* ring, std::uint32_t now);

}  // namespace tessera
