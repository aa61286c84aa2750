// The targets of a source's row, many at a time, and the packed words that targets become. Every rule
// that draws its rows whole (docs/design.md, section 4) is made of these.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/random.hpp"

namespace tessera {

/// Kernels write whole vectors: every array they write into has room for this many more entries.
inline constexpr std::size_t kRowPadding = 64;

/// The row of one source in one bundle. Of every purpose, item k of a row takes word (k % 64) / 16 of
/// Philox block 16 (k / 64) + k % 16, so that neighbouring items lie in neighbouring lanes.
struct RowKey {
  RandomKey key;
  std::uint32_t source = 0;
  std::uint32_t stream = 0;  ///< key of the bundle
};
inline constexpr std::uint32_t kRowBlock = 64;

/// Items [kRowBlock * first_block, kRowBlock * (first_block + blocks)): places drawn evenly among the
/// `open` ones of a chunk, those from `self` on moved up by one. Places are the integer part of draw x
/// open, so that the chance of two places differs by open / 2^32 at most.
void draw_places(const RowKey& row, std::uint32_t first_block, std::uint32_t blocks,
                 std::uint32_t open, std::uint32_t self, std::uint32_t* places);

/// The Philox blocks of a row with these counters: word w of block i is words[4 * i + w]. `index` can be read
/// and `words` written for kRowPadding blocks more. A later `round` has other blocks (below 2^24).
void draw_blocks(const RowKey& row, Purpose purpose, std::uint32_t round, const std::uint32_t* index, std::size_t n,
                 std::uint32_t* words);

/// A pseudo-random permutation of the stubs 0 .. stubs-1 of a chunk, `per_target` to a target. A stub
/// is x + columns * y; rounds add a keyed function of y to x (modulo columns) and of x to y (modulo
/// rows) in turn. What leaves the stubs (there are fewer than `columns` such places) goes through once
/// more. Few stubs are shuffled outright: then `shuffled` holds the target of every one.
struct StubPermutation {
  static constexpr std::uint32_t kMostRounds = 8;
  static constexpr std::uint32_t kMostShuffled = 1024;
  std::uint32_t stubs = 0;
  std::uint32_t per_target = 1;
  std::uint32_t columns = 1, rows = 1;  ///< at least 32 and at most 65,536 each
  std::uint32_t rounds = kMostRounds;   ///< even
  std::array<std::uint32_t, kMostRounds> keys{};
  const std::uint16_t* shuffled = nullptr;
};
/// Targets of the stubs that the permutation gives to draws [first, first + n), all below `stubs`.
void stub_targets(const StubPermutation& permutation, std::uint32_t first, std::uint32_t n,
                  std::uint32_t* targets);
/// The same of any draws below `stubs`; kRowPadding more can be read.
void stub_targets_of(const StubPermutation& permutation, const std::uint32_t* draws, std::uint32_t n, std::uint32_t* targets);

/// Some rows of a grid of targets, some columns of it, and all pairs of a source with a target in both. The
/// chance of a pair is the product of its row's and its column's.
struct PairBox {
  const std::uint32_t* columns = nullptr;  ///< places in a row; kRowPadding more can be read, of their chances too
  const float* chances = nullptr;          ///< 0 .. 1
  std::uint32_t n = 0;
  const std::uint32_t* rows = nullptr;
  const float* row_chances = nullptr;      ///< 0 .. 1
  std::uint32_t n_rows = 0;
  double scale = 0.0;                      ///< a factor of all chances, 0 .. 1
  std::uint32_t width = 0, first = 0;      ///< place c of row r is target width r + c - first
  std::uint32_t targets = 0;               ///< others are not kept,
  std::uint32_t self = 0;                  ///< nor is this one
};
/// Keeps every pair whose number of 64 bits is below its chance, row by row. Column j of row r is pair k = n r + j. Its
/// leading 16 bits are half k % 2 (the lower one first) of word (k % 128) / 32 of Philox block 16 (k / 128) + k % 32 / 2
/// of purpose `pair`, the others the leading ones of block k of its next round. `kept` has room for n_rows x n +
/// kRowPadding targets; returns how many were kept.
std::size_t keep_pairs(const RowKey& row, const PairBox& box, std::uint32_t* kept);

/// What a bundle's targets become. Synapse k of a row looks its weight up by the leading ten bits of its
/// word of purpose `synapse` and its step inside the delay group by the next ten; its delay group by the
/// leading sixteen of its word of purpose `delay_split`. What is constant is not drawn.
struct RowValues {
  const std::int32_t* weights = nullptr;   ///< 1024 of them, in units; null: all have `weight`
  std::int32_t weight = 0;
  bool entries = false;  ///< words hold the index of a drawn weight instead of the weight
  std::uint32_t positive_slot = 0, negative_slot = 0;  ///< of the chunk's first neuron, by sign of weight
  const std::int32_t* thresholds = nullptr;  ///< of the groups, padded as padded_groups() says
  std::uint32_t groups = 1;
  const std::int32_t* codes = nullptr;       ///< per group, as DrawQueue::steps; null: all at `step_place`
  const std::int32_t* steps = nullptr;       ///< as DrawTables::steps
  std::uint32_t step_place = 0;
};
/// Entries that RowValues::thresholds has: groups - 1 thresholds, and numbers above 65,535 behind them.
[[nodiscard]] std::size_t padded_groups(std::size_t groups);

/// Packed words of n targets; `group_of` receives their delay groups, counted from the first one.
void pack_row(const RowValues& values, const RowKey& row, const std::uint32_t* targets, std::size_t n,
              std::uint32_t* words, std::uint16_t* group_of);

}  // namespace tessera
