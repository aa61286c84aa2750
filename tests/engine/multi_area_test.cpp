// The stand-in of the multi-area model spikes alike however it is run.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "engine/over_ranks.hpp"
#include "model_file/load.hpp"

namespace tessera::test {
namespace {

// Half of what it takes to store everything is left to what is stored.
SimulationOptions mixture_of(const Network& network, SimulationOptions options) {
  options.connectivity = Connectivity::stored;
  const std::uint64_t rows = plan(network, NeuronCatalogue::builtin(), options).synapse_bytes;
  options.connectivity = Connectivity::procedural;
  options.memory_limit_bytes = (plan(network, NeuronCatalogue::builtin(), options).memory_bytes + rows / 2) * 5 / 4;
  options.connectivity = Connectivity::automatic;
  return options;
}

TEST(MultiAreaRuns, SpikeAlikeForThreadsRanksAndConnectivity) {
  const Network network = load("multi_area/multi_area.toml", {{"tables", "stand_in"}, {"scale", "0.02"}});
  constexpr double kTime_ms = 20.0;
  const Outcome reference = outcome_of(network, options_of(Connectivity::stored), kTime_ms);
  EXPECT_GT(reference.spikes, 100u);
  const auto mixture = mixture_of(network, options_of(Connectivity::procedural, 3));
  EXPECT_TRUE(plan(network, NeuronCatalogue::builtin(), mixture).mixture.is_mixed());
  for (const SimulationOptions& options : {options_of(Connectivity::stored, 3), options_of(Connectivity::procedural, 2, 3), mixture}) {
    const Outcome outcome = outcome_of(network, options, kTime_ms);
    EXPECT_EQ(outcome.digest, reference.digest) << to_string(options.connectivity);
    EXPECT_EQ(outcome.events, reference.events);
  }
  for (const int ranks : {2, 3}) {
    const SimulationOptions stored = with(options_of(Connectivity::stored), Exchange::collective, RankPlacement::spread),
                            drawn = with(options_of(Connectivity::procedural), Exchange::point_to_point, RankPlacement::pack);
    EXPECT_EQ(outcome_over_ranks(network, stored, ranks, kTime_ms).digest, reference.digest) << ranks;
    EXPECT_EQ(outcome_over_ranks(network, drawn, ranks, kTime_ms).digest, reference.digest) << ranks;
    bool mixed = false;
    run_loopback(ranks, 1, [&](const std::shared_ptr<Communicator>& communicator) {
      SimulationOptions options = drawn;
      options.communicator = communicator;
      options = mixture_of(network, options);  // of this rank
      Simulation simulation = simulation_of(network, options);
      simulation.run(kTime_ms);
      const SimulationReport report = simulation.report();
      EXPECT_EQ(report.digest, reference.digest) << ranks;
      if (communicator->rank() == 0) mixed = report.mixture.is_mixed();
    });
    EXPECT_TRUE(mixed) << ranks;
  }
}

}  // namespace
}  // namespace tessera::test
