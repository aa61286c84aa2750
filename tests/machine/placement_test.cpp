// How many threads a network is worth, by hand from its neurons and synaptic events.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "machine/placement.hpp"

#include <gtest/gtest.h>

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
