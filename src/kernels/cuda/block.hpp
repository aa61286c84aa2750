// What the phases of a block look at: its image, what it keeps beside it, records of spikes, draws.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/cuda/equations.hpp"
#include "kernels/cuda/layout.hpp"
#include "kernels/cuda/on_device.hpp"

namespace tessera::gpu {

inline constexpr std::uint32_t kWarp = 32;
inline constexpr std::uint32_t kListed = 512;  ///< drawn rows: spikes in one round
inline constexpr std::uint32_t kPatience = 1u << 24;  ///< looks at a record that does not come
inline constexpr std::uint32_t kSynapsePurpose = 4, kPoissonPurpose = 9;  ///< of draws (base/random.hpp)

/// What a block keeps beside its image.
struct Scratch {
  struct alignas(16) Crossed {  ///< who crossed the threshold: how many, and the rows that a record holds
    std::uint32_t count, rows[SpikeRecord::kRows];
  };
  Crossed crossed[2];  ///< [step & 1]
  std::uint32_t events, visits;
  std::uint32_t logged;
  std::uint32_t failed;
  std::uint64_t digest, spikes_in_all, events_in_all, visits_in_all;
  // Drawn rows: how many are listed (more than kListed: another round is needed), which, and how many spikes of
  // each record are listed already.
  std::uint32_t listed;
  std::uint32_t list[kListed];
  std::uint32_t taken[kMostBlocks];
};

/// What a block's own variables take of its shared memory.
inline constexpr std::size_t kOwnBytes = sizeof(Scratch) + 3 * sizeof(std::uint64_t) + 1024;

/// What all phases look at.
struct Block {
  const Network* network;
  std::uint32_t index;    ///< of this block
  std::uint32_t threads;
  std::uint32_t* image;
  Scratch* scratch;

  TESSERA_PHASE const Layout& layout() const { return network->layout; }
  TESSERA_PHASE Slice* slices() const { return reinterpret_cast<Slice*>(image + layout().slices_at); }
  TESSERA_PHASE std::uint32_t neurons() const { return slices()[layout().slices - 1].end; }
  TESSERA_PHASE const DrawnPopulation* populations() const {
    return reinterpret_cast<const DrawnPopulation*>(image + layout().populations_at);
  }
  template <Rows kRows>
  TESSERA_PHASE std::int32_t* ring() const {
    return kRows == Rows::drawn ? network->ring : reinterpret_cast<std::int32_t*>(image + layout().ring_at);
  }
};

/// A neuron while a thread has it in registers: over a whole launch, where every thread has at most one.
struct Neuron {
  float state[kMostColumns];
  float current;
  std::uint32_t left;  ///< steps of refractoriness
  std::uint32_t row;
  std::uint32_t slice;
};

/// The rows of sources of spikes that a step receives: in Network::source_rows.
struct SourceRows {
  std::uint32_t begin = 0, end = 0;
};
TESSERA_PHASE SourceRows sources_of(const Block& b, std::int64_t step) {
  const Network& network = *b.network;
  if (network.source_begin == nullptr) return {};
  const std::uint32_t* begin = network.source_begin + (step - network.first_step);
  return {begin[0], begin[1]};
}

/// The record of a step that nobody has written yet holds another stamp.
TESSERA_PHASE std::uint32_t stamp_of(std::int64_t step) { return static_cast<std::uint32_t>(step + 2) & 0xffffu; }
TESSERA_PHASE std::uint32_t side_of(std::int64_t step) { return static_cast<std::uint32_t>(step) & 1u; }

/// The records that a block reads.
TESSERA_PHASE const SpikeRecord* records_for(const Block& b, std::int64_t step) {
  return b.network->records + ((b.index % kCopies) * 2 + side_of(step)) * b.layout().blocks;
}

/// Waits on a device, some ten seconds: then a block died. On the host all blocks have published before.
TESSERA_PHASE SpikeRecord wait_for(const SpikeRecord* place, std::uint32_t stamp, std::uint32_t* failed) {
  std::uint32_t looks = 0;
  SpikeRecord record = load_record(place);
  while ((record.head >> 16) != stamp) {
#if !defined(__CUDA_ARCH__)
    looks = kPatience - 1;
#endif
    if (++looks == kPatience) {
      *failed = 1;
      record.head = 0;
      break;
    }
    record = load_record(place);
  }
  return record;
}

/// Philox4x32-10: four words of the counter (c0, c1, c2, c3).
TESSERA_PHASE void philox(const Network& network, std::uint32_t c0, std::uint32_t c1, std::uint32_t c2, std::uint32_t c3,
                          std::uint32_t* words) {
  std::uint32_t k0 = network.key_low, k1 = network.key_high;
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{0xD2511F53u} * c0, p1 = std::uint64_t{0xCD9E8D57u} * c2;
    c0 = static_cast<std::uint32_t>(p1 >> 32) ^ c1 ^ k0;
    c1 = static_cast<std::uint32_t>(p1);
    c2 = static_cast<std::uint32_t>(p0 >> 32) ^ c3 ^ k1;
    c3 = static_cast<std::uint32_t>(p0);
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  words[0] = c0;
  words[1] = c1;
  words[2] = c2;
  words[3] = c3;
}

}  // namespace tessera::gpu
