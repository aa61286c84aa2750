// Receiving spikes whose rows are stored: every warp waits for the records of some blocks, and adds the
// block's parts of their rows.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/cuda/block.hpp"

namespace tessera::gpu {

struct Synapse {
  std::uint32_t place;
  std::int32_t weight;
};

template <Rows kRows>
TESSERA_PHASE Synapse load_synapse(const std::uint32_t* row, std::uint32_t k) {
  if constexpr (kRows == Rows::wide) {
    return {load_once(row + 2 * std::size_t{k}), static_cast<std::int32_t>(load_once(row + 2 * std::size_t{k} + 1))};
  } else {
    const std::uint32_t word = load_once(row + k);
    return {word & (kMostPlaces - 1), static_cast<std::int32_t>(word) >> kPlaceBits};
  }
}

/// `now` is where the ring row of this step begins.
template <Rows kRows>
TESSERA_PHASE void add_synapse(const Block& b, const Synapse& synapse, std::uint32_t now) {
  const std::uint32_t places = b.layout().slots * b.layout().ring_steps;
  std::uint32_t place = synapse.place + now;
  if (place >= places) place -= places;
  add(b.ring<kRows>() + place, synapse.weight);
}

/// The block's part of a row: its words begin .. end - 1.
struct Part {
  const std::uint32_t* row;
  std::uint32_t begin, end;
};
TESSERA_PHASE Part part_of(const Block& b, std::uint32_t line) {
  const std::uint32_t* row = b.network->rows + std::size_t{line} * kLine;
  return {row, load_once(row + b.index), load_once(row + b.index + 1)};
}
TESSERA_PHASE void count_part(const Block& b, const Part& part) {
  if (part.begin == part.end) return;
  add(&b.scratch->events, part.end - part.begin);
  add(&b.scratch->visits, 1u);
}

/// Adds the block's part of a row to the ring, a warp at a time.
template <Rows kRows>
TESSERA_PHASE void add_row(std::uint32_t lane, const Block& b, std::uint32_t line, std::uint32_t now) {
  const Part part = part_of(b, line);
  for (std::uint32_t k = part.begin + lane; k < part.end; k += kWarp) {
    add_synapse<kRows>(b, load_synapse<kRows>(part.row, k), now);
  }
  if (lane == 0) count_part(b, part);
}

/// Adds the rows of the spikes of block `from` that its record has no room for.
template <Rows kRows>
TESSERA_PHASE void add_overflow(std::uint32_t lane, const Block& b, std::int64_t step, std::uint32_t from, std::uint32_t count,
                                std::uint32_t now) {
  fence_of_warp();
  const std::uint32_t* overflow = b.network->overflow + (std::size_t{side_of(step)} * b.layout().blocks + from) * b.layout().neurons;
  for (std::uint32_t k = SpikeRecord::kRows; k < count; ++k) {
    const std::uint32_t line = load_published(overflow + k);
    if (line != kNoRow) add_row<kRows>(lane, b, line, now);
  }
}

/// Adds the rows of all spikes of a record: that of block `from`.
template <Rows kRows>
TESSERA_PHASE void add_record(std::uint32_t lane, const Block& b, std::int64_t step, std::uint32_t from,
                              const SpikeRecord& record, std::uint32_t now) {
  const std::uint32_t count = record.head & 0xffffu;
  for (std::uint32_t k = 0; k < SpikeRecord::kRows && k < count; ++k) {
    if (record.rows[k] != kNoRow) add_row<kRows>(lane, b, record.rows[k], now);
  }
  if (count > SpikeRecord::kRows) add_overflow<kRows>(lane, b, step, from, count, now);
}

#if defined(__CUDA_ARCH__)
inline constexpr std::uint32_t kEverybody = 0xffffffffu;

/// What add_row() does, for the rows of all threads in `who` at once: a thread has a part, and the warp loads
/// words of several before it adds any, so that their latencies overlap.
template <Rows kRows>
__device__ __forceinline__ void add_parts(std::uint32_t lane, const Block& b, std::uint32_t who, const Part& mine, std::uint32_t now) {
  constexpr int kAtOnce = 4, kDeep = 2;
  while (who != 0) {
    const std::uint32_t* row[kAtOnce];
    std::uint32_t at[kAtOnce], end[kAtOnce];
    Synapse synapse[kAtOnce][kDeep];
#pragma unroll
    for (int j = 0; j < kAtOnce; ++j) {
      const int owner = who != 0 ? __ffs(static_cast<int>(who)) - 1 : 0;
      row[j] = reinterpret_cast<const std::uint32_t*>(__shfl_sync(kEverybody, reinterpret_cast<unsigned long long>(mine.row), owner));
      at[j] = __shfl_sync(kEverybody, mine.begin, owner) + lane;
      end[j] = __shfl_sync(kEverybody, mine.end, owner);
      if (who == 0) end[j] = 0;
      who &= who - 1;
    }
#pragma unroll
    for (int j = 0; j < kAtOnce; ++j) {
#pragma unroll
      for (int d = 0; d < kDeep; ++d) {
        if (at[j] + d * kWarp < end[j]) synapse[j][d] = load_synapse<kRows>(row[j], at[j] + d * kWarp);
      }
    }
#pragma unroll
    for (int j = 0; j < kAtOnce; ++j) {
#pragma unroll
      for (int d = 0; d < kDeep; ++d) {
        if (at[j] + d * kWarp < end[j]) add_synapse<kRows>(b, synapse[j][d], now);
      }
      for (std::uint32_t k = at[j] + kDeep * kWarp; k < end[j]; k += kWarp) {
        add_synapse<kRows>(b, load_synapse<kRows>(row[j], k), now);
      }
    }
  }
}

/// What add_record() does, for the records that the threads of a warp have: that of block first + lane, with
/// `count` spikes, the first of which has the part `part`.
template <Rows kRows>
__device__ __forceinline__ void add_records(std::uint32_t lane, const Block& b, std::int64_t step, std::uint32_t first,
                                            std::uint32_t count, const SpikeRecord& record, Part part, std::uint32_t now) {
#pragma unroll
  for (std::uint32_t k = 0; k < SpikeRecord::kRows; ++k) {
    if (!__any_sync(kEverybody, k < count)) return;
    if (k > 0) part = k < count && record.rows[k] != kNoRow ? part_of(b, record.rows[k]) : Part{nullptr, 0, 0};
    add_parts<kRows>(lane, b, __ballot_sync(kEverybody, part.begin < part.end), part, now);
    count_part(b, part);
  }
  for (std::uint32_t who = __ballot_sync(kEverybody, count > SpikeRecord::kRows); who != 0; who &= who - 1) {
    const int owner = __ffs(static_cast<int>(who)) - 1;
    add_overflow<kRows>(lane, b, step, first + static_cast<std::uint32_t>(owner), __shfl_sync(kEverybody, count, owner), now);
  }
}
#endif

/// Adds the rows of the sources whose spikes arrive in a step, a row per warp.
template <Rows kRows>
TESSERA_PHASE void add_sources(std::uint32_t thread, const Block& b, std::int64_t step, std::uint32_t now) {
  const SourceRows sources = sources_of(b, step);
  for (std::uint32_t k = sources.begin + thread / kWarp; k < sources.end; k += b.threads / kWarp) {
    add_row<kRows>(thread % kWarp, b, b.network->source_rows[k], now);
  }
}

/// Every warp waits for some blocks' records of `step`, and adds the rows of those that came.
template <Rows kRows>
TESSERA_PHASE void receive(std::uint32_t thread, const Block& b, std::int64_t step, std::uint32_t now) {
  const std::uint32_t blocks = b.layout().blocks, warps = b.threads / kWarp, lane = thread % kWarp;
  const std::uint32_t share = (blocks + warps - 1) / warps, first = thread / kWarp * share;
  const std::uint32_t n = first >= blocks ? 0 : blocks - first < share ? blocks - first : share;
  const SpikeRecord* records = records_for(b, step) + first;
#if defined(__CUDA_ARCH__)
  // Offsets are asked for as soon as a record came, words when all came: their latencies overlap.
  bool waiting = lane < n;  // at most a warp of records: there are 24 warps and at most 256 blocks
  SpikeRecord record;
  Part part{nullptr, 0, 0};
  std::uint32_t count = 0;
  for (std::uint32_t looks = 0; __any_sync(kEverybody, waiting); ++looks) {
    if (waiting) record = load_record(records + lane);
    if (waiting && (record.head >> 16) == stamp_of(step)) {
      waiting = false;
      count = record.head & 0xffffu;
      if (count > 0 && record.rows[0] != kNoRow) part = part_of(b, record.rows[0]);
    }
    if (looks == kPatience) {
      b.scratch->failed = 1;
      return;
    }
  }
  add_records<kRows>(lane, b, step, first, count, record, part, now);
#else
  for (std::uint32_t k = 0; k < n; ++k) {
    if ((records[k].head >> 16) != stamp_of(step)) b.scratch->failed = 1;
    if (b.scratch->failed == 0) add_record<kRows>(lane, b, step, first + k, records[k], now);
  }
#endif
}

}  // namespace tessera::gpu
