// Contract D2 over ranks: a checkpoint of n ranks is one file, the same as one process writes, and m ranks go on
// from it.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "engine/over_ranks.hpp"
#include "support/temporary_folder.hpp"

namespace tessera::test {
namespace {

std::string bytes_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// Checkpoints of `before_ranks` after `first_ms`, resumed on other numbers of ranks, against one run alone.
void expect_resumes(const Network& network, const SimulationOptions& options, int before_ranks,
                    std::initializer_list<int> after_ranks, double first_ms, double rest_ms) {
  const TemporaryFolder folder;
  const Outcome whole = outcome_of(network, options, first_ms + rest_ms);
  EXPECT_GT(whole.spikes, 20u);
  Simulation alone = simulation_of(network, options);
  alone.run(first_ms);
  alone.save_checkpoint(folder / "alone.ckpt");
  const RanksOutcome before = run_over_ranks(network, options, before_ranks, [&](Simulation& simulation, Keeper& keeper) {
    simulation.run(first_ms, keeper);
    simulation.save_checkpoint(folder / "at.ckpt");
    simulation.run(rest_ms, keeper);
  });
  EXPECT_EQ(before.digest, whole.digest) << "in two parts";
  EXPECT_EQ(bytes_of(folder / "at.ckpt"), bytes_of(folder / "alone.ckpt"));
  EXPECT_EQ(folder.listing(), "alone.ckpt at.ckpt");
  for (const int ranks : after_ranks) {
    const RanksOutcome after = run_over_ranks(network, options, ranks, [&](Simulation& simulation, Keeper& keeper) {
      simulation.run(2.0);  // what a checkpoint replaces
      simulation.load_checkpoint(folder / "at.ckpt");
      simulation.save_checkpoint(folder / "again.ckpt");
      simulation.run(rest_ms, keeper);
    });
    EXPECT_EQ(bytes_of(folder / "again.ckpt"), bytes_of(folder / "alone.ckpt")) << "nothing got lost or doubled";
    const std::string what = std::to_string(before_ranks) + " to " + std::to_string(ranks) + ", " + to_string(options.exchange);
    EXPECT_EQ(after.digest, whole.digest) << what;
    EXPECT_EQ(after.spikes, whole.spikes) << what;
    EXPECT_TRUE(std::equal(after.list.rbegin(), after.list.rend(), whole.list.rbegin())) << what;
    for (std::size_t p = 0; p < network.populations.size(); ++p) {
      EXPECT_EQ(after.reports.back().populations[p].spikes, before.reports[0].populations[p].spikes) << what;
    }
  }
}

TEST(RankResume, OnOtherNumbersOfRanks) {
  for (const Exchange exchange : {Exchange::collective, Exchange::point_to_point}) {
    expect_resumes(every_rule(), with(options_of(Connectivity::stored), exchange), 2, {1, 3, 7}, 15.0, 12.0);
    expect_resumes(every_rule(), with(options_of(Connectivity::procedural, 2), exchange), 3, {2}, 15.1, 12.0);
  }
}

TEST(RankResume, WithLongDelaysBetweenRanks) {
  for (const Exchange exchange : {Exchange::collective, Exchange::point_to_point}) {
    for (const double first_ms : {0.0, 0.3, 4.1, 14.9}) {  // before, inside and after the longest delay
      expect_resumes(three_areas(5.0), with(options_of(Connectivity::stored), exchange, RankPlacement::pack), 3, {1, 2}, first_ms, 12.0);
    }
  }
}

TEST(RankResume, InExactPrecision) {
  expect_resumes(every_rule(), exact_options(), 2, {3}, 15.0, 12.0);
}

// The window of 100 ms in which activity is counted stays open over the checkpoint, and closes after it.
TEST(RankResume, InsideAWindowOfActivity) {
  expect_resumes(balanced(0.9, 30.0), options_of(Connectivity::stored), 2, {3}, 95.0, 10.0);
}

}  // namespace
}  // namespace tessera::test
