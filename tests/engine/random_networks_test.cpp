// Networks drawn at random, so that rules, models, delays and inputs meet in ways nobody thought of:
// every way to run one must give the same spikes, and a resumed run too.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "engine/drawn_network.hpp"
#include "engine/over_ranks.hpp"
#include "support/temporary_folder.hpp"

namespace tessera::test {
namespace {

constexpr double kTime_ms = kDrawnTime_ms;

bool draws_number(const Network& network) { return number_of_synapses(network).expected; }

std::vector<SimulationOptions> ways() {
  return {options_of(Connectivity::procedural), options_of(Connectivity::procedural, 2, 5, 2, false),
          options_of(Connectivity::stored, 3, 7, 3), options_of(Connectivity::procedural, 3, 4, 1)};
}

TEST(RandomNetworks, EveryWayToRunGivesTheSameSpikes) {
  int active = 0;
  for (std::uint32_t seed = 0; seed < 36; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Draw draw(seed, 1);
    const Network network = drawn_network(draw);
    const auto problems = validate(network, NeuronCatalogue::builtin());
    ASSERT_TRUE(problems.empty()) << problems[0].message;
    const Outcome reference = outcome_of(network, options_of(Connectivity::stored), kTime_ms);
    active += reference.spikes > 100 && reference.events > 1000 ? 1 : 0;
    std::uint64_t listed = 0;
    for (const Projection& p : network.projections) {
      listed += list_synapses(network, NeuronCatalogue::builtin(), 42, p.name).size();
    }
    EXPECT_EQ(reference.synapses, listed);
    for (const SimulationOptions& options : ways()) {
      const Outcome outcome = outcome_of(network, options, kTime_ms);
      EXPECT_TRUE(outcome.list == reference.list) << to_string(options.connectivity) << " " << options.threads;
      EXPECT_EQ(outcome.events, reference.events) << to_string(options.connectivity) << " " << options.threads;
      if (!draws_number(network)) {
        EXPECT_EQ(outcome.synapses, listed) << to_string(options.connectivity);
      }
    }
  }
  EXPECT_GT(active, 15) << "too few networks do anything";
}

TEST(RandomNetworks, ResumedRunsGoOnAsIfNothingHadHappened) {
  for (std::uint32_t seed = 100; seed < 115; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const TemporaryFolder folder;
    Draw draw(seed, 1);
    const Network network = drawn_network(draw);
    const double first = 0.1 * (1 + draw.below(190));
    const Outcome whole = outcome_of(network, options_of(Connectivity::stored, 2), kTime_ms);
    Simulation simulation = simulation_of(network, options_of(Connectivity::procedural, 2, 3));
    simulation.run(first);
    simulation.save_checkpoint(folder / "at.ckpt");
    for (const SimulationOptions& options : ways()) {
      Simulation resumed = simulation_of(network, options);
      resumed.load_checkpoint(folder / "at.ckpt");
      resumed.run(kTime_ms - first);
      EXPECT_EQ(resumed.report().digest, whole.digest) << first << " ms, " << options.threads;
    }
  }
}

TEST(RandomNetworks, RanksGiveTheSameSpikes) {
  int active = 0;
  for (std::uint32_t seed = 200; seed < 224; ++seed) {
    Draw draw(seed, 1);
    const Network network = drawn_network(draw);
    const Outcome reference = outcome_of(network, options_of(Connectivity::stored), kTime_ms);
    active += reference.spikes > 100 && reference.events > 1000 ? 1 : 0;
    for (const Exchange exchange : {Exchange::collective, Exchange::point_to_point}) {
      const int ranks = 2 + static_cast<int>(draw.below(4));
      SimulationOptions options = options_of(draw.one_in(2) ? Connectivity::stored : Connectivity::procedural,
                                             1 + static_cast<int>(draw.below(2)), 0, static_cast<int>(draw.below(2)));
      options = with(options, exchange, draw.one_in(2) ? RankPlacement::spread : RankPlacement::pack);
      const RanksOutcome outcome = outcome_over_ranks(network, options, ranks, kTime_ms, seed);
      SCOPED_TRACE("seed " + std::to_string(seed) + ", " + std::to_string(ranks) + " ranks, " + to_string(exchange) +
                   ", " + to_string(options.rank_placement) + ", " + to_string(options.connectivity));
      EXPECT_EQ(outcome.digest, reference.digest);
      EXPECT_EQ(outcome.events, reference.events);
      EXPECT_TRUE(outcome.list == reference.list);
    }
  }
  EXPECT_GT(active, 10) << "too few networks do anything";
}

}  // namespace
}  // namespace tessera::test
