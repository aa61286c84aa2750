// What travels between ranks, and the tables it follows from.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "engine/over_ranks.hpp"
#include "engine/rank_exchange.hpp"
#include "engine/reach_table.hpp"
#include "machine/exchange_plan.hpp"
#include "support/draw.hpp"

namespace tessera::test {
namespace {

using Pairs = std::vector<std::pair<std::uint64_t, std::uint64_t>>;

std::vector<std::byte> written(std::uint64_t neurons, const Pairs& spikes) {
  SpikeWriter writer(neurons);
  for (const auto& [step, number] : spikes) writer.put(step, number);
  return {writer.bytes().begin(), writer.bytes().end()};
}

std::optional<Pairs> read(std::span<const std::byte> bytes, std::uint64_t steps, std::uint64_t neurons) {
  Pairs spikes;
  if (!read_spikes(bytes, steps, neurons, [&](std::uint64_t step, std::uint64_t number) { spikes.emplace_back(step, number); })) {
    return std::nullopt;
  }
  return spikes;
}

std::vector<int> numbers(std::span<const std::byte> bytes) {
  std::vector<int> values;
  for (const std::byte byte : bytes) values.push_back(static_cast<int>(byte));
  return values;
}

// By hand, of 1,000 neurons. Keys 3, 70, 1005, 1004; differences 3, 67, 935, -1; zigzag 6, 134, 1870, 1;
// 134 = 6 + 128 * 1 and 1870 = 78 + 128 * 14, and all but a number's last byte have the top bit.
TEST(SpikeCode, IsWhatItsFormatSays) {
  const Pairs spikes{{0, 3}, {0, 70}, {1, 5}, {1, 4}};
  EXPECT_EQ(numbers(written(1000, spikes)), (std::vector<int>{6, 128 + 6, 1, 128 + 78, 14, 1}));
  EXPECT_TRUE(written(1000, {}).empty());
}

TEST(SpikeCode, AnyListComesBack) {
  Draw draw(5, 1);
  for (const std::uint64_t neurons : {1ull, 2ull, 100ull, 70000ull, 4294967295ull}) {
    for (int repetition = 0; repetition < 20; ++repetition) {
      const std::uint32_t steps = 1 + draw.below(4096);
      Pairs spikes;  // in any order, some of them more than once
      for (std::uint32_t n = draw.below(300); n > 0; --n) {
        const auto number = static_cast<std::uint64_t>(draw.between(0.0, 1.0) * static_cast<double>(neurons - 1));
        spikes.insert(spikes.end(), 1 + draw.below(2), {draw.below(steps), number});
      }
      EXPECT_EQ(read(written(neurons, spikes), steps, neurons), spikes) << neurons;
    }
  }
}

TEST(SpikeCode, SpikesOfASteadyPopulationTakeTwoBytes) {
  Pairs spikes;  // every 1,000th of 100,000 neurons in each of 15 steps
  for (std::uint64_t step = 0; step < 15; ++step) {
    for (std::uint64_t i = 0; i < 100; ++i) spikes.emplace_back(step, 1000 * i + 7 * step);
  }
  EXPECT_EQ(written(100000, spikes).size(), 2 * spikes.size() - 1);  // the first difference is 0: one byte
}

TEST(SpikeCode, DamagedListsAreNoticed) {
  const std::vector<std::byte> whole = written(1000, {{0, 999}, {1, 500}});
  EXPECT_FALSE(read(std::span(whole).first(whole.size() - 1), 2, 1000)) << "cut";
  EXPECT_FALSE(read(whole, 1, 1000)) << "a step too late";
  EXPECT_FALSE(read(std::vector<std::byte>{std::byte{1}}, 2, 1000)) << "before the first neuron";
  EXPECT_FALSE(read(std::vector<std::byte>(11, std::byte{0xff}), 2, 1000)) << "a number without an end";
  EXPECT_FALSE(read(whole, 2, 0)) << "of no neurons";
}

// Chunks of 5, 5, 3 and 4 neurons; ranks 1, 0, 0, 2.
TEST(NeuronRanges, NumberTheNeuronsOfEveryRank) {
  const std::vector<Chunk> chunks{{0, 0, 5}, {0, 5, 5}, {1, 0, 3}, {2, 0, 4}};
  const AllNeurons all(chunks, {0, 10, 13}, {1, 0, 0, 2}, 4);
  EXPECT_EQ(all.total(), 17u);
  ASSERT_EQ(all.of(0).ranges().size(), 1u) << "chunks that follow each other are one range";
  EXPECT_EQ(all.of(0).size(), 8u);
  EXPECT_EQ(all.of(1).size(), 5u);
  EXPECT_EQ(all.of(2).size(), 4u);
  EXPECT_EQ(all.of(3).size(), 0u);
  EXPECT_FALSE(all.of(3).has(0));
  const NeuronRanges first = all.of(0);
  EXPECT_FALSE(first.has(4));
  EXPECT_TRUE(first.has(5) && first.has(12));
  EXPECT_FALSE(first.has(13));

  const AllNeurons split(chunks, {0, 10, 13}, {0, 1, 1, 0}, 2);
  const NeuronRanges two = split.of(0);
  ASSERT_EQ(two.ranges().size(), 2u);
  NeuronRanges::Cursor cursor(two);
  for (const auto& [id, number] : {std::pair{0u, 0u}, {4u, 4u}, {13u, 5u}, {16u, 8u}, {2u, 2u}}) {
    EXPECT_EQ(cursor.number_of(id), number);
    EXPECT_EQ(cursor.id_of(number), id);
  }
}

TEST(ReachTable, GivesBackWhatItWasMadeFrom) {
  Draw draw(9, 1);
  for (const std::uint32_t neurons : {1u, 64u, 65u, 5000u}) {
    std::vector<std::vector<std::uint32_t>> reached(7);
    std::vector<std::vector<std::uint16_t>> expected(neurons);
    std::uint64_t pairs = 0, some = 0;
    for (std::uint16_t n = 0; n < reached.size(); ++n) {
      for (std::uint32_t i = 0; i < neurons; ++i) {
        if (!draw.one_in(1 + n * n)) continue;
        reached[n].push_back(i);
        expected[i].push_back(n);
        ++pairs;
      }
    }
    const ReachTable table(neurons, reached);
    for (std::uint32_t i = 0; i < neurons; ++i) {
      const auto found = table.neighbours_of(i);
      EXPECT_TRUE(std::equal(found.begin(), found.end(), expected[i].begin(), expected[i].end())) << i;
      some += expected[i].empty() ? 0 : 1;
    }
    EXPECT_EQ(table.pairs(), pairs);
    // Two bytes a pair, four a neuron that has one and the end, 12 for every 64 neurons.
    EXPECT_EQ(table.bytes(), 2 * pairs + 4 * (some + 1) + 12 * ((neurons + 63) / 64));
    if (neurons >= 64) {
      EXPECT_LE(table.bytes(), 8 * pairs);
    }
  }
}

// Every synapse of every rule between two ranks has its pair; the ranks that a rank hears of are those that send.
TEST(ReachTable, HasEverySynapseOfEveryRule) {
  const Network network = every_rule();
  constexpr int kRanks = 3;
  std::vector<std::uint32_t> first_id{0};
  for (const Population& p : network.populations) first_id.push_back(first_id.back() + p.size);
  std::set<std::tuple<int, std::uint32_t, int>> needed, told;  // (rank, own neuron, rank that needs it)
  std::vector<ExchangePlan> plans;
  for (int rank = 0; rank < kRanks; ++rank) {
    SimulationOptions options = options_of(Connectivity::stored);
    options.communicator = dry_run_communicator(rank, kRanks);
    Wiring wiring(network, 42);
    const Placement placement = place(wiring, ports_of(network, NeuronCatalogue::builtin()), options);
    plans.push_back(plan_exchange(wiring, placement, options));
    const AllNeurons all(wiring.chunks(), first_id, placement.rank_of_chunk, kRanks);
    const std::vector<int>& to = plans.back().neighbours.to;
    ThreadTeam team(2);
    const ReachTable table = make_reach_table(wiring, placement.rank_of_chunk, rank, to, team);
    NeuronRanges ranges = all.of(rank);
    NeuronRanges::Cursor cursor(ranges);
    for (std::uint32_t number = 0; number < ranges.size(); ++number) {
      for (const std::uint16_t n : table.neighbours_of(number)) told.emplace(rank, cursor.id_of(number), to.at(n));
    }
    if (rank > 0) continue;
    const auto rank_of = [&](std::uint32_t id) {
      for (int r = 0; r < kRanks; ++r) {
        if (all.of(r).has(id)) return r;
      }
      return -1;
    };
    for (const Projection& p : network.projections) {
      const std::uint32_t source = first_id[network.index_of(p.source)], target = first_id[network.index_of(p.target)];
      for (const auto& s : list_synapses(network, NeuronCatalogue::builtin(), 42, p.name)) {
        const int from = rank_of(source + s.source), into = rank_of(target + s.target);
        if (from != into) needed.emplace(from, source + s.source, into);
      }
    }
  }
  EXPECT_GT(needed.size(), 1000u);
  EXPECT_TRUE(std::includes(told.begin(), told.end(), needed.begin(), needed.end()));
  for (int a = 0; a < kRanks; ++a) {
    for (int b = 0; b < kRanks; ++b) {
      const std::vector<int>& to = plans[static_cast<std::size_t>(a)].neighbours.to;
      const std::vector<int>& from = plans[static_cast<std::size_t>(b)].neighbours.from;
      EXPECT_EQ(std::count(to.begin(), to.end(), b), std::count(from.begin(), from.end(), a)) << a << " " << b;
    }
  }
}

}  // namespace
}  // namespace tessera::test
