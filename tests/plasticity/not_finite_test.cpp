// A weight that stops being a number ends the run, and says where.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "engine/networks.hpp"
#include "tessera/errors.hpp"

namespace tessera::test {
namespace {

/// Source 3 of 5 spikes at 10 and 30 ms, its target at 21.1: a step of 1e35 w^400 then makes the weight infinite.
Network exploding() {
  Network network;
  Population sources;
  sources.name = "sources";
  sources.kind = Population::Kind::spike_train_source;
  sources.size = 5;
  sources.train = {{10.0, 3}, {12.0, 1}, {20.0, 4}, {30.0, 3}, {35.0, 1}};
  network.populations = {sources, neurons_of("cells", 2, "iaf_psc_delta")};
  Projection learns = project("sources", "cells", Kind::explicit_list, 0, Distribution::constant(1), Distribution::constant(1));
  learns.name = "learns";
  learns.rule.list = {{3, 1, 5.0, 1.0}, {1, 0, 5.0, 1.0}};
  learns.plasticity = Plasticity{"stdp_power_law", {{"lambda", 1e35}, {"mu", 400.0}}, 0.0};
  Projection drive = project("sources", "cells", Kind::explicit_list, 0, Distribution::constant(1), Distribution::constant(1));
  drive.name = "drive";
  drive.rule.list = {{4, 1, 1000.0, 1.0}};
  network.projections = {learns, drive};
  return network;
}

// The weight is looked at when its source spikes next, 30 ms, and transmitted with its delay of 1 ms.
TEST(WeightsThatAreNoNumbers, AreNamedWithProjectionSourceAndStep) {
  for (const bool exact : {false, true}) {
    Simulation simulation = simulation_of(exploding(), exact ? exact_options(2, 2) : options_of(Connectivity::stored, 2, 2));
    Keeper keeper;
    try {
      simulation.run(100.0, keeper);
      ADD_FAILURE() << "the run went on";
    } catch (const ActivityError& error) {
      const std::string what = error.what();
      EXPECT_NE(what.find("A weight of projection 'learns', of a synapse of neuron 3 of population 'sources', is not a finite number at step "),
                std::string::npos) << what;
      EXPECT_NE(what.find("Check the parameters of its plasticity (stdp_power_law)."), std::string::npos) << what;
      EXPECT_GE(error.step, 300);
      EXPECT_LE(error.step, 310);
    }
    // What was recorded up to then is whole: five spikes of sources and the driven one.
    std::vector<Spike> before = keeper.spikes;
    std::erase_if(before, [](const Spike& s) { return s.step > 300; });
    EXPECT_EQ(before.size(), 5u);
  }
}

// Weights that are large but finite go on.
TEST(WeightsThatAreNoNumbers, AreNotThoseThatAreLarge) {
  Network network = exploding();
  network.projections[0].plasticity->parameters["lambda"] = 1000.0;
  network.projections[0].plasticity->parameters["mu"] = 2.0;
  network.projections[0].plasticity->parameters["alpha"] = 0.0;
  Simulation simulation = simulation_of(network, exact_options());
  simulation.run(100.0);
  double largest = 0.0;
  for (const auto& s : simulation.synapses("learns")) largest = std::max(largest, s.weight);
  EXPECT_GT(largest, 1000.0);
}

}  // namespace
}  // namespace tessera::test
