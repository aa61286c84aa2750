// Row kernels of every instruction set against the sequential reference, bit for bit.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <numeric>
#include <vector>

#include "kernels/deliver.hpp"
#include "kernels/draw_rows.hpp"
#include "kernels/halve_counts.hpp"
#include "kernels/reference/reference.hpp"
#include "kernels/split_delays.hpp"
#include "support/forced_target.hpp"

namespace tessera::test {
namespace {

const RandomKey kKey(0x0123456789abcdefull);

/// Step tables for a ring longer than four steps, 1024 draws each.
constexpr std::uint32_t kStepTables = 5;
std::vector<std::int32_t> step_tables(RingShape shape) {
  std::vector<std::int32_t> tables(kStepTables * 1024);
  RandomStream random(kKey, Purpose::pair, 98, shape.step_bits);
  for (std::int32_t& step : tables) step = static_cast<std::int32_t>(random.next_below(shape.steps()) << shape.slot_bits());
  return tables;
}

/// One entry per queue place, with numbers from all of their ranges.
std::unique_ptr<DrawQueue> filled_queue(std::size_t size, std::uint32_t salt, RingShape shape) {
  auto queue = std::make_unique<DrawQueue>();
  RandomStream random(kKey, Purpose::pair, salt, 0);
  for (std::size_t i = 0; i < size; ++i) {
    queue->index[i] = random.next_below(1u << 29) | random.next_below(4) << DrawQueue::kLeftShift;
    queue->source[i] = random.next();
    queue->stream[i] = random.next_below(1u << kTableShift) | random.next_below(16) << kTableShift;
    const std::uint32_t chunk = 1 + random.next_below(std::min(16384u, shape.slots() - 1));
    queue->place[i] = random.next_below(shape.slots() - chunk) | chunk << 16;
    if (shape.steps() > 4) {
      queue->steps[i] = random.next_below(kStepTables) * 1024;
      continue;
    }
    const std::uint32_t a = random.next_below(1024), b = a + random.next_below(1024 - a);
    queue->steps[i] = a | b << 10 | (b + random.next_below(1024 - b)) << 20;
  }
  queue->size = size;
  return queue;
}

/// 16 tables of 1024 weights over the whole range of a packed word.
std::vector<std::int32_t> weight_tables() {
  std::vector<std::int32_t> tables(kMostWeightEntries);
  RandomStream random(kKey, Purpose::pair, 99, 0);
  for (std::int32_t& w : tables) w = static_cast<std::int32_t>(random.next_below(2 * kLargestUnits + 1)) - kLargestUnits;
  return tables;
}

std::vector<std::size_t> awkward_sizes(std::size_t most) {
  std::vector<std::size_t> sizes = {0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100};
  for (std::size_t s : {most - 17, most - 1, most}) sizes.push_back(s);
  return sizes;
}

const RingShape kShapes[] = {{2}, {3}, {5}};

/// What draws look up, for one shape of the ring.
struct Tables {
  std::vector<std::int32_t> weights, steps;
  explicit Tables(RingShape shape) : weights(weight_tables()), steps(step_tables(shape)) {
    if (shape.steps() == 4) steps.clear();
  }
  DrawTables view() const { return {weights.data(), steps.empty() ? nullptr : steps.data()}; }
};

// The order of a queue's words is each target's own: they are summed as integers.
TEST(DrawWords, EveryTargetWritesTheReferencesWords) {
  for (const std::string& target : simd_targets()) {
    const SimdTarget forced(target);
    for (const RingShape shape : kShapes) {
      const Tables tables(shape);
      for (const std::size_t size : awkward_sizes(DrawQueue::kCapacity)) {
        const auto queue = filled_queue(size, static_cast<std::uint32_t>(size), shape);
        std::vector<std::uint32_t> expected(4 * size + 64), words(4 * size + 64);
        const std::size_t n = reference::draw_words(*queue, kKey, tables.view(), expected.data());
        ASSERT_EQ(draw_words(*queue, kKey, tables.view(), words.data()), n) << target << " " << size;
        expected.resize(n);
        words.resize(n);
        std::sort(expected.begin(), expected.end());
        std::sort(words.begin(), words.end());
        EXPECT_TRUE(words == expected) << target << " " << shape.steps() << " steps, " << size;
      }
    }
  }
}

// In order they are the reference's one by one.
TEST(DrawWords, EveryTargetWritesThemInOrder) {
  for (const std::string& target : simd_targets()) {
    const SimdTarget forced(target);
    for (const RingShape shape : kShapes) {
      const Tables tables(shape);
      for (const std::size_t size : awkward_sizes(DrawQueue::kCapacity)) {
        const auto queue = filled_queue(size, static_cast<std::uint32_t>(size), shape);
        std::vector<std::uint32_t> expected(4 * size + 64), words(4 * size + 64);
        const std::size_t n = reference::draw_words(*queue, kKey, tables.view(), expected.data());
        ASSERT_EQ(draw_words_in_order(*queue, kKey, tables.view(), words.data()), n) << target << " " << size;
        EXPECT_TRUE(std::equal(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(n), expected.begin())) << target << " " << size;
        std::vector<WideWord> wide(4 * size + 64);
        ASSERT_EQ(draw_words_in_order(*queue, kKey, tables.view(), wide.data()), n);
        for (std::size_t k = 0; k < n; ++k) {
          ASSERT_EQ(packed_word(wide[k].place, 0, wide[k].weight), expected[k]);
        }
        reference::draw_entries(*queue, kKey, tables.view(), expected.data());
        ASSERT_EQ(draw_entries_in_order(*queue, kKey, tables.view(), words.data()), n);
        EXPECT_TRUE(std::equal(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(n), expected.begin())) << target << " " << size;
      }
    }
  }
}

// All groups of a row at once are what enqueue() makes of one group after the other; those that no longer fit wait.
TEST(EnqueueGroups, IsOneGroupAfterTheOther) {
  const std::vector<std::uint32_t> counts = {3, 0, 4, 1, 2048, 5, 8, 17, 0, 2000, 60, 0};
  std::vector<std::int32_t> codes;
  for (std::size_t g = 0; g < counts.size(); ++g) codes.push_back(static_cast<std::int32_t>(1000 * g + 7));
  const GroupedRow row{77, 5, 640 | 900u << 16, 30, static_cast<std::uint32_t>(counts.size()), counts.data(), codes.data()};
  const std::vector<std::uint32_t> stream(1 + kBundlePadding, row.stream), place(1 + kBundlePadding, row.place);
  auto queue = std::make_unique<DrawQueue>(), expected = std::make_unique<DrawQueue>();
  std::vector<std::uint32_t> ends;
  for (std::uint32_t g = 0; g < row.groups;) {
    const std::uint32_t begin = g;
    queue->size = expected->size = 0;
    g = enqueue_groups(*queue, row, g);
    ASSERT_GT(g, begin);
    ends.push_back(g);
    for (std::uint32_t h = begin; h < g; ++h) {
      const std::vector<std::uint16_t> count(1 + kBundlePadding, static_cast<std::uint16_t>(counts[h]));
      const std::vector<std::uint32_t> steps(1 + kBundlePadding, static_cast<std::uint32_t>(codes[h]));
      ASSERT_EQ(reference::enqueue(*expected, {1, stream.data(), place.data()}, 0, count.data(), steps.data(), row.source, row.first_group + h), 1u);
    }
    ASSERT_EQ(queue->size, expected->size);
    for (std::size_t i = 0; i < queue->size; ++i) {
      EXPECT_EQ(queue->index[i], expected->index[i]);
      EXPECT_EQ(queue->source[i], row.source);
      EXPECT_EQ(queue->stream[i], row.stream);
      EXPECT_EQ(queue->place[i], row.place);
      EXPECT_EQ(queue->steps[i], expected->steps[i]);
    }
  }
  EXPECT_EQ(ends, (std::vector<std::uint32_t>{4, 5, 10, 12}));  // 2,048 draws fill a queue; 2 + 2 + 5 + 500 blocks leave no room for 15
}

// Every table has one weight of its own, targets stay in the chunk, thresholds of 0 and 1023 fix the step.
TEST(DrawWords, FieldsAreWhatTheQueueSays) {
  std::vector<std::int32_t> weights(kMostWeightEntries);
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<std::int32_t>(i / 1024) * 500 - 4000;
  for (const std::string& target : simd_targets()) {
    const SimdTarget forced(target);
    for (std::uint32_t table = 0; table < 16; ++table) {
      auto queue = std::make_unique<DrawQueue>();
      queue->size = 1;
      queue->index[0] = 5 | 3u << DrawQueue::kLeftShift;
      queue->stream[0] = 9 | table << kTableShift;
      queue->place[0] = 640 | 10u << 16;
      const std::uint32_t step = table % 4;  // this many thresholds at 0, the others never reached
      for (std::uint32_t s = step; s < 3; ++s) queue->steps[0] |= 1023u << (10 * s);
      std::vector<std::uint32_t> words(4 + 64);
      ASSERT_EQ(draw_words(*queue, kKey, {weights.data()}, words.data()), 4u);
      for (std::size_t k = 0; k < 4; ++k) {
        EXPECT_GE(words[k] & 0xffff, 640u);
        EXPECT_LT(words[k] & 0xffff, 650u);
        EXPECT_EQ(words[k] >> 16 & 3, step) << target;
        EXPECT_EQ(static_cast<std::int32_t>(words[k]) >> kWeightShift, static_cast<int>(table) * 500 - 4000);
      }
    }
  }
}

// With step tables every draw of one table at step s must land there, whatever the slot.
TEST(DrawWords, StepTablesAreLookedUpByTheirDraws) {
  const RingShape shape{4};
  const std::vector<std::int32_t> weights(kMostWeightEntries, 3);
  std::vector<std::int32_t> steps(16 * 1024);
  for (std::size_t i = 0; i < steps.size(); ++i) steps[i] = static_cast<std::int32_t>(i / 1024 << shape.slot_bits());
  for (const std::string& target : simd_targets()) {
    const SimdTarget forced(target);
    for (std::uint32_t step = 0; step < 16; ++step) {
      auto queue = std::make_unique<DrawQueue>();
      queue->size = 1;
      queue->index[0] = 5 | 3u << DrawQueue::kLeftShift;
      queue->place[0] = 640 | 10u << 16;
      queue->steps[0] = step * 1024;
      std::vector<std::uint32_t> words(4 + 64);
      ASSERT_EQ(draw_words(*queue, kKey, {weights.data(), steps.data()}, words.data()), 4u);
      for (std::size_t k = 0; k < 4; ++k) {
        EXPECT_EQ(words[k] >> 14 & 15, step) << target;
        EXPECT_GE(words[k] & 0x3fff, 640u);
        EXPECT_LT(words[k] & 0x3fff, 650u);
        EXPECT_EQ(words[k] >> 18, 3u);
      }
    }
  }
}

TEST(DrawAndDeliver, AddsWhatDrawWordsWrites) {
  for (const std::string& target : simd_targets()) {
    const SimdTarget forced(target);
    for (const RingShape shape : kShapes) {
      const Tables tables(shape);
      for (const std::size_t size : awkward_sizes(DrawQueue::kCapacity)) {
        const auto queue = filled_queue(size, 1000 + static_cast<std::uint32_t>(size), shape);
        const std::uint32_t now = static_cast<std::uint32_t>(size) % shape.steps();
        std::vector<std::int32_t> expected(kRingMask + 1, 7), ring(kRingMask + 1, 7);
        std::vector<std::uint32_t> words(4 * size + 64);
        const std::size_t n = reference::draw_words(*queue, kKey, tables.view(), words.data());
        for (std::size_t k = 0; k < n; ++k) {
          const std::uint32_t place = words[k] & kRingMask;
          const std::uint32_t slot = place % shape.slots(), step = (place / shape.slots() + now) % shape.steps();
          expected[step * shape.slots() + slot] += static_cast<std::int32_t>(words[k]) >> kWeightShift;
        }
        EXPECT_EQ(draw_and_deliver(*queue, kKey, tables.view(), ring.data(), shape.row(now)), n);
        EXPECT_TRUE(ring == expected) << target << " " << shape.steps() << " steps, " << size;
        std::fill(ring.begin(), ring.end(), 7);
        EXPECT_EQ(reference::draw_and_deliver(*queue, kKey, tables.view(), ring.data(), shape.row(now)), n);
        EXPECT_TRUE(ring == expected) << "reference " << size;
      }
    }
  }
}

struct Entry {
  std::uint32_t index, source, stream, place, steps;
  bool operator==(const Entry&) const = default;
};

/// Enqueues all bundles, taking the queue's content out whenever it is full. Fails instead of looping.
template <class Count, class Enqueue>
std::vector<Entry> enqueue_all(const DrawStreams& streams, const std::vector<Count>& counts,
                               const std::vector<std::uint32_t>& steps, const Enqueue& enqueue) {
  std::vector<Entry> entries;
  auto queue = std::make_unique<DrawQueue>();
  std::size_t bundle = 0;
  for (std::size_t calls = 0; bundle < streams.bundles; ++calls) {
    if (calls > 2 * streams.bundles + 2) {
      ADD_FAILURE() << "no progress at bundle " << bundle;
      break;
    }
    bundle = enqueue(*queue, streams, bundle, counts.data(), steps.data(), 1234u, 77u);
    EXPECT_LE(queue->size, DrawQueue::kCapacity);
    for (std::size_t i = 0; i < queue->size; ++i) {
      entries.push_back({queue->index[i], queue->source[i], queue->stream[i], queue->place[i], queue->steps[i]});
    }
    queue->size = 0;
  }
  return entries;
}

template <class Count>
void compare_enqueue(std::uint32_t largest_count) {
  for (const std::string& target : simd_targets()) {
    const SimdTarget forced(target);
    for (const std::size_t bundles : {0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 65}) {
      RandomStream random(kKey, Purpose::pair, static_cast<std::uint32_t>(bundles), largest_count);
      const std::size_t padded = bundles + kBundlePadding;
      std::vector<std::uint32_t> stream(padded), place(padded), steps(padded);
      std::vector<Count> counts(padded);
      for (std::size_t b = 0; b < padded; ++b) {  // padding holds rubbish that must not matter
        stream[b] = random.next(), place[b] = random.next(), steps[b] = random.next();
        counts[b] = static_cast<Count>(random.next_below(3) == 0 ? 0 : random.next_below(largest_count + 1));
        if (random.next_below(8) == 0) counts[b] = static_cast<Count>(largest_count);
      }
      const DrawStreams streams{bundles, stream.data(), place.data()};
      const auto expected = enqueue_all(streams, counts, steps, [](auto&&... a) { return reference::enqueue(a...); });
      const auto entries = enqueue_all(streams, counts, steps, [](auto&&... a) { return enqueue(a...); });
      EXPECT_TRUE(entries == expected) << target << ", " << bundles << " bundles";
      std::size_t synapses = 0;
      for (const Entry& entry : expected) synapses += (entry.index >> DrawQueue::kLeftShift) + 1;
      EXPECT_EQ(synapses, std::accumulate(counts.begin(), counts.begin() + static_cast<std::ptrdiff_t>(bundles), std::size_t{0}));
    }
  }
}

TEST(Enqueue, EightBitCountsAreTheReferences) {
  compare_enqueue<std::uint8_t>(9);
  compare_enqueue<std::uint8_t>(255);
}
TEST(Enqueue, SixteenBitCountsAreTheReferences) { compare_enqueue<std::uint16_t>(300); }
// Rows of a few sources with very many synapses: two bundles together are more than the queue holds.
TEST(Enqueue, LongRowsInSeveralBundlesStillProgress) {
  compare_enqueue<std::uint16_t>(DrawQueue::kLargestCount);
}

TEST(SplitDelays, EveryTargetCountsAsTheReference) {
  for (const std::string& target : simd_targets()) {
    const SimdTarget forced(target);
    for (const std::size_t groups : {1, 2, 3, 17, 64}) {
      std::vector<std::uint16_t> thresholds;
      for (std::size_t g = 1; g < groups; ++g) thresholds.push_back(static_cast<std::uint16_t>(65535 * g / groups));
      if (groups == 3) thresholds = {40000, 40000};  // a group that nobody is in
      for (const std::uint32_t n : {0u, 1u, 7u, 8u, 9u, 63u, 64u, 65u, 127u, 128u, 129u, 1000u, 5001u}) {
        std::vector<std::uint32_t> expected(groups + 16), counts(groups + 16);
        reference::split_delays(kKey, 3, 4, n, thresholds.data(), groups, expected.data());
        split_delays(kKey, 3, 4, n, thresholds.data(), groups, counts.data());
        EXPECT_EQ(counts, expected) << target << " " << groups << " " << n;
        EXPECT_EQ(std::accumulate(counts.begin(), counts.end(), 0u), n);
      }
    }
  }
}

// Eight draws of a block are those that split_delays() counts.
TEST(DelayDraws, AreThoseThatAreSplit) {
  constexpr std::size_t kBlocks = 37;
  std::vector<std::uint32_t> index(kBlocks + DelayBlocks::kSlack), source(index.size()), stream(index.size());
  for (std::uint32_t i = 0; i < kBlocks; ++i) index[i] = i % 3, source[i] = 7 * i, stream[i] = 1000 - i;
  for (const std::string& target : simd_targets()) {
    const SimdTarget forced(target);
    std::vector<std::uint32_t> words(4 * index.size());
    delay_draws(kKey, {index.data(), source.data(), stream.data()}, kBlocks, words.data());
    for (std::size_t i = 0; i < kBlocks; ++i) {
      const RandomWords expected = random_words(kKey, Purpose::delay_split, index[i], source[i], stream[i]);
      EXPECT_TRUE(std::equal(expected.begin(), expected.end(), words.begin() + 4 * static_cast<std::ptrdiff_t>(i))) << target << i;
    }
  }
}

// Neighbours with very different numbers of coins, ends of words and of blocks.
TEST(HalveCounts, EveryTargetTossesTheCoinsOfTheReference) {
  std::vector<std::uint32_t> counts{0, 1, 2047, 2048, 31, 32, 33, 0, 127, 128, 129, 5, 64, 500, 96, 97, 0, 3, 0};
  const std::size_t n = counts.size();
  counts.resize(n + kHalvesSlack);
  for (const std::string& target : simd_targets()) {
    const SimdTarget forced(target);
    std::vector<std::uint32_t> expected(2 * counts.size()), children(2 * counts.size());
    reference::halve_counts(kKey, 9, 1021, counts.data(), n, expected.data());
    halve_counts(kKey, 9, 1021, counts.data(), n, children.data());
    for (std::size_t i = 0; i < n; ++i) {
      EXPECT_EQ(children[2 * i], expected[2 * i]) << target << " " << i;
      EXPECT_EQ(children[2 * i] + children[2 * i + 1], counts[i]) << target << " " << i;
    }
  }
}

TEST(DeliverRows, AddsEveryWordAtItsPlaceAndStep) {
  RandomStream random(kKey, Purpose::pair, 0, 0);
  std::vector<std::uint32_t> words(4000);
  for (std::uint32_t& word : words) word = random.next();
  for (const std::size_t visits : {0, 1, 2, 3, 4, 5, 9, 40}) {
    std::vector<RowVisit> rows;
    std::vector<std::int32_t> expected(kRingMask + 1, 0), ring(kRingMask + 1, 0);
    const std::uint32_t now = static_cast<std::uint32_t>(visits % 4);
    for (std::size_t v = 0; v < visits; ++v) {
      const RowVisit row{words.data() + 97 * v, static_cast<std::uint32_t>(v % 13 + (v == 7 ? 64 : 0))};
      rows.push_back(row);
      for (std::uint32_t k = 0; k < row.count; ++k) {
        const std::uint32_t step = (row.words[k] >> 16 & 3) + now;
        expected[(step % 4) * 65536 + (row.words[k] & 0xffff)] += static_cast<std::int32_t>(row.words[k]) >> 18;
      }
    }
    deliver_rows(rows.data(), rows.size(), ring.data(), now << 16);
    EXPECT_TRUE(ring == expected) << visits;
  }
}

// Place and weight of a wide word stand for themselves; a weight here is far beyond 14 bits.
TEST(DeliverRows, AddsEveryWideWordAtItsPlaceAndStep) {
  RandomStream random(kKey, Purpose::pair, 1, 0);
  std::vector<WideWord> words(4000);
  for (WideWord& word : words) word = {random.next() & kRingMask, static_cast<std::int32_t>(random.next()) >> 6};
  for (const std::size_t visits : {0, 1, 2, 3, 4, 5, 9, 40}) {
    std::vector<WideRowVisit> rows;
    std::vector<std::int32_t> expected(kRingMask + 1, 0), ring(kRingMask + 1, 0);
    const std::uint32_t now = static_cast<std::uint32_t>(visits % 4);
    for (std::size_t v = 0; v < visits; ++v) {
      const WideRowVisit row{words.data() + 97 * v, static_cast<std::uint32_t>(v % 13 + (v == 7 ? 64 : 0))};
      rows.push_back(row);
      for (std::uint32_t k = 0; k < row.count; ++k) {
        const std::uint32_t step = (row.words[k].place >> 16) + now;
        expected[(step % 4) * 65536 + (row.words[k].place & 0xffff)] += row.words[k].weight;
      }
    }
    deliver_rows(rows.data(), rows.size(), ring.data(), now << 16);
    EXPECT_TRUE(ring == expected) << visits;
  }
}

/// Weights of up to 27 bits.
std::vector<std::int32_t> wide_weight_tables() {
  std::vector<std::int32_t> tables = weight_tables();
  for (std::int32_t& w : tables) w = w * 8191 + 1;
  return tables;
}

// The same draws as packed words: same places, and the weight at the same place of the table.
TEST(DrawWords, WideWordsAreThePackedOnesWithLargeWeights) {
  const std::vector<std::int32_t> wide = wide_weight_tables(), narrow = weight_tables();
  for (const std::string& target : simd_targets()) {
    const SimdTarget forced(target);
    for (const RingShape shape : kShapes) {
      const Tables tables(shape);
      for (const std::size_t size : awkward_sizes(DrawQueue::kCapacity)) {
        const auto queue = filled_queue(size, static_cast<std::uint32_t>(size), shape);
        DrawTables view = tables.view();
        view.weights = narrow.data();
        std::vector<std::uint32_t> packed(4 * size + 64);
        const std::size_t n = draw_words(*queue, kKey, view, packed.data());
        view.weights = wide.data();
        std::vector<WideWord> words(4 * size + 64);
        ASSERT_EQ(draw_words(*queue, kKey, view, words.data()), n);
        for (std::size_t k = 0; k < n; ++k) {
          ASSERT_EQ(words[k].place, packed[k] & kRingMask) << target << " " << size;
          ASSERT_EQ(words[k].weight, (static_cast<std::int32_t>(packed[k]) >> kWeightShift) * 8191 + 1) << target;
        }
      }
    }
  }
}

TEST(DrawAndDeliver, AddsLargeWeightsAsWideWordsDo) {
  const std::vector<std::int32_t> wide = wide_weight_tables();
  for (const std::string& target : simd_targets()) {
    const SimdTarget forced(target);
    for (const RingShape shape : kShapes) {
      const Tables tables(shape);
      const auto queue = filled_queue(300, 7, shape);
      DrawTables view = tables.view();
      view.weights = wide.data();
      std::vector<WideWord> words(4 * 300 + 64);
      const std::size_t n = draw_words(*queue, kKey, view, words.data());
      std::vector<std::int32_t> expected(kRingMask + 1, 0), ring(kRingMask + 1, 0);
      const std::uint32_t now = shape.row(3);
      for (std::size_t k = 0; k < n; ++k) expected[(words[k].place + now) & kRingMask] += words[k].weight;
      EXPECT_EQ(draw_and_deliver(*queue, kKey, view, ring.data(), now), n);
      EXPECT_TRUE(ring == expected) << target;
    }
  }
}

}  // namespace
}  // namespace tessera::test
