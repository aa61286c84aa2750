// Contract D2: a run in parts, or resumed from a checkpoint on another machine, is the whole run.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "engine/networks.hpp"
#include "support/temporary_folder.hpp"

namespace tessera::test {
namespace {

/// run(whole) against run(first), checkpoint, then the rest with other options.
void expect_resumes(const Network& network, const SimulationOptions& before, const std::vector<SimulationOptions>& after,
                    double first_ms, double rest_ms) {
  const TemporaryFolder folder;
  const Outcome whole = outcome_of(network, before, first_ms + rest_ms);
  EXPECT_GT(whole.spikes, 20u);
  Simulation simulation = simulation_of(network, before);
  Keeper keeper;
  simulation.run(first_ms, keeper);
  simulation.save_checkpoint(folder / "at.ckpt");
  EXPECT_EQ(folder.listing(), "at.ckpt");
  const std::size_t until_then = keeper.spikes.size();
  simulation.run(rest_ms, keeper);
  EXPECT_EQ(simulation.report().digest, whole.digest) << "in two parts";
  EXPECT_TRUE(keeper.spikes == whole.list);
  for (const SimulationOptions& options : after) {
    Simulation resumed = simulation_of(network, options);
    resumed.load_checkpoint(folder / "at.ckpt");
    EXPECT_EQ(resumed.report().counts.spikes, until_then);
    Keeper rest;
    resumed.run(rest_ms, rest);
    EXPECT_EQ(resumed.report().digest, whole.digest) << options.threads << " " << options.tiles << " " << to_string(options.connectivity);
    EXPECT_TRUE(std::equal(rest.spikes.begin(), rest.spikes.end(), whole.list.begin() + static_cast<std::ptrdiff_t>(until_then),
                           whole.list.end()));
    for (std::size_t p = 0; p < network.populations.size(); ++p) {
      EXPECT_EQ(resumed.report().populations[p].spikes, simulation.report().populations[p].spikes);
    }
  }
}

std::vector<SimulationOptions> other_machines() {
  return {options_of(Connectivity::stored), options_of(Connectivity::stored, 3, 7, 2),
          options_of(Connectivity::procedural, 2, 0, 1), options_of(Connectivity::procedural, 1, 6, 0, false)};
}

TEST(Resume, EveryRuleOnOtherMachines) {
  for (const std::uint32_t silent : {0u, 40000u}) {
    expect_resumes(beside_silent(every_rule(), silent), options_of(Connectivity::stored), other_machines(), 30.0, 40.0);
  }
  expect_resumes(every_rule(), options_of(Connectivity::procedural, 2), other_machines(), 30.1, 20.0);
}

TEST(Resume, SpikesAtZeroThatAreStillUnderWay) {
  Network network = balanced(0.9, 30.0);
  Population train;
  train.name = "S";
  train.kind = Population::Kind::spike_train_source;
  train.size = 40;
  for (std::uint32_t i = 0; i < 40; ++i) train.train.push_back({0.0, i});
  network.populations.push_back(train);
  network.projections.push_back(project("S", network.populations[0].name, Kind::fixed_total_number, 4000,
                                        Distribution::constant(200.0), Distribution::uniform(0.9, 30.0)));
  network.projections.back().name = "from_zero";
  for (const double first : {0.1, 7.7, 29.0, 33.4}) {
    expect_resumes(network, options_of(Connectivity::stored), other_machines(), first, 20.0);
  }
}

TEST(Resume, LongDelaysAndLongExchangeIntervals) {
  Network network = balanced(0.9, 30.0);
  network.projections[0].delay_ms = Distribution::uniform(0.9, 30.0);
  // Before, inside and after the longest delay; and in the middle of an interval between two exchanges.
  for (const double first : {0.3, 7.7, 33.4}) {
    for (const std::uint32_t silent : {0u, 40000u}) {
      expect_resumes(beside_silent(network, silent), options_of(Connectivity::stored), other_machines(), first, 35.0);
    }
  }
}

TEST(Resume, AtTheVeryStart) {
  expect_resumes(balanced(), options_of(Connectivity::stored), other_machines(), 0.0, 20.0);
}

TEST(Resume, ExactPrecision) {
  expect_resumes(every_rule(), exact_options(), {exact_options(), exact_options(3, 5)}, 25.3, 30.0);
  expect_resumes(balanced(0.9, 30.0), exact_options(2), {exact_options(), exact_options(3, 5)}, 10.2, 30.0);
}

// Going back in a simulation that has run on: everything, current steps too, is as it was.
TEST(Resume, RewindsASimulationThatHasRunOn) {
  for (const SimulationOptions& options : {options_of(Connectivity::stored), options_of(Connectivity::procedural, 2), exact_options()}) {
    const TemporaryFolder folder;
    const Network network = every_rule();
    Simulation simulation = simulation_of(network, options);
    simulation.run(10.0);
    simulation.save_checkpoint(folder / "early.ckpt");
    simulation.run(60.0);
    const SimulationReport late = simulation.report();
    const std::vector<double> voltages = simulation.state("E", "V_m");
    simulation.load_checkpoint(folder / "early.ckpt");
    EXPECT_EQ(simulation.step(), 100);
    simulation.run(60.0);
    EXPECT_EQ(simulation.report().digest, late.digest);
    EXPECT_EQ(simulation.report().counts.spikes, late.counts.spikes);
    EXPECT_EQ(simulation.state("E", "V_m"), voltages);
  }
}

TEST(Resume, ManyShortRunsAreOneLongRun) {
  const Network network = every_rule();
  const Outcome whole = outcome_of(network, options_of(Connectivity::procedural, 2), 20.0);
  Simulation simulation = simulation_of(network, options_of(Connectivity::procedural, 2));
  for (int i = 0; i < 200; ++i) simulation.run(0.1);
  EXPECT_EQ(simulation.step(), 200);
  EXPECT_EQ(simulation.report().digest, whole.digest);
}

}  // namespace
}  // namespace tessera::test
