// Receiving spikes whose rows are drawn: they are listed first, then all threads of the block draw its share
// of the rows, and add to the ring of all blocks.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/cuda/block.hpp"

namespace tessera::gpu {

/// One synapse from one word (kernels/draw_rows.hpp): target, weight and step.
TESSERA_PHASE void add_drawn(const Block& b, const DrawnEntry& entry, std::uint32_t word, std::uint32_t now) {
  const Network& network = *b.network;
  const std::uint64_t product = std::uint64_t{word} * entry.size;
  const auto target = static_cast<std::uint32_t>(product >> 32);
  const auto fraction = static_cast<std::uint32_t>(product);
  const std::uint32_t draw = fraction << 10 >> 22;
  std::uint32_t step;
  if (network.step_tables != nullptr) {
    step = static_cast<std::uint32_t>(network.step_tables[entry.steps + draw]) >> network.slot_bits;
  } else {
    const std::uint32_t below = draw < 1022 ? draw : 1022;
    step = (below >= (entry.steps & 1023)) + (below >= (entry.steps >> 10 & 1023)) + (below >= entry.steps >> 20);
  }
  const std::uint32_t places = b.layout().slots * b.layout().ring_steps;
  std::uint32_t place = (entry.delay + step) * b.layout().slots + entry.slot + target + now;
  if (place >= places) place -= places;
  const auto* weights = reinterpret_cast<const std::int32_t*>(b.image + b.layout().weights_at);
  add(network.ring + place, weights[entry.first_weight + (fraction >> 22)]);
}

/// Draws what a block has to of the rows in its list: teams of threads take an entry of a row, four synapses a
/// thread at a time. Entries are dealt out to the blocks beginning with another block for every source.
TESSERA_PHASE void draw_rows(std::uint32_t thread, const Block& b, std::uint32_t now) {
  constexpr std::uint32_t team = 16;
  const Network& network = *b.network;
  const std::uint32_t blocks = b.layout().blocks, lane = thread % team;
  const std::uint32_t listed = b.scratch->listed < kListed ? b.scratch->listed : kListed;
  for (std::uint32_t item = thread / team; item < listed * network.entries_per_block; item += b.threads / team) {
    const std::uint32_t name = b.scratch->list[item / network.entries_per_block];
    const std::uint32_t source = name & ((1u << kSourceBits) - 1);
    const DrawnPopulation population = b.populations()[name >> kSourceBits];
    const std::uint32_t e = (b.index + blocks - source % blocks) % blocks + item % network.entries_per_block * blocks;
    if (e >= population.entries) continue;
    const std::uint32_t n = load_once(network.counts + population.counts_at + std::size_t{source} * population.stride + e);
    const DrawnEntry entry = reinterpret_cast<const DrawnEntry*>(b.image + b.layout().entries_at)[population.entries_at + e];
    for (std::uint32_t k = lane; 4 * k < n; k += team) {
      std::uint32_t words[4];
      philox(network, k | entry.group, source, entry.stream, kSynapsePurpose, words);
      for (std::uint32_t w = 0; w < 4; ++w) {
        if (4 * k + w < n) add_drawn(b, entry, words[w], now);
      }
    }
    if (lane == 0 && n > 0) {
      add(&b.scratch->events, n);
      add(&b.scratch->visits, 1u);
    }
  }
}

/// What is written down of the rows in the list: a warp takes the block's even part of a row.
TESSERA_PHASE void add_written(std::uint32_t thread, const Block& b, std::uint32_t now) {
  const Network& network = *b.network;
  if (network.written_begin == nullptr) return;
  const std::uint32_t places = b.layout().slots * b.layout().ring_steps, blocks = b.layout().blocks;
  const std::uint32_t listed = b.scratch->listed < kListed ? b.scratch->listed : kListed;
  for (std::uint32_t item = thread / kWarp; item < listed; item += b.threads / kWarp) {
    const std::uint32_t name = b.scratch->list[item];
    const std::uint64_t* row = network.written_begin + b.populations()[name >> kSourceBits].written_at + (name & ((1u << kSourceBits) - 1));
    const std::uint64_t n = row[1] - row[0];
    const std::uint64_t begin = row[0] + n * b.index / blocks, end = row[0] + n * (b.index + 1) / blocks;
    for (std::uint64_t k = begin + thread % kWarp; k < end; k += kWarp) {
      std::uint32_t place = load_once(network.written + 2 * k) + now;
      if (place >= places) place -= places;
      add(network.ring + place, static_cast<std::int32_t>(load_once(network.written + 2 * k + 1)));
    }
    if (thread % kWarp == 0 && begin < end) {
      add(&b.scratch->events, static_cast<std::uint32_t>(end - begin));
      add(&b.scratch->visits, 1u);
    }
  }
}

/// Lists rows of sources of spikes, from the at-th one on, in place of what was listed.
TESSERA_PHASE void list_sources(std::uint32_t thread, const Block& b, std::uint32_t at, std::uint32_t end) {
  const std::uint32_t n = end - at < kListed ? end - at : kListed;
  for (std::uint32_t k = thread; k < n; k += b.threads) b.scratch->list[k] = b.network->source_rows[at + k];
  if (thread == 0) b.scratch->listed = n;
}

/// Lists the rows of the spikes of `step`; round > 0 goes on where the list was full.
TESSERA_PHASE void list_rows(std::uint32_t thread, const Block& b, std::int64_t step, std::uint32_t round) {
  const Layout& layout = b.layout();
  Scratch& scratch = *b.scratch;
  for (std::uint32_t from = thread; from < layout.blocks; from += b.threads) {
    const SpikeRecord record = wait_for(records_for(b, step) + from, stamp_of(step), &scratch.failed);
    const std::uint32_t count = record.head & 0xffffu;
    if (count == 0) continue;
    if (count > SpikeRecord::kRows) fence();
    const std::uint32_t* overflow = b.network->overflow + (std::size_t{side_of(step)} * layout.blocks + from) * layout.neurons;
    std::uint32_t k = round == 0 ? 0 : scratch.taken[from];
    for (; k < count; ++k) {
      const std::uint32_t name = k == 0   ? record.rows[0]
                                 : k == 1 ? record.rows[1]
                                 : k == 2 ? record.rows[2]
                                          : load_published(overflow + k);
      if (name == kNoRow) continue;
      const std::uint32_t at = add(&scratch.listed, 1u);
      if (at >= kListed) break;
      scratch.list[at] = name;
    }
    scratch.taken[from] = k;
  }
}

}  // namespace tessera::gpu
