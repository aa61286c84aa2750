// Sources with few synapses each: the law of cells, where short rows lie, and what a process holds.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <vector>

#include "connectivity/connect.hpp"
#include "connectivity/row_places.hpp"
#include "connectivity/row_store.hpp"
#include "connectivity/samplers.hpp"
#include "connectivity/source_cells.hpp"
#include "support/draw.hpp"
#include "support/goodness_of_fit.hpp"

namespace tessera::test {
namespace {

// Binomial(n, 1/2), on both sides of the change from counting bits to rejection.
TEST(DrawHalf, CountsFollowTheDistribution) {
  constexpr int kDraws = 40000;
  std::uint32_t at = 0;
  for (const std::uint64_t n : {0u, 1u, 2u, 33u, 511u, 512u, 513u, 2000u, 30000u}) {
    RandomStream stream(RandomKey(12), Purpose::pair, at++, 1);
    std::vector<std::uint64_t> counts;
    for (int i = 0; i < kDraws; ++i) {
      counts.push_back(draw_half(n, stream));
      ASSERT_LE(counts.back(), n);
    }
    EXPECT_TRUE(fits(histogram(counts, n + 2), expectation(kDraws, n + 2, log_binomial(static_cast<double>(n), 0.5)))) << n;
  }
}

// Nearly normal: mean, variance, and the shares beyond one, two and three standard deviations.
TEST(DrawHalf, LargeCountsAreNormal) {
  constexpr std::uint64_t kTrials = 147'456'000;
  constexpr int kDraws = 100'000;
  RandomStream stream(RandomKey(13), Purpose::pair, 0, 1);
  std::vector<double> z;
  for (int i = 0; i < kDraws; ++i) {
    z.push_back((static_cast<double>(draw_half(kTrials, stream)) - kTrials / 2.0) / (0.5 * std::sqrt(static_cast<double>(kTrials))));
  }
  EXPECT_TRUE(ks_fits(z, [](double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }, 1e-3));
}

std::vector<std::uint32_t> counts_of(const SourceCells& cells, std::uint32_t sources) {
  std::vector<std::uint32_t> counts(sources, 0), places;
  for (std::uint32_t cell = 0; cell < cells.cells(); ++cell) {
    places.resize(cells.room(cell));
    cells.places(cell, places.data());
    for (std::uint32_t k = 0; k < cells.count(cell); ++k) ++counts.at(cells.begin(cell) + places[k]);
  }
  return counts;
}

// Every item falls on every source with the same chance, independently: the count of any set of m sources is
// binomial(items, m / sources). Sets: the first source, the last (its cell is not whole), two neighbours in one
// cell, two in different cells, half of all, every second cell.
TEST(SourceCells, ItemsFallOnEverySourceAlike) {
  constexpr std::uint32_t kSources = 301, kItems = 700, kTrees = 4000;
  const auto width = SourceCells::width_for(static_cast<double>(kItems) / kSources);
  EXPECT_EQ(width, 32u);
  std::vector<std::vector<std::uint32_t>> sets = {{0}, {300}, {6, 7}, {3, 200}, {}, {}};
  for (std::uint32_t s = 0; s < kSources; ++s) {
    if (s % 2 == 1) sets[4].push_back(s);
    if (s / width % 2 == 1) sets[5].push_back(s);
  }
  std::vector<std::vector<std::uint32_t>> seen(sets.size());
  for (std::uint32_t t = 0; t < kTrees; ++t) {
    const SourceCells cells(RandomKey(99 + t), 5, kItems, kSources, width);
    const std::vector<std::uint32_t> counts = counts_of(cells, kSources);
    ASSERT_EQ(std::accumulate(counts.begin(), counts.end(), 0u), kItems);
    for (std::size_t i = 0; i < sets.size(); ++i) {
      std::uint32_t n = 0;
      for (const std::uint32_t s : sets[i]) n += counts[s];
      seen[i].push_back(n);
    }
  }
  for (std::size_t i = 0; i < sets.size(); ++i) {
    const double p = static_cast<double>(sets[i].size()) / kSources;
    EXPECT_TRUE(fits(histogram(seen[i], kItems + 2), expectation(kTrees, kItems + 2, log_binomial(kItems, p)))) << "set " << i;
  }
}

// All outcomes of 2 items on 3 sources, of which each ordered pair has the same chance.
TEST(SourceCells, EveryOutcomeOfATinyCaseIsEquallyLikely) {
  constexpr std::uint32_t kTrees = 18000;
  for (const std::uint32_t width : {1u, 2u, 4u}) {
    std::vector<double> seen(9, 0.0);
    for (std::uint32_t t = 0; t < kTrees; ++t) {
      const SourceCells cells(RandomKey(t), 1, 2, 3, width);
      std::vector<std::uint32_t> where, places;
      for (std::uint32_t cell = 0; cell < cells.cells(); ++cell) {
        places.resize(cells.room(cell));
        cells.places(cell, places.data());
        for (std::uint32_t k = 0; k < cells.count(cell); ++k) where.push_back(cells.begin(cell) + places[k]);
      }
      ASSERT_EQ(where.size(), 2u);
      seen[3 * std::min(where[0], where[1]) + std::max(where[0], where[1])] += 1.0;
    }
    // Items of different cells have no order, so unordered pairs are counted.
    std::vector<double> expected(9, 0.0);
    for (std::uint32_t a = 0; a < 3; ++a) {
      for (std::uint32_t b = 0; b < 3; ++b) expected[3 * std::min(a, b) + std::max(a, b)] += kTrees / 9.0;
    }
    std::vector<double> some, wanted;
    for (std::size_t i = 0; i < 9; ++i) {
      if (expected[i] > 0.0) some.push_back(seen[i]), wanted.push_back(expected[i]);
    }
    EXPECT_TRUE(fits(some, wanted)) << width;
  }
}

// Random rows, short and long, with one delay group and several: what was put in is found again.
TEST(RowPlaces, FindsEveryRowAgain) {
  Draw draw(3);
  for (const double mean : {0.02, 0.7, 5.0}) {
    for (const bool several : {false, true}) {
      const std::uint32_t sources = 1 + draw.below(3000), first_source = draw.below(1000), at = draw.below(50);
      RowPlaces places(first_source, sources, mean * sources, several);
      ASSERT_TRUE(places.is_short());
      std::map<std::uint32_t, std::vector<std::pair<std::uint32_t, std::uint32_t>>> rows;  // source -> (word, group)
      std::uint32_t position = at;
      for (std::uint32_t s = 0; s < sources; ++s) {
        places.begin(s, position);
        for (std::uint32_t group = 2; group < (several ? 5u : 3u); ++group) {
          const std::uint32_t n = draw.between(0.0, 1.0) < mean ? draw.below(3) : 0;
          if (n == 0) continue;
          places.add(s, group, n);
          for (std::uint32_t k = 0; k < n; ++k) rows[s].emplace_back(position++, group);
        }
      }
      places.finish(position);
      for (std::uint32_t s = 0; s < sources; ++s) {
        std::vector<std::pair<std::uint32_t, std::uint32_t>> found;
        places.for_each_run(first_source + s, [&](InFlight::Cursor cursor) {
          EXPECT_NE(cursor.header & row_header::kLast, 0u);
          for (std::uint32_t k = 0; k < row_header::count(cursor.header); ++k) {
            found.emplace_back(cursor.words + k, row_header::group(cursor.header));
          }
        });
        ASSERT_EQ(found, rows[s]) << mean << " " << several << " " << s;
        ASSERT_EQ(places.empty(first_source + s), rows[s].empty());
      }
    }
  }
}

// What find_reaching() says of a range of sources, against the rows themselves. Rules that it does not draw may
// be told to reach everything.
TEST(Reaching, NoSourceWithASynapseIsMissed) {
  struct Case {
    ConnectivityRule rule;
    bool exact;
  };
  ConnectivityRule bernoulli = rule_of(Kind::pairwise_bernoulli);
  bernoulli.probability = 1e-3;
  for (const auto& [rule, exact] : {Case{rule_of(Kind::fixed_indegree, 2), true}, Case{rule_of(Kind::fixed_indegree, 90), false},
                                    Case{rule_of(Kind::fixed_indegree, 2, true, false), false},
                                    Case{rule_of(Kind::fixed_total_number, 1500), true},
                                    Case{rule_of(Kind::fixed_total_number, 1500, true, false), true},
                                    Case{rule_of(Kind::fixed_outdegree, 1), true}, Case{rule_of(Kind::one_to_one), true},
                                    Case{bernoulli, false}}) {
    const Network network = one_projection(1300, 1300, rule);
    Wiring wiring(network, 3);
    wiring.own_all();
    wiring.prepare_reaching();
    for (const Bundle& bundle : wiring.bundles()) {
      wiring.prepare_bundle(bundle);
      std::vector<bool> reached(801, false);
      wiring.find_reaching(0, bundle.chunk, 37, 838, reached.begin());
      std::vector<RowSynapse> row;
      for (std::uint32_t s = 37; s < 838; ++s) {
        row.clear();
        wiring.list_row(bundle, s, row);
        if (!row.empty() || exact) {
          ASSERT_EQ(reached[s - 37], !row.empty()) << to_string(rule.kind) << " " << s;
        }
      }
    }
  }
}

/// In-degree 40 from `sources` neurons onto 2,000: the bytes that one chunk of them takes.
struct Held {
  double wiring = 0.0, stored = 0.0, procedural = 0.0, synapses = 0.0;
};
Held held_by_a_chunk(std::uint32_t sources, const Distribution& delay_ms) {
  Network network = one_projection(sources, 2000, rule_of(Kind::fixed_indegree, 40));
  network.projections[0].delay_ms = delay_ms;
  Wiring wiring(network, 3);
  const auto last = static_cast<std::uint32_t>(wiring.chunks().size() - 1);
  wiring.own(std::span(&last, 1));
  wiring.prepare_chunk(last);
  const TileLayout layout = lay_out_tile(wiring.chunks(), {last}, {1, 1});
  const WeightUnits units = choose_weight_units(wiring);
  const RowStoreInput input{&wiring, &units, &layout, wiring.exchange_steps()};
  Held held;
  const auto stored = make_stored_rows(input), procedural = make_procedural_rows(input, true);
  held.wiring = static_cast<double>(wiring.bytes());
  held.stored = static_cast<double>(stored->bytes());
  held.procedural = static_cast<double>(procedural->bytes());
  held.synapses = static_cast<double>(stored->synapses());
  EXPECT_EQ(stored->synapses(), 40u * wiring.chunks().back().size);
  return held;
}

// The same synapses of 10 thousand, 1 and 40 million sources: what is held does not follow the sources.
// A stored synapse takes a word, a byte and, of several groups, two more; 64 words or more share an index.
TEST(Growth, WhatAProcessHoldsFollowsItsSynapsesNotTheSources) {
  const Distribution one = Distribution::constant(1.5), several = Distribution::normal(3.0, 1.0).within(0.1, 9.0);
  for (const auto& [delay, word_bytes] : {std::pair(one, 5.0), std::pair(several, 7.0)}) {
    for (const std::uint32_t sources : {10'000u, 1'000'000u, 40'000'000u}) {
      const Held held = held_by_a_chunk(sources, delay);
      const double slack = 65536.0 + 4.0 * sources / 256.0;  // rooms that grow in steps; a byte names 256 sources
      EXPECT_LT(held.stored, (word_bytes + 0.1) * held.synapses + slack) << sources;
      EXPECT_LT(held.wiring, 0.1 * held.synapses + 60'000.0) << sources;
      EXPECT_LT(held.procedural, 1'000.0) << sources;
    }
  }
}

/// What a chunk of 2,000 neurons keeps of one step in which `spikes` of `sources` neurons spike.
struct Kept {
  double bytes = 0.0, with_synapse = 0.0, items = 0.0;
};
Kept kept_of_a_step(std::uint32_t sources, std::uint32_t spikes) {
  const Network network = one_projection(sources, 2000, rule_of(Kind::fixed_indegree, 40));
  Wiring wiring(network, 3);
  const auto last = static_cast<std::uint32_t>(wiring.chunks().size() - 1);
  wiring.own(std::span(&last, 1));
  wiring.prepare_chunk(last);
  const TileLayout layout = lay_out_tile(wiring.chunks(), {last}, {1, 1});
  const WeightUnits units = choose_weight_units(wiring);
  const auto rows = make_procedural_rows({&wiring, &units, &layout, wiring.exchange_steps()}, true);
  std::vector<std::uint32_t> all(spikes);
  for (std::uint32_t s = 0; s < spikes; ++s) all[s] = s * (sources / spikes);
  Kept kept;
  kept.items = 40.0 * wiring.chunks().back().size;
  std::vector<RowSynapse> row;
  std::size_t synapses = 0;
  for (const std::uint32_t s : all) {
    row.clear();
    for (const Bundle& bundle : wiring.bundles()) wiring.list_row(bundle, s, row);
    kept.with_synapse += row.empty() ? 0.0 : 1.0;
    synapses += row.size();
  }
  const auto before = static_cast<double>(rows->bytes());
  const std::span<const std::uint32_t> list(all);
  rows->receive(0, {&list, 1});
  std::vector<std::int32_t> ring(std::size_t{wiring.ring_shape().steps()} * wiring.ring_shape().slots());
  for (std::int64_t step = 1; step <= wiring.max_delay_steps(); ++step) rows->deliver(step, ring.data());
  kept.bytes = static_cast<double>(rows->bytes()) - before;
  EXPECT_EQ(rows->counters().synaptic_events, synapses);  // nothing is lost
  return kept;
}

// 24 bytes of every spike that waits until it is due, in a room that at most doubles, and a fixed one for those that are
// looked at; the sources with a synapse are those on which one of the chunk's items falls, all alike.
TEST(Growth, SpikesWithoutASynapseHereAreNotKept) {
  constexpr double kSpikes = 50'000.0, kSpikeBytes = 24.0;
  for (const std::uint32_t sources : {1'000'000u, 4'000'000u, 16'000'000u}) {
    const Kept kept = kept_of_a_step(sources, static_cast<std::uint32_t>(kSpikes));
    const double with = kSpikes * -std::expm1(-kept.items / sources);
    EXPECT_NEAR(kept.with_synapse, with, 6.0 * std::sqrt(with)) << sources;
    EXPECT_LT(kept.bytes, 2.0 * kSpikeBytes * kept.with_synapse + 8192.0) << sources;
    EXPECT_GE(kept.bytes, kSpikeBytes * kept.with_synapse) << sources;
  }
}

}  // namespace
}  // namespace tessera::test
