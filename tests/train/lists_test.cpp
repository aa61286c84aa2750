// Spike lists by hand: how they are put together, cut and sorted by source; and the crew that does
// it.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <stdexcept>
#include <string>
#include <vector>

#include "train/spike_lists.hpp"
#include "train/topology.hpp"
#include "train/visit_block.hpp"

namespace tessera::training {
namespace {

using Ids = std::vector<std::uint32_t>;

/// Appends a list with triangular slopes 1 - |x| = id / 100.
void append(Recording& recording, std::uint32_t step, const Ids& spikes, const Ids& others) {
  struct Entry {
    std::uint32_t id;
    bool spike;
  };
  std::vector<Entry> all;
  for (const std::uint32_t id : spikes) all.push_back({id, true});
  for (const std::uint32_t id : others) all.push_back({id, false});
  std::sort(all.begin(), all.end(), [](Entry a, Entry b) { return a.id < b.id; });
  Ids id(all.size() + 16);
  std::vector<float> x(all.size() + 16);
  Candidates candidates{id.data(), x.data()};
  for (const Entry& entry : all) {
    id[candidates.count] = Candidates::place_of(step, entry.id);
    candidates.spikes += entry.spike ? 1 : 0;
    const float size = 1.0f - static_cast<float>(entry.id) / 100.0f;
    x[candidates.count++] = entry.spike ? size : -size;
  }
  Membrane membrane;
  membrane.slope = SlopeKind::triangular;
  membrane.steepness = 1.0f;
  EXPECT_EQ(recording.append(membrane, candidates, true), spikes.size());
}

/// Three samples of two steps in two sections (ids below 10 and from 10) and two parts (samples 0
/// and 1 to 2).
SpikeLists recorded() {
  SpikeLists lists;
  lists.samples = 3;
  lists.steps = 2;
  lists.section_width = 10;
  lists.resize(2, 2);
  EXPECT_EQ(lists.part_begin(1), 1u);
  for (const std::uint32_t sample : {0u, 1u, 2u})
    EXPECT_EQ(lists.part_of(sample), std::min(sample, 1u));
  for (std::uint32_t section : {0u, 1u}) {
    const std::uint32_t at = 10 * section;
    Recording& first = lists.recording(section, 0);
    first.clear(true);
    first.begin_sample();
    append(first, 0, {at + 1, at + 4}, {at + 2});
    append(first, 1, {}, {});
    first.end_samples();
    Recording& second = lists.recording(section, 1);
    second.clear(true);
    second.begin_sample();
    append(second, 0, {}, {at + 3, at + 5});
    append(second, 1, {at}, {at + 9});
    second.begin_sample();
    append(second, 0, {}, {});
    append(second, 1, section == 0 ? Ids{7} : Ids{}, {});
    second.end_samples();
  }
  return lists;
}

/// Lists (sample 0: steps 0, 1), (sample 1: steps 0, 1), (sample 2: steps 0, 1).
SpikeLists merged(std::uint32_t capacity, int threads, ListMerge& merge) {
  SpikeLists lists = recorded();
  Crew crew(threads);
  crew.run([&](Worker& worker) { merge.run(worker, capacity, 20, lists); });
  for (const Recording& r : lists.recordings) {
    for (const Stream* s : {&r.spikes, &r.others}) {
      for (std::size_t e = 0; e < s->size; ++e)
        EXPECT_NEAR(s->slope[e], static_cast<float>(s->id[e]) / 100.0f, 1e-6);
    }
  }
  for (Recording& r : lists.recordings) {
    r.spikes.ds.assign(r.spikes.size, -1.0f);
    r.others.ds.assign(r.others.size, -1.0f);
  }
  return lists;
}

Ids ids_of(const SpikeLists& lists, std::size_t q) {
  return {lists.id.begin() + lists.first[q], lists.id.begin() + lists.first[q + 1]};
}

/// Spikes and others of a sample's step, section after section.
std::array<Ids, 2> entries_of(const SpikeLists& lists, std::uint32_t sample, std::uint32_t step) {
  std::array<Ids, 2> found;
  const std::uint32_t part = lists.part_of(sample), local = sample - lists.part_begin(part);
  for (std::uint32_t s = 0; s < lists.sections; ++s) {
    const Recording& r = lists.recording(s, part);
    StepEntries in = StepEntries::behind(r, local, step + 1);
    in.back_to(r, local, step);
    found[0].insert(found[0].end(), r.spikes.id.begin() + in.spike0,
                    r.spikes.id.begin() + in.spike1);
    found[1].insert(found[1].end(), r.others.id.begin() + in.other0,
                    r.others.id.begin() + in.other1);
  }
  return found;
}

TEST(Lists, SpikesOfAllSectionsAreMerged) {
  for (const int threads : {1, 3}) {
    ListMerge merge;
    const SpikeLists lists = merged(20, threads, merge);
    EXPECT_EQ(ids_of(lists, 0), (Ids{1, 4, 11, 14}));
    EXPECT_EQ(ids_of(lists, 1), Ids{});
    EXPECT_EQ(ids_of(lists, 2), Ids{});
    EXPECT_EQ(ids_of(lists, 3), (Ids{0, 10}));
    EXPECT_EQ(ids_of(lists, 4), Ids{});
    EXPECT_EQ(ids_of(lists, 5), (Ids{7}));
    EXPECT_EQ(entries_of(lists, 0, 0), (std::array<Ids, 2>{Ids{1, 4, 11, 14}, Ids{2, 12}}));
    EXPECT_EQ(entries_of(lists, 1, 0), (std::array<Ids, 2>{Ids{}, Ids{3, 5, 13, 15}}));
    EXPECT_EQ(entries_of(lists, 1, 1), (std::array<Ids, 2>{Ids{0, 10}, Ids{9, 19}}));
    EXPECT_EQ(entries_of(lists, 2, 0), (std::array<Ids, 2>{}));
    EXPECT_EQ(entries_of(lists, 2, 1), (std::array<Ids, 2>{Ids{7}, Ids{}}));
    EXPECT_EQ(lists.entries(), 15u);
    EXPECT_EQ(merge.total_dropped().spikes + merge.total_dropped().others, 0u);
    Ids counts(20);
    merge.sum_counts(counts);
    EXPECT_EQ(counts, (Ids{1, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0}));
    // Id, step and slope of an entry, a merged id for each of the 7 spikes, where each of the 6
    // lists begins, and how many entries of two kinds each section has in it.
    EXPECT_EQ(lists.bytes(), 15u * 8 + 7 * 2 + 6 * 4 + 2 * 6 * 4);
  }
}

TEST(Lists, WhatDoesNotFitIsCountedAndLeavesTheRecordings) {
  ListMerge merge;
  const SpikeLists lists = merged(3, 2, merge);
  EXPECT_EQ(ids_of(lists, 0), (Ids{1, 4, 11}));
  EXPECT_EQ(ids_of(lists, 3), (Ids{0, 10}));
  EXPECT_EQ(ids_of(lists, 5), (Ids{7}));
  EXPECT_EQ(entries_of(lists, 0, 0), (std::array<Ids, 2>{Ids{1, 4, 11}, Ids{}}));
  EXPECT_EQ(entries_of(lists, 1, 0), (std::array<Ids, 2>{Ids{}, Ids{3, 5, 13}}));
  EXPECT_EQ(entries_of(lists, 1, 1), (std::array<Ids, 2>{Ids{0, 10}, Ids{9}}));
  EXPECT_EQ(entries_of(lists, 2, 1), (std::array<Ids, 2>{Ids{7}, Ids{}}));
  EXPECT_EQ(merge.total_dropped().spikes, 1u);
  EXPECT_EQ(merge.total_dropped().others, 2u + 1 + 1);
  Ids counts(20);
  merge.sum_counts(counts);
  EXPECT_EQ(counts[11], 1u);
  EXPECT_EQ(counts[14], 0u) << "a dropped spike";
}

TEST(Lists, VisitsAreSortedBySourceSpikesFirst) {
  ListMerge merge;
  SpikeLists lists = merged(20, 1, merge);
  for (const bool padded : {false, true}) {
    for (const std::uint32_t parts : {1u, 2u}) {
      for (const std::uint32_t section : {0u, 1u}) {
        VisitBlock block;
        const VisitRange range{section, 0,      2, 5,
                               true,    padded, 99};  // a row of g is 5 * sample + step
        block.build(lists, {}, 20, range, parts);
        ASSERT_EQ(block.first_row, 10 * section);
        ASSERT_EQ(block.rows(), 10u);
        const auto visits = [&](std::uint32_t row, std::uint32_t spikes, std::uint32_t others) {
          const auto at = block.visit.begin() + block.row_first[row];
          Ids all{at, at + spikes};
          const std::uint32_t size = block.row_first[row + 1] - block.row_first[row];
          EXPECT_EQ(size, padded ? (spikes + 3) / 4 * 4 + (others + 3) / 4 * 4 : spikes + others);
          EXPECT_EQ(block.row_spikes[row], padded ? (spikes + 3) / 4 * 4 : spikes);
          all.insert(all.end(), at + block.row_spikes[row], at + block.row_spikes[row] + others);
          if (padded && spikes > 0) {
            EXPECT_EQ(at[block.row_spikes[row] - 1], 99u);
          }
          return all;
        };
        if (section == 0) {
          EXPECT_EQ(visits(0, 1, 0), (Ids{6}));
          EXPECT_EQ(visits(5, 0, 1), (Ids{5}));
          EXPECT_EQ(visits(6, 0, 0), Ids{});
          EXPECT_EQ(visits(7, 1, 0), (Ids{11}));
        } else {
          EXPECT_EQ(visits(1, 1, 0), (Ids{0}));
          EXPECT_EQ(visits(3, 0, 1), (Ids{5}));
        }
        if (!padded) {
          EXPECT_EQ(block.visits(), section == 0 ? 8u : 7u);
        }
        // What is written to a visit comes back to its entry, summed over the parts.
        const std::uint32_t n = block.visits();
        for (std::uint32_t row = 0; row < 10; ++row) {
          for (std::uint32_t v = block.row_first[row]; v < block.row_first[row + 1]; ++v) {
            block.ds[v] = 1.0f + static_cast<float>(block.first_row + row);
            if (parts == 2) block.ds[n + v] = 100.0f;
          }
        }
        block.scatter(lists, range, 0.5f);
      }
      for (const Recording& r : lists.recordings) {
        for (const Stream* s : {&r.spikes, &r.others}) {
          for (std::size_t e = 0; e < s->size; ++e)
            EXPECT_EQ(s->ds[e], 0.5f * (1.0f + s->id[e] + (parts == 2 ? 100.0f : 0.0f)));
        }
      }
    }
  }
  VisitBlock block;
  block.build(lists, {}, 20, {0, 1, 2, 5, false, false, 0});  // the second step alone, spikes alone
  EXPECT_EQ(block.visits(), 2u);
  EXPECT_EQ(block.visit[block.row_first[7]], 10u);
  EXPECT_EQ(block.row_first[9], block.row_first[10]);
  VisitRange whole;
  whole.end = 2;
  whole.sample_stride = 5;
  block.build(lists, {}, 20, whole);  // all sections, spikes alone
  EXPECT_EQ(block.rows(), 20u);
  EXPECT_EQ(block.visits(), 7u);
  EXPECT_EQ(block.visit[block.row_first[14]], 0u);
}

// Pairs of sources share a row, the last two sources reach nobody.
TEST(Lists, PooledVisitsShareARow) {
  ListMerge merge;
  SpikeLists lists = merged(20, 1, merge);
  std::vector<std::uint32_t> pooled(20);
  for (std::uint32_t k = 0; k < 20; ++k) pooled[k] = k < 18 ? k / 2 : not_pooled;
  VisitBlock block;
  VisitRange range;
  range.end = 2;
  range.sample_stride = 2;
  range.others = true;
  block.build(lists, pooled, 9, range);
  EXPECT_EQ(block.row_first[9], 14u);  // without id 19
  // Row 2: the spike of 4 (sample 0), then the other of 5 (sample 1).
  ASSERT_EQ(block.row_first[3] - block.row_first[2], 2u);
  EXPECT_EQ(block.row_spikes[2], 1u);
  std::fill(block.ds.begin(), block.ds.end(), 0.0f);
  block.ds[block.row_first[2]] = 4.0f;
  block.ds[block.row_first[2] + 1] = 5.0f;
  block.scatter(lists, range, 1.0f);
  for (const Recording& r : lists.recordings) {
    for (const Stream* s : {&r.spikes, &r.others}) {
      for (std::size_t e = 0; e < s->size; ++e) {
        const std::uint16_t id = s->id[e];
        EXPECT_EQ(s->ds[e], id == 4 || id == 5 ? id : 0.0f) << id;
      }
    }
  }
}

// Batches are ordered by step, lists by sample.
TEST(Lists, InputIsAllSpikes) {
  const SpikeBatch batch{2, 2, 300, {0, 1, 3, 3, 4}, {5, 6, 290, 1}, {0, 1}};
  for (const int threads : {1, 2}) {
    SpikeLists lists;
    Crew crew(threads);
    crew.run([&](Worker& worker) { assign_input(worker, batch, true, lists); });
    EXPECT_EQ((Ids{lists.first.begin(), lists.first.begin() + 5}), (Ids{0, 1, 1, 3, 4}));
    EXPECT_EQ((Ids{lists.id.begin(), lists.id.begin() + 4}), (Ids{5, 6, 290, 1}));
    EXPECT_EQ(lists.sections, 3u);
    EXPECT_EQ(entries_of(lists, 0, 0)[0], (Ids{5}));
    EXPECT_EQ(entries_of(lists, 1, 0)[0], (Ids{6, 290}));
    EXPECT_EQ(entries_of(lists, 1, 1)[0], (Ids{1}));
    EXPECT_EQ(lists.recording(2, lists.part_of(1)).spikes.size, 1u);
    crew.run([&](Worker& worker) { assign_input(worker, batch, false, lists); });
    EXPECT_EQ(lists.entries(), 0u) << "nothing is recorded without gradients";
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
