// Contracts D1 and D2 of networks with thin rows (connectivity/thin_rows.hpp).
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "connectivity/thin_rows.hpp"
#include "engine/over_ranks.hpp"
#include "support/temporary_folder.hpp"

namespace tessera::test {
namespace {

/// Two balanced areas, thinly joined by long delays, beside 30,000 silent neurons that make a count table large.
Network thin_areas() {
  Network network = balanced(0.1, 6.0);
  network.projections[0].rule.number *= 3;  // 60 synapses of a source in a chunk, in about 12 groups: not thin
  network.projections[0].weight = Distribution::normal(27.0, 3.0);
  const Network other = network;
  for (Population p : other.populations) {
    p.name += "2";
    network.populations.push_back(p);
  }
  for (Projection p : other.projections) {
    p.source += "2", p.target += "2", p.name += "2";
    network.projections.push_back(p);
  }
  for (Stimulus s : other.stimuli) {
    s.target += "2", s.name += "2";
    network.stimuli.push_back(s);
  }
  network.populations.push_back(neurons_of("S", 30'000));
  const Distribution slow = Distribution::normal(15.0, 25.0).within(0.1, 400.0), w = Distribution::normal(120.0, 12.0);
  for (const auto& [from, to, number] : {std::tuple("E", "E2", 9000), std::tuple("E2", "E", 9000), std::tuple("E", "I2", 1500),
                                         std::tuple("E2", "I", 1500), std::tuple("S", "E", 5000), std::tuple("S", "S", 30'000)}) {
    network.projections.push_back(project(from, to, Kind::fixed_total_number, static_cast<std::uint64_t>(number), w, slow));
  }
  return network;
}

TEST(ThinAreas, HaveThinRows) {
  const Network network = thin_areas();
  const Wiring wiring(network, 42);
  const ThinChoice choice(wiring, choose_weight_units(wiring));
  int thin = 0;
  for (std::uint32_t p = 0; p < network.projections.size(); ++p) thin += choice.holds(wiring.first_bundle(p)) ? 1 : 0;
  EXPECT_GE(thin, 6);
  EXPECT_FALSE(choice.holds(wiring.first_bundle(0)));
}

TEST(ThinAreas, SpikeAlikeOnEveryMachine) {
  const Network network = thin_areas();
  const Outcome reference = outcome_of(network, options_of(Connectivity::stored), 35.0);
  EXPECT_GT(reference.spikes, 300u);
  for (const SimulationOptions& options :
       {options_of(Connectivity::procedural), options_of(Connectivity::procedural, 2, 5, 1), options_of(Connectivity::procedural, 3, 0, 2),
        options_of(Connectivity::procedural, 2, 0, 0, false), options_of(Connectivity::stored, 3)}) {
    const Outcome outcome = outcome_of(network, options, 35.0);
    EXPECT_EQ(outcome.digest, reference.digest) << options.threads << " " << options.tiles;
    EXPECT_EQ(outcome.events, reference.events);
  }
  for (const int ranks : {2, 3}) {
    for (const Exchange exchange : {Exchange::collective, Exchange::point_to_point}) {
      const RanksOutcome over = outcome_over_ranks(network, with(options_of(Connectivity::procedural), exchange, RankPlacement::pack), ranks, 35.0);
      EXPECT_EQ(over.digest, reference.digest) << ranks << " " << to_string(exchange);
    }
  }
}

TEST(ThinAreas, ResumeWithWordsUnderWay) {
  const Network network = thin_areas();
  const TemporaryFolder folder;
  const Outcome whole = outcome_of(network, options_of(Connectivity::stored), 40.0);
  Simulation first = simulation_of(network, options_of(Connectivity::procedural, 2));
  first.run(23.3);
  first.save_checkpoint(folder / "at.ckpt");
  for (const Connectivity connectivity : {Connectivity::stored, Connectivity::procedural}) {
    Simulation resumed = simulation_of(network, options_of(connectivity, 1, 3));
    resumed.load_checkpoint(folder / "at.ckpt");
    resumed.run(40.0 - 23.3);
    EXPECT_EQ(resumed.report().digest, whole.digest) << to_string(connectivity);
  }
}

}  // namespace
}  // namespace tessera::test
