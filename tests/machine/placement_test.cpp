// How many threads a network is worth, by hand from its neurons and synaptic events.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "machine/placement.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "connectivity/wiring.hpp"
#include "tessera/simulation.hpp"

namespace tessera::test {
namespace {

constexpr int kManyCores = 64;

// 6,000 neurons of `in_degree` that fire at `rate_hz`: 6000 * (0.3 + in_degree * rate_hz * 0.1 ms)
// events a step. At most a seventh of them is a chunk, and chunks are even in number: 8.
Network recurrent(std::uint64_t in_degree, double rate_hz, double delay_ms) {
  Network network;
  Population population;
  population.name = "A";
  population.size = 6000;
  population.model = "iaf_psc_exp";
  population.mean_rate_hz = rate_hz;
  network.populations = {population};
  Projection projection;
  projection.name = "P";
  projection.source = projection.target = "A";
  projection.rule.kind = ConnectivityRule::Kind::fixed_indegree;
  projection.rule.number = in_degree;
  projection.weight = Distribution::constant(10.0);
  projection.delay_ms = Distribution::constant(delay_ms);
  network.projections = {projection};
  return network;
}

int threads(const Network& network, int cores, Precision precision = Precision::fast) {
  Wiring wiring(network, 1);
  wiring.own_all();
  return threads_for(wiring, precision, cores);
}

TEST(Threads, FollowTheEventsBetweenTwoMeetings) {
  EXPECT_EQ(threads(recurrent(100, 10.0, 0.1), kManyCores), 1);   // 2,400
  EXPECT_EQ(threads(recurrent(1000, 10.0, 0.1), kManyCores), 1);  // 7,800: not two times 6,000
  EXPECT_EQ(threads(recurrent(1000, 30.0, 0.1), kManyCores), 3);  // 19,800
}

TEST(Threads, MeetLessOftenWithLongerDelays) {
  // 0.5 ms: every fifth step, so five times 2,400.
  EXPECT_EQ(threads(recurrent(100, 10.0, 0.5), kManyCores), 2);
}

TEST(Threads, AreAtMostOnePerCoreAndOnePerChunk) {
  EXPECT_EQ(threads(recurrent(1000, 30.0, 0.1), 2), 2);
  EXPECT_EQ(threads(recurrent(1000, 30.0, 0.1), 1), 1);
  EXPECT_EQ(threads(recurrent(1000, 300.0, 0.1), kManyCores), 8);  // 181,800
}

TEST(Threads, OfExactPrecisionAreFourTimesAsBusy) {
  EXPECT_EQ(threads(recurrent(1000, 10.0, 0.1), kManyCores, Precision::exact), 5);  // 31,200
}

TEST(Threads, AssumeFiveSpikesPerSecondWhereNoRateIsKnown) {
  EXPECT_EQ(threads(recurrent(3000, 0.0, 0.1), kManyCores), 1);  // 6000 * (0.3 + 1.5) = 10,800
  EXPECT_EQ(threads(recurrent(4000, 0.0, 0.1), kManyCores), 2);  // 6000 * (0.3 + 2.0) = 13,800
}

TEST(Threads, AreWhatThePlanSaysUnlessTheyAreGiven) {
  const Network network = recurrent(100, 10.0, 0.1);
  SimulationOptions options;
  EXPECT_EQ(plan(network, NeuronCatalogue::builtin(), options).threads, 1);
  options.threads = 5;
  EXPECT_EQ(plan(network, NeuronCatalogue::builtin(), options).threads, 5);
}

/// Population "A" of 32,768 neurons, joined to itself, and others of such sizes that nothing joins: one chunk each up to 512
/// neurons, two halves up to 32,768. The largest rings have 65,536 slots.
Network populations_of(const std::vector<std::uint32_t>& sizes) {
  Network network = recurrent(1, 1.0, 0.1);
  const Population like = network.populations[0];
  network.populations[0].size = 2 * 16'384;
  for (const std::uint32_t size : sizes) {
    Population p = like;
    p.name = "P" + std::to_string(network.populations.size());
    p.size = size;
    network.populations.push_back(p);
  }
  return network;
}

Placement placed(const Network& network, int threads, int tiles = 0) {
  const Wiring wiring(network, 1);
  EXPECT_EQ(wiring.ring_shape().slots(), 65'536u);
  SimulationOptions options;
  options.threads = threads;
  options.tiles = tiles;
  return place(wiring, std::vector<int>(network.populations.size(), 1), options);
}

using Chunks = std::vector<std::uint32_t>;
std::vector<Chunks> chunks_of(const Placement& placement) {
  std::vector<Chunks> chunks;
  for (const TilePlacement& tile : placement.tiles) chunks.push_back(tile.chunks);
  return chunks;
}

// Chunks of 16,384 neurons, four to a tile of 65,536 slots; that of 512 neurons breaks the even number: after it three fit.
TEST(Tiles, HoldNeighboursWhereAWorkerHasMany) {
  // Chunks 0 to 5; 6 has 512 neurons; 7 to 12. Slots 4 x 16,384 | 2 x 16,384 + 512 + 16,384, no room for 16,384 more | ...
  const Network network = populations_of({32'768, 32'768, 512, 32'768, 32'768, 32'768});
  const Placement placement = placed(network, 1);
  std::vector<Chunks> tiles = chunks_of(placement);
  std::sort(tiles.begin(), tiles.end());
  EXPECT_EQ(tiles, (std::vector<Chunks>{{0, 1, 2, 3}, {4, 5, 6, 7}, {8, 9, 10, 11}, {12}}));
  // Heaviest first: the population that receives synapses, then by neurons; equal ones as they come.
  EXPECT_EQ(chunks_of(placement), (std::vector<Chunks>{{0, 1, 2, 3}, {8, 9, 10, 11}, {4, 5, 6, 7}, {12}}));
}

TEST(Tiles, OfNeighboursAreDealtForthAndBack) {
  const Network network = populations_of({32'768, 32'768, 32'768, 32'768, 32'768, 32'768, 32'768, 32'768});
  const Placement placement = placed(network, 2);
  // 18 chunks of 16,384: the first tile has synapses, the next three are equal, the last has two chunks. Worker 0 gets the
  // heaviest and the fourth, worker 1 the second and the third.
  ASSERT_EQ(chunks_of(placement), (std::vector<Chunks>{{0, 1, 2, 3}, {4, 5, 6, 7}, {12, 13, 14, 15}, {8, 9, 10, 11}, {16, 17}}));
  const std::vector<int> workers{0, 1, 0, 1, 0};
  for (std::size_t t = 0; t < workers.size(); ++t) EXPECT_EQ(placement.tiles[t].worker, workers[t]);
}

// Two tiles per worker or fewer, or more tiles than the slots ask for: chunks go to the lightest tile, which parts neighbours.
TEST(Tiles, AreEvenWhereAWorkerHasFew) {
  const Network network = populations_of({32'768, 32'768, 32'768}), large = populations_of(std::vector<std::uint32_t>(8, 32'768));
  for (const Placement& placement : {placed(network, 1), placed(large, 2, 6)}) {
    double least = placement.tiles[0].load, most = least, chunk = 0.0;
    for (const TilePlacement& tile : placement.tiles) {
      least = std::min(least, tile.load), most = std::max(most, tile.load);
      chunk = std::max(chunk, tile.load / static_cast<double>(tile.chunks.size()));
    }
    EXPECT_LE(most - least, chunk);
  }
  EXPECT_EQ(placed(network, 1).tiles.size(), 2u);
  EXPECT_EQ(placed(network, 1).tiles[0].chunks, (Chunks{0, 2, 4, 6}));
}

// 100 synapses for each of 6,000 neurons are 600,000 words of four bytes; 20 MB hold the program
// and neurons, but not them as well with a fifth to spare.
TEST(Plan, SaysWhyItChoseProcedural) {
  const Network network = recurrent(100, 10.0, 0.1);
  SimulationOptions options;
  EXPECT_EQ(plan(network, NeuronCatalogue::builtin(), options).connectivity, Connectivity::stored);
  options.memory_limit_bytes = 22u << 20;
  const Plan small = plan(network, NeuronCatalogue::builtin(), options);
  EXPECT_EQ(small.connectivity, Connectivity::procedural);
  ASSERT_FALSE(small.notes.empty());
  EXPECT_NE(small.notes[0].find("procedural, because"), std::string::npos) << small.notes[0];
}

}  // namespace
}  // namespace tessera::test
