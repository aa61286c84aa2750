// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "kernels/reference/reference.hpp"

#include <bit>

#include <algorithm>

namespace tessera::reference {
namespace {

std::uint32_t step_of_four(std::uint32_t thresholds, std::uint32_t draw10) {
  const std::uint32_t draw = std::min(draw10, 1022u);
  return (draw >= (thresholds & 1023)) + (draw >= (thresholds >> 10 & 1023)) + (draw >= thresholds >> 20);
}

}  // namespace

// target = integer part of draw * size; the fraction's leading ten bits choose the weight, the next ten
// the step inside the delay group.
std::size_t draw_entries(const DrawQueue& q, RandomKey key, const DrawTables& tables,
                         std::uint32_t* out) {
  const std::uint32_t* begin = out;
  for (std::size_t i = 0; i < q.size; ++i) {
    const std::uint32_t index = q.index[i] & ((1u << DrawQueue::kLeftShift) - 1);
    const std::uint32_t stream = q.stream[i] & ((1u << kTableShift) - 1);
    const std::uint32_t first_entry = (q.stream[i] >> kTableShift) * 1024;
    const RandomWords words = random_words(key, Purpose::synapse, index, q.source[i], stream);
    for (std::uint32_t w = 0; w <= q.index[i] >> DrawQueue::kLeftShift; ++w) {
      const std::uint64_t product = static_cast<std::uint64_t>(words[w]) * (q.place[i] >> 16);
      const auto target = static_cast<std::uint32_t>(product >> 32);
      const auto fraction = static_cast<std::uint32_t>(product);
      const std::uint32_t draw = (fraction << 10) >> 22;
      const std::uint32_t step = tables.steps != nullptr
                                     ? static_cast<std::uint32_t>(tables.steps[q.steps[i] + draw])
                                     : step_of_four(q.steps[i], draw) << RingShape{}.slot_bits();
      *out++ = packed_word((q.place[i] & 0xffff) + target, step,
                           static_cast<std::int32_t>(first_entry + (fraction >> 22)));
    }
  }
  return static_cast<std::size_t>(out - begin);
}

std::size_t draw_words(const DrawQueue& queue, RandomKey key, const DrawTables& tables,
                       std::uint32_t* out) {
  const std::size_t n = reference::draw_entries(queue, key, tables, out);
  for (std::size_t k = 0; k < n; ++k) {
    out[k] = packed_word(out[k] & kRingMask, 0, tables.weights[out[k] >> kWeightShift]);
  }
  return n;
}

std::size_t draw_and_deliver(const DrawQueue& queue, RandomKey key, const DrawTables& tables,
                             std::int32_t* ring, std::uint32_t now) {
  std::uint32_t words[4 * DrawQueue::kCapacity];
  const std::size_t n = reference::draw_entries(queue, key, tables, words);
  for (std::size_t k = 0; k < n; ++k) {
    ring[(words[k] + now) & kRingMask] += tables.weights[words[k] >> kWeightShift];
  }
  return n;
}

// Draw i is half i % 2 of word (i % 8) / 2 of block i / 8.
void delay_draws(RandomKey key, const DelayBlocks& blocks, std::size_t n, std::uint32_t* words) {
  for (std::size_t i = 0; i < n; ++i) {
    const RandomWords drawn = random_words(key, Purpose::delay_split, blocks.index[i], blocks.source[i], blocks.stream[i]);
    std::copy(drawn.begin(), drawn.end(), words + 4 * i);
  }
}

void halve_counts(RandomKey key, std::uint32_t stream, std::uint32_t first_node, const std::uint32_t* counts, std::size_t n,
                  std::uint32_t* children) {
  for (std::size_t i = 0; i < n; ++i) {
    RandomStream coins(key, Purpose::source_tree, first_node + static_cast<std::uint32_t>(i), stream);
    std::uint32_t heads = 0;
    for (std::uint32_t left = counts[i]; left > 0; left -= std::min(left, 32u)) {
      heads += static_cast<std::uint32_t>(std::popcount(coins.next() >> (32 - std::min(left, 32u))));
    }
    children[2 * i] = heads;
    children[2 * i + 1] = counts[i] - heads;
  }
}

void split_delays(RandomKey key, std::uint32_t source, std::uint32_t stream, std::uint32_t n,
                  const std::uint16_t* thresholds, std::size_t groups, std::uint32_t* counts) {
  std::fill_n(counts, groups, 0u);
  for (std::uint32_t i = 0; i < n; ++i) {
    const RandomWords words = random_words(key, Purpose::delay_split, i / 8, source, stream);
    const std::uint32_t draw = words[i % 8 / 2] >> (16 * (i % 2)) & 0xffff;
    ++counts[std::upper_bound(thresholds, thresholds + groups - 1, draw) - thresholds];
  }
}

// Neuron 64 j + 16 w + l takes word w of block 16 j + l; its count is the number of cumulative
// probabilities at or below the draw.
void draw_poisson(const PoissonTable& table, const PoissonStream& s, std::size_t count,
                  std::int32_t* counts) {
  std::fill_n(counts, (count + 63) / 64 * 64, 0);
  for (std::size_t neuron = 0; neuron < count; ++neuron) {
    const auto block = static_cast<std::uint32_t>(neuron / 64 * 16 + neuron % 16);
    for (std::uint32_t part = 0; part < table.parts; ++part) {
      const RandomWords words =
          random_words(s.key, static_cast<Purpose>(s.purpose | part << 8), block, s.step, s.stream);
      const std::uint32_t draw = words[neuron % 64 / 16];
      const auto& t = table.thresholds;
      counts[neuron] += static_cast<std::int32_t>(std::upper_bound(t.begin(), t.end(), draw) - t.begin());
    }
  }
}

void add_poisson(const PoissonTable& table, const PoissonStream& stream, std::size_t count,
                 std::int32_t weight, std::int32_t* input) {
  std::vector<std::int32_t> counts((count + 63) / 64 * 64);
  reference::draw_poisson(table, stream, count, counts.data());
  for (std::size_t i = 0; i < counts.size(); ++i) input[i] += counts[i] * weight;
}

}  // namespace tessera::reference
