// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "kernels/draw_rows.hpp"
#include "kernels/reference/reference.hpp"

namespace tessera::reference {
namespace {

/// The word of item k of a row.
std::uint32_t word_of(const RowKey& row, Purpose purpose, std::size_t k) {
  const auto block = static_cast<std::uint32_t>(k / kRowBlock * 16 + k % 16);
  return random_words(row.key, purpose, block, row.source, row.stream)[k % kRowBlock / 16];
}

/// A shift below the modulus. It need not be perfectly even: whatever the shifts are, a round is a bijection.
std::uint32_t shift_by(std::uint32_t value, std::uint32_t key, std::uint32_t modulus) {
  std::uint32_t hash = value * 0x9E3779B1u + key;
  hash ^= hash >> 15;
  hash *= hash;
  return static_cast<std::uint32_t>(static_cast<std::uint64_t>(hash) * modulus >> 32);
}

std::uint32_t permuted(const StubPermutation& p, std::uint32_t stub) {
  std::uint32_t x = stub % p.columns, y = stub / p.columns;
  do {
    for (std::uint32_t r = 0; r < p.rounds; r += 2) {
      x = (x + shift_by(y, p.keys[r], p.columns)) % p.columns;
      y = (y + shift_by(x, p.keys[r + 1], p.rows)) % p.rows;
    }
  } while (x + p.columns * y >= p.stubs);
  return x + p.columns * y;
}

std::uint32_t step_of(const RowValues& v, std::uint32_t code, std::uint32_t draw10) {
  if (v.steps != nullptr) return static_cast<std::uint32_t>(v.steps[code + draw10]);
  const std::uint32_t draw = std::min(draw10, 1022u);
  const std::uint32_t step = (draw >= (code & 1023)) + (draw >= (code >> 10 & 1023)) + (draw >= code >> 20);
  return step << RingShape{}.slot_bits();
}

}  // namespace

void draw_places(const RowKey& row, std::uint32_t first_block, std::uint32_t blocks, std::uint32_t open,
                 std::uint32_t self, std::uint32_t* places) {
  for (std::size_t k = 0; k < std::size_t{kRowBlock} * blocks; ++k) {
    const std::uint64_t draw = word_of(row, Purpose::pair, std::size_t{kRowBlock} * first_block + k);
    const auto place = static_cast<std::uint32_t>(draw * open >> 32);
    places[k] = place + (place >= self ? 1 : 0);
  }
}

void draw_blocks(const RowKey& row, Purpose purpose, std::uint32_t round, const std::uint32_t* index, std::size_t n,
                 std::uint32_t* words) {
  for (std::size_t i = 0; i < n; ++i) {
    const RandomWords block = random_words(row.key, round_of(purpose, round), index[i], row.source, row.stream);
    for (std::size_t w = 0; w < 4; ++w) words[4 * i + w] = block[w];
  }
}

void stub_targets(const StubPermutation& p, std::uint32_t first, std::uint32_t n, std::uint32_t* targets) {
  for (std::uint32_t i = 0; i < n; ++i) {
    targets[i] = p.shuffled != nullptr ? p.shuffled[first + i] : permuted(p, first + i) / p.per_target;
  }
}

void stub_targets_of(const StubPermutation& p, const std::uint32_t* draws, std::uint32_t n, std::uint32_t* targets) {
  for (std::uint32_t i = 0; i < n; ++i) reference::stub_targets(p, draws[i], 1, targets + i);
}

bool is_kept(const RowKey& row, const PairBox& box, std::uint32_t r, std::uint32_t j) {
  const std::uint32_t k = r * box.n + j, block = k / 128 * 16 + k % 32 / 2;
  const std::uint32_t word = random_words(row.key, Purpose::pair, block, row.source, row.stream)[k % 128 / 32];
  const RandomWords more = random_words(row.key, round_of(Purpose::pair, 1), k, row.source, row.stream);
  const std::uint64_t leading = word >> (k % 2 * 16) & 0xffff, next = more[0];
  const std::uint64_t number = leading << 48 | next << 16 | more[1] >> 16;
  return static_cast<double>(number >> 11) * 0x1p-53 < box.scale * static_cast<double>(box.row_chances[r]) * static_cast<double>(box.chances[j]);
}

std::size_t keep_pairs(const RowKey& row, const PairBox& box, std::uint32_t* kept) {
  std::size_t n = 0;
  for (std::uint32_t r = 0; r < box.n_rows; ++r) {
    for (std::uint32_t j = 0; j < box.n; ++j) {
      const std::uint32_t target = box.width * box.rows[r] + box.columns[j] - box.first;
      if (target < box.targets && target != box.self && is_kept(row, box, r, j)) kept[n++] = target;
    }
  }
  return n;
}

void pack_row(const RowValues& v, const RowKey& row, const std::uint32_t* targets, std::size_t n,
              std::uint32_t* words, std::uint16_t* group_of) {
  for (std::size_t k = 0; k < n; ++k) {
    const std::uint32_t draw = word_of(row, Purpose::synapse, k);
    const std::int32_t weight = v.weights != nullptr ? v.weights[draw >> 22] : v.weight;
    std::uint32_t group = 0;
    if (v.groups > 1) {
      const auto draw16 = static_cast<std::int32_t>(word_of(row, Purpose::delay_split, k) >> 16);
      group = static_cast<std::uint32_t>(std::upper_bound(v.thresholds, v.thresholds + v.groups - 1, draw16) - v.thresholds);
    }
    const std::uint32_t place = v.codes != nullptr ? step_of(v, static_cast<std::uint32_t>(v.codes[group]), draw << 10 >> 22)
                                                   : v.step_place;
    const bool index = v.entries && v.weights != nullptr;
    words[k] = packed_word((weight < 0 ? v.negative_slot : v.positive_slot) + targets[k], place,
                           index ? static_cast<std::int32_t>(draw >> 22) : weight);
    group_of[k] = static_cast<std::uint16_t>(group);
  }
}

}  // namespace tessera::reference
