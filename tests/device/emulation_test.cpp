// The code of the GPU, run on the processor thread by thread: whatever the order of the threads, the
// number of blocks and of threads, spikes, state and errors must be those of the processor's engine.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>

#include "connectivity/weight_units.hpp"
#include "connectivity/wiring.hpp"
#include "device/networks.hpp"
#include "kernels/cuda/phases.hpp"
#include "tessera/errors.hpp"
#include "tessera/model_file.hpp"

namespace tessera::test {
namespace {

TEST(Emulation, SpikesAreThoseOfTheProcessorInEveryOrderOfThreads) { expect_independent_of_order(balanced(), 60.0, 300); }

TEST(Emulation, RowsOfEveryRuleAndPiecewiseCurrents) { expect_independent_of_order(every_rule_of_neurons(), 70.0, 300); }

// Counts above 16 are drawn in parts; windows; both signs; a chunk that lies on several blocks and the reverse.
TEST(Emulation, PoissonInput) {
  Network network = balanced();
  network.stimuli = {poisson("E", 22000.0, 40.0), poisson("I", 250000.0, 2.0), poisson("I", 4000.0, -60.0)};
  network.stimuli[2].name = "inhibition";
  network.stimuli[0].start_ms = 3.0;
  network.stimuli[0].duration_ms = 30.0;
  network.stimuli[0].delay_ms = 1.5;
  expect_independent_of_order(network, 40.0, 300);
  const Outcome processor = outcome_of(network, options_of(Connectivity::stored), 40.0);
  expect_same_spikes(outcome_of(network, emulated(1, 2, 64), 40.0), processor, "2 blocks");
  expect_same_spikes(outcome_of(network, emulated(1, 200, 64), 40.0), processor, "200 blocks");
}

TEST(Emulation, AnyNumberOfBlocksAndThreads) {
  const Network network = balanced();
  const Outcome processor = outcome_of(network, options_of(Connectivity::stored), 40.0);
  const struct {
    std::uint32_t blocks, threads;  // with fewer threads than neurons, and more
  } shapes[] = {{1, 64}, {2, 1024}, {7, 64}, {132, 96}, {256, 64}};  // more blocks than a population has neurons, too
  for (const auto& [blocks, threads] : shapes) {
    expect_same_spikes(outcome_of(network, emulated(3, blocks, threads), 40.0), processor,
                       std::to_string(blocks) + " blocks, " + std::to_string(threads) + " threads");
  }
}

// All neurons start above the threshold: more spikes in a step than a record holds.
TEST(Emulation, DrawnRowsAreTheStoredOnes) {
  for (const std::uint32_t silent : {0u, 40000u}) {  // delay groups of 32 steps, and of four
    const Network network = beside_silent(balanced(), silent);
    const Outcome processor = outcome_of(network, options_of(Connectivity::stored), 40.0);
    for (std::uint64_t order = 0; order < (silent > 0 ? 2 : 8); ++order) {
      SimulationOptions options = emulated(order, 7, 128);
      options.connectivity = Connectivity::procedural;
      Outcome device = outcome_of(network, options, 40.0);
      device.synapses = processor.synapses;  // nobody counted them
      expect_same_spikes(device, processor, std::to_string(silent) + " silent, order " + std::to_string(order));
    }
  }
}

// More spikes than the list of a round has room for.
TEST(Emulation, DrawnRowsOfEverybodyAtOnce) {
  Network network = balanced();
  for (Population& p : network.populations) p.initial["V_m"].distribution = Distribution::constant(-49.0);
  const Outcome processor = outcome_of(network, options_of(Connectivity::stored), 10.0);
  EXPECT_GE(processor.spikes, 880u);
  ASSERT_GT(network.populations[0].size + network.populations[1].size, gpu::kListed);
  for (const std::uint64_t order : {0, 1, 2}) {
    SimulationOptions options = emulated(order, 1, 64);
    options.connectivity = Connectivity::procedural;
    Outcome device = outcome_of(network, options, 10.0);
    device.synapses = processor.synapses;
    expect_same_spikes(device, processor, "order " + std::to_string(order));
  }
}

TEST(Emulation, EverybodyAtOnce) {
  Network network = balanced();
  for (Population& p : network.populations) p.initial["V_m"].distribution = Distribution::constant(-49.0);
  expect_independent_of_order(network, 10.0, 880);
}

TEST(Emulation, LargeWeightsTravelAsWideWords) {
  Network network = balanced();
  network.projections[0].weight = Distribution::normal(0.01, 0.002);  // beside 320 pA: the unit becomes small
  network.projections[0].weight.low = 0.0;
  const Wiring wiring(network, 42);
  const std::vector<bool> wide = choose_weight_units(wiring).wide;
  ASSERT_TRUE(std::find(wide.begin(), wide.end(), true) != wide.end());
  expect_independent_of_order(network, 30.0, 100);
}

TEST(Emulation, StateIsThatOfTheProcessorBitForBit) {
  const Network network = balanced();
  Simulation processor = simulation_of(network, options_of(Connectivity::stored));
  Simulation device = simulation_of(network, emulated(5));
  processor.run(20.0);
  device.run(20.0);
  for (const char* population : {"E", "I"}) {
    EXPECT_EQ(device.state(population, "V_m"), processor.state(population, "V_m"));
  }
  EXPECT_EQ(device.state("I", "I_syn_in"), processor.state("I", "I_syn_in"));
}

TEST(Emulation, RunsInPiecesAreOneRun) {
  const Network network = balanced();
  Simulation whole = simulation_of(network, emulated(1));
  Simulation pieces = simulation_of(network, emulated(2));
  whole.run(30.0);
  for (const double piece_ms : {0.1, 7.3, 0.2, 22.4}) pieces.run(piece_ms);
  EXPECT_EQ(pieces.report().digest, whole.report().digest);
}

// A device is one launch ahead of the observers; what it has begun still counts.
TEST(Emulation, ARunThatIsStoppedAndGoesOnIsOneRun) {
  class Stopper final : public RunObserver {
   public:
    void on_spikes(std::span<const Spike> slice) override { spikes += slice.size(); }
    [[nodiscard]] bool wants_spikes() const override { return true; }
    bool stop_requested() override { return ++asked > 1; }
    int asked = 0;
    std::uint64_t spikes = 0;
  };
  const Network network = balanced();
  Simulation whole = simulation_of(network, emulated(1)), stopped = simulation_of(network, emulated(2));
  Keeper keeper;
  whole.run(400.0, keeper);
  Stopper first, rest;
  rest.asked = -1000;
  stopped.run(400.0, first);
  EXPECT_GT(stopped.step(), 0);
  EXPECT_LT(stopped.step(), 4000);
  stopped.run((4000 - stopped.step()) * 0.1, rest);
  EXPECT_EQ(stopped.report().digest, whole.report().digest);
  EXPECT_EQ(first.spikes + rest.spikes, keeper.spikes.size());
  EXPECT_EQ(stopped.state("E", "V_m"), whole.state("E", "V_m"));
}

TEST(Emulation, MicrocircuitAtATenthInEveryOrder) {
  const Network network = load_model_file(TESSERA_SOURCE_DIR "/models/microcircuit/microcircuit.toml",
                                          NeuronCatalogue::builtin(),
                                          {{"scale", "0.1"}, {"initial", "original"}});  // a fifth fires at once
  expect_independent_of_order(network, 20.0, 1000);
}

TEST(Emulation, MicrocircuitAtATenthWithPoissonDrive) {
  const Network network = load_model_file(TESSERA_SOURCE_DIR "/models/microcircuit/microcircuit.toml",
                                          NeuronCatalogue::builtin(), {{"scale", "0.1"}, {"drive", "poisson"}});
  const Outcome processor = outcome_of(network, options_of(Connectivity::stored), 60.0);
  EXPECT_GT(processor.spikes, 500u);
  for (const std::uint64_t order : {0, 4}) {
    expect_same_spikes(outcome_of(network, emulated(order, 132, 64), 60.0), processor, "order " + std::to_string(order));
  }
}

TEST(Emulation, ActivityThatExplodesIsToldAsOnTheProcessor) {
  Network network = balanced();
  network.rate_limit_hz = 20.0;
  network.stimuli[0].amplitude_pA = 5000.0;
  const auto message = [&](const SimulationOptions& options) {
    Simulation simulation = simulation_of(network, options);
    try {
      simulation.run(500.0);
    } catch (const ActivityError& error) {
      return std::string(error.what());
    }
    return std::string("nothing was thrown");
  };
  EXPECT_EQ(message(emulated(1)), message(options_of(Connectivity::stored)));
}

TEST(Emulation, AStateThatIsNoNumberIsToldAsOnTheProcessor) {
  Network network = balanced();
  network.stimuli[1].amplitude_pA = -1e38;  // float32 overflows at the first step
  network.populations[1].parameters["C_m"] = 0.01;
  const auto message = [&](const SimulationOptions& options) {
    Simulation simulation = simulation_of(network, options);
    try {
      simulation.run(200.0);
    } catch (const ActivityError& error) {
      return std::string(error.what());
    }
    return std::string("nothing was thrown");
  };
  const std::string processor = message(options_of(Connectivity::stored));
  EXPECT_NE(processor.find("not a finite number"), std::string::npos) << processor;
  EXPECT_EQ(message(emulated(1)), processor);
}

TEST(Emulation, WhatADeviceCannotRunIsSaidAllAtOnce) {
  SimulationOptions options = emulated(0);
  options.precision = Precision::exact;
  Network network = every_rule();
  network.projections[0].weight = Distribution::constant(80.0);
  network.projections[0].plasticity = Plasticity{"stdp", {}};
  try {
    simulation_of(network, options);
    FAIL() << "nothing was thrown";
  } catch (const InputError& error) {
    const std::string text = error.what();
    for (const char* part : {"exact precision", "is plastic (stdp)"}) {
      EXPECT_NE(text.find(part), std::string::npos) << part << " in " << text;
    }
  }
}

// A model from outside may have any equation, even that of a built-in one under another name.
TEST(Emulation, AModelFromOutsideIsRefused) {
  NeuronCatalogue models = NeuronCatalogue::builtin();
  NeuronModel own = *models.find("iaf_psc_exp");
  own.name = "own";
  models.add(own);
  Network network = balanced();
  network.populations[0].model = "own";
  try {
    Simulation(network, models, emulated(0));
    FAIL() << "nothing was thrown";
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("Population 'E' has the model 'own'"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace tessera::test
