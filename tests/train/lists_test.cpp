// Spike lists by hand: how they are put together, cut and sorted by source; and the crew that does
// it. Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <string>
#include <vector>

#include "train/spike_lists.hpp"
#include "train/topology.hpp"

namespace tessera::training {
namespace {

using Ids = std::vector<std::uint32_t>;

/// Appends a list whose slopes are the ids / 100.
void append(Recording& recording, std::size_t list, Ids spikes, Ids others) {
  std::vector<float> slopes[2];
  for (const std::uint32_t id : spikes) slopes[0].push_back(static_cast<float>(id) / 100.0f);
  for (const std::uint32_t id : others) slopes[1].push_back(static_cast<float>(id) / 100.0f);
  Listed listed;
  listed.spikes = {spikes.data(), slopes[0].data(), nullptr, nullptr,
                   static_cast<std::uint32_t>(spikes.size())};
  listed.others = {others.data(), slopes[1].data(), nullptr, nullptr,
                   static_cast<std::uint32_t>(others.size())};
  recording.append(list, listed, true);
}

/// Two sections (ids below 10 and from 10), two parts (samples 0 and 1 to 2), two steps.
RecordingGrid small_grid() {
  RecordingGrid grid;
  grid.resize(2, 2);
  EXPECT_EQ(grid.begin(1, 3), 1u);
  for (std::uint32_t section : {0u, 1u}) {
    const std::uint32_t at = 10 * section;
    grid.recordings[section * 2].clear(2);
    append(grid.recordings[section * 2], 0, {at + 1, at + 4}, {at + 2});  // sample 0, step 0
    append(grid.recordings[section * 2], 1, {}, {});
    grid.recordings[section * 2 + 1].clear(4);
    append(grid.recordings[section * 2 + 1], 0, {}, {at + 3, at + 5});  // sample 1, step 0
    append(grid.recordings[section * 2 + 1], 1, {at}, {at + 9});        // sample 1, step 1
    append(grid.recordings[section * 2 + 1], 2, {}, {});                // sample 2
    append(grid.recordings[section * 2 + 1], 3, section == 0 ? Ids{7} : Ids{}, {});
  }
  return grid;
}

/// Lists (sample 0: steps 0, 1), (sample 1: steps 0, 1), (sample 2: steps 0, 1).
SpikeLists merged(std::uint32_t capacity, int threads, ListMerge& merge) {
  const RecordingGrid grid = small_grid();
  SpikeLists lists;
  lists.samples = 3;
  lists.steps = 2;
  Crew crew(threads);
  crew.run([&](Worker& worker) { merge.run(worker, grid, capacity, 20, true, lists); });
  return lists;
}

Ids ids_of(const SpikeLists& lists, std::size_t q) {
  for (std::size_t e = lists.first[q]; e < lists.first[q + 1]; ++e) {
    EXPECT_FLOAT_EQ(lists.slope[e], static_cast<float>(lists.id[e]) / 100.0f);
  }
  return {lists.id.begin() + lists.first[q], lists.id.begin() + lists.first[q + 1]};
}

TEST(Lists, SectionsAreMergedSpikesFirst) {
  for (const int threads : {1, 3}) {
    ListMerge merge;
    const SpikeLists lists = merged(20, threads, merge);
    EXPECT_EQ(ids_of(lists, 0), (Ids{1, 4, 11, 14, 2, 12}));
    EXPECT_EQ(ids_of(lists, 1), Ids{});
    EXPECT_EQ(ids_of(lists, 2), (Ids{3, 5, 13, 15}));
    EXPECT_EQ(ids_of(lists, 3), (Ids{0, 10, 9, 19}));
    EXPECT_EQ(ids_of(lists, 4), Ids{});
    EXPECT_EQ(ids_of(lists, 5), (Ids{7}));
    EXPECT_EQ((Ids{lists.spikes.begin(), lists.spikes.begin() + 6}), (Ids{4, 0, 0, 2, 0, 1}));
    EXPECT_EQ(lists.entries(), 15u);
    EXPECT_EQ(merge.total_dropped().spikes + merge.total_dropped().others, 0u);
    Ids counts(20);
    merge.sum_counts(counts);
    EXPECT_EQ(counts, (Ids{1, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0}));
    // Ids of 2 bytes, slopes of 4, two numbers of 4 bytes for each list.
    EXPECT_EQ(lists.bytes(), 15u * 6 + 6 * 8);
  }
}

TEST(Lists, WhatDoesNotFitIsCounted) {
  ListMerge merge;
  const SpikeLists lists = merged(3, 2, merge);
  EXPECT_EQ(ids_of(lists, 0), (Ids{1, 4, 11}));
  EXPECT_EQ(ids_of(lists, 2), (Ids{3, 5, 13}));
  EXPECT_EQ(ids_of(lists, 3), (Ids{0, 10, 9}));
  EXPECT_EQ(ids_of(lists, 5), (Ids{7}));
  EXPECT_EQ(lists.spikes[0], 3u);
  EXPECT_EQ(merge.total_dropped().spikes, 1u);
  EXPECT_EQ(merge.total_dropped().others, 2u + 1 + 1);
  Ids counts(20);
  merge.sum_counts(counts);
  EXPECT_EQ(counts[11], 1u);
  EXPECT_EQ(counts[14], 0u) << "a dropped spike";
}

TEST(Lists, VisitsAreSortedBySourceSpikesFirst) {
  ListMerge merge;
  const SpikeLists lists = merged(20, 1, merge);
  VisitBlock block;
  block.build(lists, {}, 20, 0, 2, 5, true);  // a visit is 5 * sample + step
  const auto visits = [&](std::uint32_t row) {
    return Ids{block.visit.begin() + block.row_first[row],
               block.visit.begin() + block.row_first[row + 1]};
  };
  EXPECT_EQ(visits(0), (Ids{6}));
  EXPECT_EQ(visits(5), (Ids{5}));
  EXPECT_EQ(visits(6), Ids{});
  EXPECT_EQ(visits(7), (Ids{11}));
  EXPECT_EQ(block.row_spikes[5], 0u);
  EXPECT_EQ(block.row_spikes[11], 1u);
  EXPECT_EQ(block.row_first[20], 15u);
  // What is written to a visit comes back to its entry.
  for (std::uint32_t row = 0; row < 20; ++row) {
    for (std::uint32_t v = block.row_first[row]; v < block.row_first[row + 1]; ++v) {
      EXPECT_EQ(block.ds[v], 0.0f);
      block.ds[v] = 1.0f + static_cast<float>(row);
    }
  }
  std::vector<float> entry_ds(lists.entries());
  block.scatter(lists, 0, 2, 0.5f, entry_ds);
  for (std::size_t e = 0; e < lists.entries(); ++e)
    EXPECT_EQ(entry_ds[e], 0.5f * (1.0f + lists.id[e]));
  block.build(lists, {}, 20, 1, 2, 5, false);  // the second step alone, spikes alone
  EXPECT_EQ(block.row_first[20], 3u);
  EXPECT_EQ(visits(7), (Ids{10}));
  EXPECT_EQ(visits(9), Ids{});
}

// Pairs of sources share a row, the last two sources reach nobody.
TEST(Lists, PooledVisitsShareARow) {
  ListMerge merge;
  const SpikeLists lists = merged(20, 1, merge);
  std::vector<std::uint32_t> pooled(20);
  for (std::uint32_t k = 0; k < 20; ++k) pooled[k] = k < 18 ? k / 2 : not_pooled;
  VisitBlock block;
  block.build(lists, pooled, 9, 0, 2, 2, true);
  EXPECT_EQ(block.row_first[9], 14u);  // without id 19
  // Row 2: the spike of 4 (sample 0), then the other of 5 (sample 1).
  ASSERT_EQ(block.row_first[3] - block.row_first[2], 2u);
  EXPECT_EQ(block.row_spikes[2], 1u);
  block.ds[block.row_first[2]] = 4.0f;
  block.ds[block.row_first[2] + 1] = 5.0f;
  std::vector<float> entry_ds(lists.entries(), -1.0f);
  block.scatter(lists, 0, 2, 1.0f, entry_ds);
  for (std::size_t e = 0; e < lists.entries(); ++e) {
    const std::uint16_t id = lists.id[e];
    EXPECT_EQ(entry_ds[e], id == 4 || id == 5 ? id : 0.0f) << id;
  }
}

// Batches are ordered by step, lists by sample.
TEST(Lists, InputIsAllSpikes) {
  const SpikeBatch batch{2, 2, 30, {0, 1, 3, 3, 4}, {5, 6, 29, 1}, {0, 1}};
  for (const int threads : {1, 2}) {
    SpikeLists lists;
    Crew crew(threads);
    crew.run([&](Worker& worker) { assign_input(worker, batch, lists); });
    EXPECT_EQ((Ids{lists.first.begin(), lists.first.begin() + 5}), (Ids{0, 1, 1, 3, 4}));
    EXPECT_EQ((Ids{lists.spikes.begin(), lists.spikes.begin() + 4}), (Ids{1, 0, 2, 1}));
    EXPECT_EQ((Ids{lists.id.begin(), lists.id.begin() + 4}), (Ids{5, 6, 29, 1}));
    EXPECT_EQ(lists.bytes(), 4u * 2 + 4 * 8);
  }
}

// Later phases may need what the failed one did not make: no worker enters them, and nobody waits
// for ever.
TEST(Crew, AnExceptionEndsTheBatchForEveryone) {
  for (const int threads : {1, 2, 4}) {
    Crew crew(threads);
    for (int round = 0; round < 200; ++round) {
      std::atomic<int> before{0}, after{0}, between{0};
      const auto work = [&](Worker& worker) {
        worker.each(20, [&](std::size_t) { ++before; });
        ++between;
        worker.each(8, [&](std::size_t k) {
          if (k == static_cast<std::size_t>(round % 8))
            throw std::runtime_error("job " + std::to_string(k));
        });
        ++after;
        worker.once([&] { ++after; });
      };
      EXPECT_THROW(crew.run(work), std::runtime_error);
      EXPECT_EQ(before, 20);
      EXPECT_EQ(between, threads);
      EXPECT_EQ(after, 0);
      std::atomic<int> sum{0};
      crew.run([&](Worker& worker) {
        worker.each(100, [&](std::size_t k) { sum += static_cast<int>(k); });
        worker.once([&] { sum += 1; });
      });
      EXPECT_EQ(sum, 4951);
    }
  }
}

}  // namespace
}  // namespace tessera::training
