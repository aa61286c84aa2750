// Sequential kernels that read like their definitions: the oracle of every vector kernel, and what runs
// where no vector target is available or "scalar" is forced.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/random.hpp"
#include "kernels/draw_rows.hpp"
#include "kernels/halve_counts.hpp"
#include "kernels/poisson.hpp"
#include "kernels/row_targets.hpp"
#include "kernels/split_delays.hpp"

namespace tessera::reference {

template <class Count>
std::size_t enqueue(DrawQueue& queue, const DrawStreams& streams, std::size_t bundle,
                    const Count* counts, const std::uint32_t* steps, std::uint32_t source,
                    std::uint32_t group) {
  for (; bundle < streams.bundles; ++bundle) {
    const std::uint32_t n = counts[bundle];
    if (queue.size + (n + 3) / 4 > DrawQueue::kCapacity) return bundle;
    for (std::uint32_t block = 0; 4 * block < n; ++block) {
      const std::size_t at = queue.size++;
      queue.index[at] = group << 20 | block | (std::min(n - 4 * block, 4u) - 1) << DrawQueue::kLeftShift;
      queue.source[at] = source;
      queue.stream[at] = streams.stream[bundle];
      queue.place[at] = streams.place[bundle];
      queue.steps[at] = steps[bundle];
    }
  }
  return bundle;
}
std::size_t draw_words(const DrawQueue& queue, RandomKey key, const DrawTables& tables,
                       std::uint32_t* out);
std::size_t draw_entries(const DrawQueue& queue, RandomKey key, const DrawTables& tables,
                         std::uint32_t* out);
std::size_t draw_and_deliver(const DrawQueue& queue, RandomKey key, const DrawTables& tables,
                             std::int32_t* ring, std::uint32_t now);
void delay_draws(RandomKey key, const DelayBlocks& blocks, std::size_t n, std::uint32_t* words);
void split_delays(RandomKey key, std::uint32_t source, std::uint32_t stream, std::uint32_t n,
                  const std::uint16_t* thresholds, std::size_t groups, std::uint32_t* counts);
void halve_counts(RandomKey key, std::uint32_t stream, std::uint32_t first_node, const std::uint32_t* counts, std::size_t n,
                  std::uint32_t* children);
void draw_places(const RowKey& row, std::uint32_t first_block, std::uint32_t blocks, std::uint32_t open,
                 std::uint32_t self, std::uint32_t* places);
void draw_blocks(const RowKey& row, Purpose purpose, std::uint32_t round, const std::uint32_t* index, std::size_t n,
                 std::uint32_t* words);
void stub_targets(const StubPermutation& permutation, std::uint32_t first, std::uint32_t n,
                  std::uint32_t* targets);
void stub_targets_of(const StubPermutation& permutation, const std::uint32_t* draws, std::uint32_t n, std::uint32_t* targets);
/// Whether column j of row r of a box is kept: a number of its own against its chance, and nothing else.
bool is_kept(const RowKey& row, const PairBox& box, std::uint32_t r, std::uint32_t j);
std::size_t keep_pairs(const RowKey& row, const PairBox& box, std::uint32_t* kept);
void pack_row(const RowValues& values, const RowKey& row, const std::uint32_t* targets, std::size_t n,
              std::uint32_t* words, std::uint16_t* group_of);
void draw_poisson(const PoissonTable& table, const PoissonStream& stream, std::size_t count,
                  std::int32_t* counts);

void add_poisson(const PoissonTable& table, const PoissonStream& stream, std::size_t count,
                 std::int32_t weight, std::int32_t* input);

}  // namespace tessera::reference
