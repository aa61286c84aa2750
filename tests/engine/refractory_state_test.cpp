// What is left of a refractory time: an initial value and a state of every neuron.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "engine/networks.hpp"
#include "tessera/model_file.hpp"
#include "tessera/model_text.hpp"

namespace tessera::test {
namespace {

/// Five neurons far above threshold that are still at rest for 0, 0.3, 1, 2 and 5 ms (t_ref 2 ms, dt 0.1 ms).
Network resting() {
  Network network;
  network.rate_limit_hz = 1e9;
  Population p;
  p.name = "cells";
  p.size = 5;
  p.model = "iaf_psc_exp";
  p.parameters = {{"t_ref", 2.0}};
  p.initial["refractory"].values = {0.0, 0.3, 1.0, 2.0, 5.0};
  network.populations = {p};
  Stimulus drive;
  drive.name = "drive";
  drive.target = "cells";
  drive.amplitude_pA = 1e6;
  network.stimuli = {drive};
  return network;
}

TEST(RefractoryState, NeuronsRestUntilItIsOver) {
  for (const int threads : {1, 2}) {
    Keeper keeper;
    Simulation simulation = simulation_of(resting(), options_of(Connectivity::stored, threads));
    const std::vector<double> begin = simulation.state("cells", "refractory");
    const double given[] = {0.0, 0.3, 1.0, 2.0, 5.0};
    for (int i = 0; i < 5; ++i) EXPECT_NEAR(begin[i], given[i], 1e-9) << i;
    simulation.run(0.2, keeper);
    // The first has spiked in step 1 and rests for 2 ms from then on, of which one step is over.
    const std::vector<double> left = simulation.state("cells", "refractory");
    const double expected[] = {1.9, 0.1, 0.8, 1.8, 4.8};
    for (int i = 0; i < 5; ++i) EXPECT_NEAR(left[i], expected[i], 1e-9) << i;
    simulation.run(5.0, keeper);
    std::vector<std::uint32_t> first(5, 0);
    for (const Spike& spike : keeper.spikes) {
      if (first[spike.neuron] == 0) first[spike.neuron] = spike.step;
    }
    EXPECT_EQ(first, (std::vector<std::uint32_t>{1, 4, 11, 21, 51}));
  }
}

TEST(RefractoryState, IsWrittenToModelFilesAndChecked) {
  Network network = resting();
  const NeuronCatalogue models = NeuronCatalogue::builtin();
  const Network again = parse_model(model_text(network), "text", ".", models);
  EXPECT_EQ(again.populations[0].initial.at("refractory").values, network.populations[0].initial.at("refractory").values);
  network.populations[0].initial["refractory"].values[2] = -0.1;
  ASSERT_EQ(validate(network, models).size(), 1u);
  EXPECT_NE(validate(network, models)[0].message.find("from 0 to 6553.5 ms"), std::string::npos) << validate(network, models)[0].message;
  network.populations[0].initial["refractory"] = {Distribution::constant(7000.0), {}};
  EXPECT_EQ(validate(network, models).size(), 1u);
}

}  // namespace
}  // namespace tessera::test
