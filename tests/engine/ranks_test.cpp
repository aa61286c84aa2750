// Contract D1 over ranks: the same spikes, files and reports for any number of ranks, either exchange, either
// placement, whatever comes when.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "engine/over_ranks.hpp"
#include "tessera/communicator.hpp"
#include "tessera/errors.hpp"

namespace tessera::test {
namespace {

constexpr double kTime_ms = 20.0;
constexpr Exchange kExchanges[] = {Exchange::collective, Exchange::point_to_point};
constexpr RankPlacement kPlacements[] = {RankPlacement::spread, RankPlacement::pack};

void expect_same(const RanksOutcome& ranks, const Outcome& alone, const std::string& what) {
  EXPECT_EQ(ranks.digest, alone.digest) << what;
  EXPECT_EQ(ranks.spikes, alone.spikes) << what;
  EXPECT_EQ(ranks.events, alone.events) << what;
  EXPECT_EQ(ranks.synapses, alone.synapses) << what;
  EXPECT_TRUE(ranks.list == alone.list) << what;
  for (const SimulationReport& report : ranks.reports) {
    EXPECT_EQ(report.digest, alone.digest) << what;
    EXPECT_EQ(report.counts.spikes, alone.spikes) << what;
  }
}

std::string text_of(const SimulationOptions& options, int ranks) {
  return std::to_string(ranks) + " ranks, " + std::to_string(options.threads) + " threads, " +
         to_string(options.connectivity) + ", " + to_string(options.exchange) + ", " + to_string(options.rank_placement);
}

void expect_independent_of_ranks(const Network& network, const SimulationOptions& options, std::initializer_list<int> ranks) {
  const Outcome alone = outcome_of(network, options, kTime_ms);
  EXPECT_GT(alone.spikes, 100u) << "hardly any activity to compare";
  for (const int n : ranks) {
    for (const Exchange exchange : kExchanges) {
      for (const RankPlacement placement : kPlacements) {
        const SimulationOptions over = with(options, exchange, placement);
        expect_same(outcome_over_ranks(network, over, n, kTime_ms), alone, text_of(over, n));
      }
    }
  }
}

TEST(Ranks, StoredRunsAreIndependentOfThem) {
  for (const int threads : {1, 2}) {
    expect_independent_of_ranks(every_rule(), options_of(Connectivity::stored, threads), {1, 2, 3, 4, 7});
  }
}

TEST(Ranks, ProceduralRunsAreIndependentOfThem) {
  for (const int threads : {1, 2}) {
    expect_independent_of_ranks(every_rule(), options_of(Connectivity::procedural, threads), {1, 2, 3, 4, 7});
  }
  expect_independent_of_ranks(every_rule(), options_of(Connectivity::procedural, 2, 0, 0, false), {3});
}

TEST(Ranks, ExactPrecisionIsIndependentOfThem) {
  for (const int threads : {1, 2}) expect_independent_of_ranks(every_rule(), exact_options(threads), {2, 3, 4, 7});
}

TEST(Ranks, TilesAndDeliveryGroupsCombineWithThem) {
  expect_independent_of_ranks(every_rule(), options_of(Connectivity::stored, 2, 3, 1), {2, 3});
  expect_independent_of_ranks(beside_silent(balanced(), 40000), options_of(Connectivity::procedural, 2, 4, 2), {2, 5});
}

TEST(Ranks, LongShortestDelaysAreIndependentOfThem) {
  for (const double shortest : {0.4, 0.5, 0.9}) {
    expect_independent_of_ranks(balanced(shortest, 30.0), options_of(Connectivity::stored), {2, 3});
  }
}

// Inside an area 0.1 ms, between areas 2 ms, groups of four steps: packed on three ranks, each area is on one, and
// ranks meet every 1 + 4 * floor(19 / 4) = 17 steps, their threads every step. Groups of 32 steps and 5 ms: every
// 1 + 32 * floor(49 / 32) = 33 steps.
TEST(Ranks, PackedAreasMeetLessOften) {
  const struct {
    double between_ms;
    std::uint32_t silent;
    int interval;
  } cases[] = {{2.0, 13000, 17}, {5.0, 0, 33}};
  for (const auto& [between_ms, silent, interval] : cases) {
    const Network network = three_areas(between_ms, silent);
    for (const Connectivity connectivity : {Connectivity::stored, Connectivity::procedural}) {
      const SimulationOptions options = options_of(connectivity, connectivity == Connectivity::stored ? 1 : 2);
      const Outcome alone = outcome_of(network, options, kTime_ms);
      EXPECT_GT(alone.spikes, 100u);
      for (const Exchange exchange : kExchanges) {
        const SimulationOptions packed = with(options, exchange, RankPlacement::pack);
        const RanksOutcome outcome = outcome_over_ranks(network, packed, 3, kTime_ms);
        expect_same(outcome, alone, text_of(packed, 3));
        EXPECT_EQ(outcome.reports[0].ranks.local_interval_steps, 1);
        EXPECT_EQ(outcome.reports[0].ranks.remote_interval_steps, interval);
        if (silent == 0) continue;
        const RanksOutcome spread = outcome_over_ranks(network, with(options, exchange), 3, kTime_ms);
        expect_same(spread, alone, "spread");
        EXPECT_EQ(spread.reports[0].ranks.remote_interval_steps, 1);
        EXPECT_LT(10.0 * outcome.reports[0].ranks.messages_per_step.mean, spread.reports[0].ranks.messages_per_step.mean);
      }
    }
  }
}

TEST(Ranks, FiftyOrdersOfMessagesGiveTheSameSpikes) {
  const Network network = three_areas(5.0);
  const SimulationOptions options = options_of(Connectivity::stored, 2);
  const Outcome alone = outcome_of(network, options, 12.0);
  EXPECT_GT(alone.spikes, 100u);
  for (std::uint64_t seed = 0; seed < 52; ++seed) {
    const SimulationOptions over = with(options, kExchanges[seed % 2], kPlacements[seed / 2 % 2]);
    const int ranks = 2 + static_cast<int>(seed % 3);
    expect_same(outcome_over_ranks(network, over, ranks, 12.0, seed), alone, text_of(over, ranks) + " " + std::to_string(seed));
  }
}

// Two populations of one chunk each on three ranks and more: the others wait, and say so.
TEST(Ranks, WithoutNeuronsOnlyWait) {
  Network network;
  network.populations = {neurons_of("A", 60), neurons_of("B", 40)};
  for (Population& p : network.populations) p.initial["V_m"].distribution = Distribution::uniform(-65.0, -50.5);
  network.projections = {project("A", "B", Kind::fixed_indegree, 10, Distribution::constant(120.0), Distribution::uniform(0.2, 4.0)),
                         project("B", "A", Kind::fixed_indegree, 10, Distribution::constant(-90.0), Distribution::constant(1.5))};
  network.stimuli = {current("A", 450.0), current("B", 420.0)};
  const SimulationOptions options = options_of(Connectivity::stored);
  const Outcome alone = outcome_of(network, options, kTime_ms);
  EXPECT_GT(alone.spikes, 50u);
  for (const Exchange exchange : kExchanges) {
    const RanksOutcome outcome = outcome_over_ranks(network, with(options, exchange), 5, kTime_ms);
    expect_same(outcome, alone, to_string(exchange));
    EXPECT_EQ(outcome.reports[0].ranks.idle_ranks, 3);
    EXPECT_EQ(outcome.reports[0].ranks.neurons.least, 0.0);
    EXPECT_EQ(outcome.reports[0].ranks.neurons.mean, 20.0);
    EXPECT_EQ(outcome.reports[0].ranks.neurons.most, 60.0);
  }
  SimulationOptions last = options;
  last.communicator = dry_run_communicator(4, 5);
  const Plan plan = tessera::plan(network, NeuronCatalogue::builtin(), last);
  EXPECT_EQ(plan.own_neurons, 0u);
  ASSERT_FALSE(plan.notes.empty());
  EXPECT_EQ(plan.notes[0], "ranks 2, 3 and 4 have no neurons and only wait: the network has 2 chunks for 5 ranks");
}

TEST(Ranks, BuildWithoutAMessage) {
  for (const Exchange exchange : kExchanges) {
    const RanksOutcome outcome = run_over_ranks(every_rule(), with(options_of(Connectivity::stored), exchange), 4,
                                                [](Simulation&, Keeper&) {});
    EXPECT_EQ(outcome.reports[0].ranks.construction_messages, 0u);
    EXPECT_EQ(outcome.reports[0].ranks.check_messages, 4u * 3u);  // one all-gather: every rank to every other
    EXPECT_EQ(outcome.reports[0].ranks.messages_per_step.most, 0.0);
    EXPECT_EQ(outcome.messages, 2u * 4u * 3u);  // and one for the report
  }
}

/// The samples of one recorder. Slices differ, and with them the order in which recorders are served; the samples of
/// each do not.
auto of_recorder(const std::vector<Keeper::Sample>& all, std::size_t recorder) {
  std::vector<std::pair<std::uint32_t, std::vector<double>>> samples;
  for (const Keeper::Sample& s : all) {
    if (s.recorder == recorder) samples.emplace_back(s.step, s.values);
  }
  return samples;
}

// Neurons that all spike in the same steps: their weights, numbers of 53 bits, meet in one sum of each target, which
// is the same to the last bit only in the order of one rank.
TEST(Ranks, ExactSumsKeepTheirOrder) {
  Network network;
  network.populations = {neurons_of("A", 1100)};
  network.populations[0].parameters = {{"tau_syn_in", 1.0}};  // two currents, so that one is I_syn_ex
  network.projections = {project("A", "A", Kind::fixed_indegree, 60, Distribution::uniform(-3.0, 3.1), Distribution::constant(1.2))};
  network.stimuli = {current("A", 450.0)};
  network.recorders = {{"A", "I_syn_ex", 1100, 0.1, {}}};
  const auto run = [](Simulation& simulation, Keeper& keeper) { simulation.run(kTime_ms, keeper); };
  Simulation alone = simulation_of(network, exact_options());
  Keeper kept;
  run(alone, kept);
  EXPECT_GT(kept.spikes.size(), 1000u);
  for (const int ranks : {2, 3}) {
    const RanksOutcome outcome = run_over_ranks(network, exact_options(), ranks, run);
    EXPECT_EQ(of_recorder(outcome.samples, 0), of_recorder(kept.samples, 0)) << ranks;
  }
}

// Recorded potentials, of whole populations and of the first neurons, in two runs.
TEST(Ranks, RecordTheSameSamples) {
  Network network = every_rule();
  network.recorders = {{"E", "V_m", 700, 1.0, {}}, {"G", "V_m", 17, 0.1, {}}, {"I", "I_syn_ex", 180, 0.7, {}}};
  const auto two_runs = [](Simulation& simulation, Keeper& keeper) {
    simulation.run(12.3, keeper);
    simulation.run(17.7, keeper);
  };
  for (const SimulationOptions& options : {options_of(Connectivity::stored), exact_options()}) {
    Simulation alone = simulation_of(network, options);
    Keeper kept;
    two_runs(alone, kept);
    ASSERT_EQ(kept.samples.size(), 30u + 300u + 42u);
    for (const int ranks : {2, 3}) {
      const RanksOutcome outcome = run_over_ranks(network, options, ranks, two_runs);
      EXPECT_TRUE(outcome.list == kept.spikes);
      for (std::size_t recorder = 0; recorder < network.recorders.size(); ++recorder) {
        EXPECT_EQ(of_recorder(outcome.samples, recorder), of_recorder(kept.samples, recorder)) << recorder;
      }
      for (std::size_t p = 0; p < network.populations.size(); ++p) {
        EXPECT_EQ(outcome.reports[1].populations[p].spikes, alone.report().populations[p].spikes);
      }
    }
  }
}

}  // namespace
}  // namespace tessera::test
