// Who owns what over ranks, how often ranks meet, and which exchange is chosen.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "machine/rank_placement.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "engine/networks.hpp"
#include "machine/exchange_plan.hpp"
#include "tessera/communicator.hpp"

namespace tessera::test {
namespace {

struct Placed {
  Wiring wiring;
  Placement placement;
  ExchangePlan exchange;
};

Placed placed(const Network& network, int ranks, RankPlacement rule, int rank = 0, Exchange exchange = Exchange::automatic) {
  SimulationOptions options = options_of(Connectivity::stored);
  options.communicator = dry_run_communicator(rank, ranks);
  options.rank_placement = rule;
  options.exchange = exchange;
  Wiring wiring(network, 42);
  Placement placement = place(wiring, ports_of(network, NeuronCatalogue::builtin()), options);
  ExchangePlan plan = plan_exchange(wiring, placement, options);
  return {std::move(wiring), std::move(placement), std::move(plan)};
}

std::set<std::uint32_t> ranks_of(const Placed& p, std::uint32_t population) {
  std::set<std::uint32_t> ranks;
  for (std::uint32_t c = 0; c < p.placement.rank_of_chunk.size(); ++c) {
    if (p.wiring.chunks()[c].population == population) ranks.insert(p.placement.rank_of_chunk[c]);
  }
  return ranks;
}

/// `areas` pairs of an excitatory population of 4,000 and an inhibitory one of 1,000. Inside an area the shortest
/// delay is `inside_ms`; from each to the next one `between_ms`, from a tenth of the synapses.
Network ring_of_areas(int areas, double inside_ms = 0.1, double between_ms = 2.0) {
  Network network;
  const Distribution weight = Distribution::constant(10.0);
  const auto name = [](char kind, int area) { return kind + std::to_string(area); };
  for (int a = 0; a < areas; ++a) {
    for (const auto& [kind, size] : {std::pair{'E', 4000u}, {'I', 1000u}}) {
      network.populations.push_back(neurons_of(name(kind, a), size));
      network.populations.back().mean_rate_hz = 5.0;
    }
  }
  for (int a = 0; a < areas; ++a) {
    const auto join = [&](const std::string& from, const std::string& to, std::uint64_t number, double delay) {
      network.projections.push_back(project(from, to, Kind::fixed_total_number, number, weight, Distribution::constant(delay)));
    };
    join(name('E', a), name('E', a), 400000, inside_ms);
    join(name('E', a), name('I', a), 100000, inside_ms);
    join(name('I', a), name('E', a), 100000, inside_ms);
    join(name('E', a), name('E', (a + 1) % areas), 40000, between_ms);
  }
  return network;
}

// Each rank has a part of every population, and no rank is busier than the mean by more than the heaviest chunk:
// what a heaviest-first deal guarantees.
TEST(RankPlacement, SpreadsEveryPopulation) {
  Network network = ring_of_areas(2);
  for (Population& p : network.populations) p.size *= 4;  // 40,000 neurons in chunks of at most 5,714
  const Placed p = placed(network, 4, RankPlacement::spread);
  const std::vector<double>& loads = p.placement.rank_loads;
  const double mean = std::accumulate(loads.begin(), loads.end(), 0.0) / 4.0;
  double heaviest = 0.0;
  for (const Chunk& chunk : p.wiring.chunks()) heaviest = std::max(heaviest, static_cast<double>(chunk.size));
  for (const double load : loads) EXPECT_GT(load, 0.0);
  EXPECT_LT(*std::max_element(loads.begin(), loads.end()), 1.35 * mean);
  EXPECT_EQ(ranks_of(p, 0).size(), 4u);
  EXPECT_EQ(ranks_of(p, 2).size(), 4u);
}

TEST(RankPlacement, PacksWhatShortDelaysJoin) {
  const Network network = ring_of_areas(6);
  for (const int ranks : {2, 3, 6}) {
    const Placed p = placed(network, ranks, RankPlacement::pack);
    std::vector<int> areas(static_cast<std::size_t>(ranks), 0);
    for (std::uint32_t a = 0; a < 6; ++a) {
      const std::set<std::uint32_t> of_area = ranks_of(p, 2 * a);
      ASSERT_EQ(of_area.size(), 1u) << "one rank holds the population";
      EXPECT_EQ(of_area, ranks_of(p, 2 * a + 1)) << "and its partner";
      ++areas[*of_area.begin()];
    }
    for (const int n : areas) EXPECT_EQ(n, 6 / ranks);
    EXPECT_EQ(p.exchange.local_interval, 1u);
    EXPECT_GT(p.exchange.remote_interval, 1u);
  }
}

// Areas of unequal size whose delays all begin at 0.1 ms, as in the multi-area model. Large areas send each other more synapses
// than small ones have inside, so that only the mean delays say what an area is. Each comes to lie on a rank of its own.
TEST(RankPlacement, PacksAreasThatWideDelaysJoin) {
  Network network;
  const Distribution weight = Distribution::constant(10.0), near = Distribution::normal(1.5, 0.75).within(0.1, 100.0),
                     far = Distribution::normal(8.0, 4.0).within(0.1, 100.0);
  const auto name = [](char kind, int area) { return kind + std::to_string(area); };
  for (int a = 0; a < 5; ++a) {
    for (const auto& [kind, size] : {std::pair{'E', 4000u}, {'I', 1000u}}) {
      network.populations.push_back(neurons_of(name(kind, a), size + 400u * static_cast<unsigned>(a)));
      network.populations.back().mean_rate_hz = 5.0;
    }
  }
  for (int a = 0; a < 5; ++a) {
    const auto join = [&](const std::string& from, const std::string& to, std::uint64_t number, const Distribution& delay) {
      network.projections.push_back(project(from, to, Kind::fixed_total_number, number, weight, delay));
    };
    join(name('E', a), name('I', a), 100000, near);
    join(name('I', a), name('E', a), 100000, near);
    join(name('E', a), name('E', (a + 1) % 5), 150000, far);
  }
  const Placed p = placed(network, 5, RankPlacement::pack);
  std::set<std::uint32_t> taken;
  for (std::uint32_t a = 0; a < 5; ++a) {
    const std::set<std::uint32_t> of_area = ranks_of(p, 2 * a);
    ASSERT_EQ(of_area.size(), 1u) << a;
    EXPECT_EQ(of_area, ranks_of(p, 2 * a + 1)) << a;
    taken.insert(*of_area.begin());
  }
  EXPECT_EQ(taken.size(), 5u) << "no rank waits";
  // As many ranks as populations: nobody is joined where that would leave a rank without work.
  const Placed each = placed(network, 10, RankPlacement::pack);
  for (const double load : each.placement.rank_loads) EXPECT_GT(load, 0.0);
}

// One population on three ranks: cut into runs of chunks, none of which comes back to an earlier rank.
TEST(RankPlacement, CutsWhatNoRankCanHoldAlone) {
  Network network;
  network.populations = {neurons_of("A", 60000)};
  network.projections = {project("A", "A", Kind::fixed_indegree, 100, Distribution::constant(1.0), Distribution::constant(1.0))};
  const Placed p = placed(network, 3, RankPlacement::pack);
  std::vector<std::uint32_t> order = p.placement.rank_of_chunk;
  order.erase(std::unique(order.begin(), order.end()), order.end());
  std::sort(order.begin(), order.end());
  EXPECT_EQ(order, (std::vector<std::uint32_t>{0, 1, 2}));
  const std::vector<double>& loads = p.placement.rank_loads;
  EXPECT_LT(*std::max_element(loads.begin(), loads.end()), 1.2 * (loads[0] + loads[1] + loads[2]) / 3.0);
}

TEST(RankPlacement, IsTheSameOnEveryRank) {
  for (const RankPlacement rule : {RankPlacement::spread, RankPlacement::pack}) {
    const Placed first = placed(ring_of_areas(5), 4, rule, 0);
    std::size_t chunks = 0;
    for (int rank = 0; rank < 4; ++rank) {
      const Placed here = placed(ring_of_areas(5), 4, rule, rank);
      EXPECT_EQ(here.placement.rank_of_chunk, first.placement.rank_of_chunk);
      EXPECT_EQ(here.exchange.chosen, first.exchange.chosen);
      EXPECT_EQ(here.exchange.remote_interval, first.exchange.remote_interval);
      chunks += here.placement.own_chunks.size();
      std::size_t on_tiles = 0;
      for (const TilePlacement& tile : here.placement.tiles) on_tiles += tile.chunks.size();
      EXPECT_EQ(on_tiles, here.placement.own_chunks.size());
    }
    EXPECT_EQ(chunks, first.wiring.chunks().size());
  }
}

// Groups of four steps (60,000 neurons): 1 + 4 floor((D - 1) / 4), in whole local intervals.
TEST(ExchangePlan, RanksMeetAsTheShortestDelayBetweenThemAllows) {
  const struct {
    double inside_ms, between_ms;
    std::uint32_t local, remote;
  } cases[] = {{0.1, 2.0, 1, 17}, {0.1, 0.4, 1, 1}, {0.1, 0.5, 1, 5}, {0.9, 2.0, 9, 9}, {0.5, 2.0, 5, 15}, {1.0, 0.3, 1, 1}};
  for (const auto& [inside_ms, between_ms, local, remote] : cases) {
    Network network = ring_of_areas(6, inside_ms, between_ms);
    for (Population& p : network.populations) p.size *= 2;
    const Placed p = placed(network, 3, RankPlacement::pack);
    ASSERT_EQ(p.wiring.ring_shape().steps(), 4u);
    EXPECT_EQ(p.exchange.local_interval, local) << inside_ms << " " << between_ms;
    EXPECT_EQ(p.exchange.remote_interval, remote) << inside_ms << " " << between_ms;
  }
}

// A ring of areas on as many ranks: every rank talks to the next one only, instead of to all others.
TEST(ExchangePlan, ChoosesPointToPointWhereFewNeuronsAreNeeded) {
  const Placed p = placed(ring_of_areas(8), 8, RankPlacement::pack, 3);
  EXPECT_EQ(p.exchange.neighbours.to.size(), 1u);
  EXPECT_EQ(p.exchange.neighbours.from.size(), 1u);
  EXPECT_DOUBLE_EQ(p.exchange.collective.messages_per_step * p.exchange.remote_interval, 7.0);
  EXPECT_DOUBLE_EQ(p.exchange.point_to_point.messages_per_step * p.exchange.remote_interval, 1.0);
  // 8 areas of 5,000 neurons at 5 Hz spike 20 times a step, 2.5 on each rank: collective, 7 others get them all.
  EXPECT_NEAR(p.exchange.collective.received_per_step, 17.5, 1e-9);
  // A neuron of E has 10 synapses on the next rank, one of I none: 2 of its 2.5 spikes a step, less e^-10.
  EXPECT_NEAR(p.exchange.point_to_point.received_per_step, 2.0 * (1.0 - std::exp(-10.0)), 1e-9);
  EXPECT_EQ(p.exchange.chosen, Exchange::point_to_point);
}

// Spread over ranks, nearly every neuron of a balanced network is needed everywhere.
TEST(ExchangePlan, ChoosesCollectiveWhereAllNeedAll) {
  Network network;
  network.populations = {neurons_of("A", 60000)};
  network.projections = {project("A", "A", Kind::fixed_indegree, 1000, Distribution::constant(1.0), Distribution::constant(1.5))};
  for (const int ranks : {2, 4}) {
    EXPECT_EQ(placed(network, ranks, RankPlacement::spread).exchange.chosen, Exchange::collective);
    const Exchange wanted = placed(network, ranks, RankPlacement::spread, 0, Exchange::point_to_point).exchange.chosen;
    EXPECT_EQ(wanted, Exchange::point_to_point) << "forced";
  }
}

// Two meetings of the same network, of which only the messages differ: 24 areas on 24 ranks, each of which sends to the next
// `reach` ones. All spikes: 24 x 5,000 neurons x 40 Hz x 0.1 ms = 480 a step, of which a rank gets 23/24 collectively, in
// five rounds: 5 x 2 us + 460 x 10 ns and the bytes. Point to point takes 2 us, 0.7 us per neighbour, and 13 ns for each of the
// 16 excitatory spikes a step of every area that sends here (with 10 synapses of a neuron, next to all of them).
TEST(ExchangePlan, ChoosesWhatTheCountSays) {
  for (const auto& [reach, expected] : {std::pair{1, Exchange::point_to_point}, {10, Exchange::point_to_point}, {16, Exchange::collective}}) {
    Network network = ring_of_areas(24, 0.1, 0.1);
    for (Population& p : network.populations) p.mean_rate_hz = 40.0;
    for (int a = 0; a < 24; ++a) {
      for (int next = 2; next <= reach; ++next) {
        network.projections.push_back(project("E" + std::to_string(a), "E" + std::to_string((a + next) % 24), Kind::fixed_total_number, 40000,
                                              Distribution::constant(10.0), Distribution::constant(0.1)));
      }
    }
    const Placed p = placed(network, 24, RankPlacement::pack);
    const double collective = 5 * 2.0 + 460.0 * 0.010, some = 2.0 + reach * (0.7 + 16.0 * (1.0 - std::exp(-10.0)) * 0.013);
    ASSERT_EQ(p.exchange.neighbours.to.size(), static_cast<std::size_t>(reach));
    EXPECT_NEAR(p.exchange.collective.seconds_per_step * 1e6, collective, 0.15);
    EXPECT_NEAR(p.exchange.point_to_point.seconds_per_step * 1e6, some, 0.15);
    EXPECT_EQ(p.exchange.chosen, expected) << reach << ": " << some << " and " << collective << " us";
  }
}

TEST(RankPlan, CountsWhatIsOnTheRank) {
  const Network network = ring_of_areas(6);
  double synapses = 0.0;
  std::uint64_t neurons = 0;
  for (int rank = 0; rank < 3; ++rank) {
    SimulationOptions options = options_of(Connectivity::stored);
    options.communicator = dry_run_communicator(rank, 3);
    const Plan plan = tessera::plan(network, NeuronCatalogue::builtin(), options);
    EXPECT_EQ(plan.ranks, 3);
    EXPECT_EQ(plan.rank, rank);
    EXPECT_EQ(plan.neurons, 30000u);
    EXPECT_EQ(plan.rank_loads.size(), 3u);
    synapses += plan.own_synapses;
    neurons += plan.own_neurons;
  }
  EXPECT_EQ(neurons, 30000u);
  EXPECT_NEAR(synapses, 6 * 640000.0, 1.0);
}

// 3.84 million synapses take four bytes each and more, the program 16 MB: 24 MB hold a quarter of them, not all.
TEST(RankPlan, FitsWhereOneProcessDoesNot) {
  const Network network = ring_of_areas(6);
  SimulationOptions options = options_of(Connectivity::stored);
  options.memory_limit_bytes = 28'000'000;
  EXPECT_FALSE(tessera::plan(network, NeuronCatalogue::builtin(), options).obstacles.empty());
  options.communicator = dry_run_communicator(2, 4);
  const Plan quarter = tessera::plan(network, NeuronCatalogue::builtin(), options);
  EXPECT_TRUE(quarter.obstacles.empty()) << quarter.obstacles[0];
  EXPECT_LT(static_cast<double>(quarter.synapse_bytes), 2.0 * 4.0 * 3.84e6 / 4.0);
}

}  // namespace
}  // namespace tessera::test
