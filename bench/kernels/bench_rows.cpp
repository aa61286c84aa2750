// Kernels of connectivity on microcircuit-like rows: drawing, splitting, delivering. Time per synapse.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <benchmark/benchmark.h>

#include <vector>

#include "base/aligned_array.hpp"
#include "kernels/deliver.hpp"
#include "kernels/draw_rows.hpp"
#include "kernels/poisson.hpp"
#include "kernels/split_delays.hpp"

namespace {

using namespace tessera;

// A tile of 8 chunks of 4,820 neurons, 15 synapses per chunk and visit on average.
struct Tile {
  static constexpr std::uint32_t kBundles = 8, kChunk = 4820;
  static constexpr std::uint32_t kPadded = kBundles + kBundlePadding;
  std::uint32_t stream[kPadded], place[kPadded], steps[kPadded];
  std::uint8_t counts[64][kPadded];
  std::vector<std::int32_t> weights = std::vector<std::int32_t>(3 * 1024, 700);
  AlignedArray<std::int32_t> ring{RingShape::kPlaces};

  Tile() {
    RandomStream random(RandomKey(7), Purpose::pair, 0, 0);
    for (std::uint32_t b = 0; b < kBundles; ++b) {
      stream[b] = (100 + b) | b % 3 << kTableShift;
      place[b] = b * 4832 | kChunk << 16;
      steps[b] = 256 | 512 << 10 | 768 << 20;
    }
    for (auto& row : counts) {
      for (auto& count : row) count = static_cast<std::uint8_t>(8 + random.next_below(15));
    }
  }
  DrawStreams streams() const { return {kBundles, stream, place}; }
  void fill(DrawQueue& queue, std::uint32_t visit) const {
    queue.size = 0;
    for (std::uint32_t v = 0;; ++v) {
      if (enqueue(queue, streams(), 0, counts[(visit + v) % 64], steps, visit * 64 + v, 3) < kBundles) return;
    }
  }
};

void enqueue_rows(benchmark::State& state) {
  const Tile tile;
  DrawQueue queue{};
  std::uint32_t visit = 0;
  std::size_t lanes = 0;
  for (auto _ : state) {
    tile.fill(queue, visit++);
    lanes += queue.size;
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(lanes * 4));
}
BENCHMARK(enqueue_rows);

void draw_words(benchmark::State& state) {
  const Tile tile;
  DrawQueue queue{};
  tile.fill(queue, 1);
  std::vector<std::uint32_t> out(4 * DrawQueue::kCapacity + 64);
  std::size_t synapses = 0;
  for (auto _ : state) {
    synapses += tessera::draw_words(queue, RandomKey(1), {tile.weights.data()}, out.data());
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(synapses));
}
BENCHMARK(draw_words);

void draw_and_deliver(benchmark::State& state) {
  Tile tile;
  DrawQueue queue{};
  std::uint32_t visit = 0;
  std::size_t synapses = 0;
  for (auto _ : state) {
    tile.fill(queue, visit++);
    synapses += tessera::draw_and_deliver(queue, RandomKey(1), {tile.weights.data()}, tile.ring.data(),
                                          RingShape{}.row(visit));
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(synapses));
}
BENCHMARK(draw_and_deliver);

// Rows of 120 words at random places of 256 MB, as after a spike.
void deliver_rows(benchmark::State& state) {
  Tile tile;
  constexpr std::uint32_t kRow = 120, kRows = 500000;
  AlignedArray<std::uint32_t> words(std::size_t{kRow} * kRows);
  RandomStream random(RandomKey(3), Purpose::pair, 0, 0);
  for (auto& word : words) word = packed_word(random.next_below(38600), RingShape{}.row(random.next_below(4)), 700);
  std::vector<RowVisit> visits(400);
  for (auto _ : state) {
    for (RowVisit& visit : visits) visit = {words.data() + std::size_t{kRow} * random.next_below(kRows), kRow};
    tessera::deliver_rows(visits.data(), visits.size(), tile.ring.data(), RingShape{}.row(1));
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * 400 * kRow));
}
BENCHMARK(deliver_rows);

void split_delays(benchmark::State& state) {
  std::vector<std::uint16_t> thresholds;
  for (int g = 1; g < 12; ++g) thresholds.push_back(static_cast<std::uint16_t>(g * 5461));
  std::uint32_t counts[12], source = 0;
  for (auto _ : state) {
    tessera::split_delays(RandomKey(1), ++source, 3, 176, thresholds.data(), 12, counts);
    benchmark::DoNotOptimize(counts);
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * 176));
}
BENCHMARK(split_delays);

void poisson_counts(benchmark::State& state) {
  const PoissonTable table(1.6);
  std::vector<std::int32_t> counts(4096);
  std::uint32_t step = 0;
  for (auto _ : state) {
    draw_poisson(table, {RandomKey(1), 9, 4, ++step}, counts.size(), counts.data());
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * 4096));
}
BENCHMARK(poisson_counts);

}  // namespace
