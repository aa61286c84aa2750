// Other neuron models and sources of spikes on a device, compared with the processor's engine.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "device/networks.hpp"

namespace tessera::test {
namespace {

const std::vector<std::string> kModels = {"iaf_psc_exp", "iaf_psc_delta", "iaf_psc_alpha", "izhikevich", "iaf_cond_exp", "aeif_cond_exp"};

void expect_same_state(const Network& network, double time_ms, const SimulationOptions& options) {
  Simulation processor = simulation_of(network, options_of(Connectivity::stored));
  Simulation device = simulation_of(network, options);
  processor.run(time_ms);
  device.run(time_ms);
  for (const Population& p : network.populations) {
    if (p.kind != Population::Kind::neurons) continue;
    const NeuronCatalogue models = NeuronCatalogue::builtin();
    for (const StateInfo& state : models.find(p.model)->states) {
      const std::vector<double> expected = processor.state(p.name, state.name);
      if (expected.front() != expected.front()) continue;  // of the other variant
      EXPECT_EQ(device.state(p.name, state.name), expected) << p.model << " " << p.name << " " << state.name;
    }
  }
}

// The vector equation of the processor and the scalar one of the device do the same operations.
TEST(EmulatedModels, SpikesAndStateOfEveryModelAreThoseOfTheProcessor) {
  for (const std::string& model : kModels) {
    const Network network = balanced_of(model);
    const Outcome processor = outcome_of(network, options_of(Connectivity::stored), 40.0);
    EXPECT_GE(processor.spikes, 100u) << model;
    expect_same_spikes(outcome_of(network, emulated(3), 40.0), processor, model);
    expect_same_spikes(outcome_of(network, emulated(4, 3, 64), 40.0), processor, model + " with more neurons than threads");
    expect_same_state(network, 20.0, emulated(5));
  }
}

// All models in one network; conductances so strong that the potential is no longer integrated by Runge-Kutta.
TEST(EmulatedModels, AllOfThemInOneNetworkInEveryOrder) {
  Network network;
  network.name = "all models";
  for (const std::string& model : kModels) {
    Network one = balanced_of(model);
    for (Population& p : one.populations) {
      p.name = model + "_" + p.name;
      p.size /= 4;
      network.populations.push_back(p);
    }
    for (Projection p : one.projections) {
      p.source = model + "_" + p.source;
      p.target = model + "_" + p.target;
      p.name = model + p.name;
      p.rule.number /= 8;
      network.projections.push_back(p);
    }
    for (Stimulus s : one.stimuli) {
      s.target = model + "_" + s.target;
      s.name = model + s.name;
      network.stimuli.push_back(s);
    }
  }
  network.stimuli.push_back(poisson("iaf_cond_exp_E", 300.0, 2500.0));
  network.stimuli.push_back(poisson("iaf_cond_exp_I", 300.0, -2500.0));
  network.stimuli.push_back(poisson("aeif_cond_exp_I", 100.0, -9000.0));
  expect_independent_of_order(network, 25.0, 300);
  expect_same_state(network, 25.0, emulated(5, 4, 64));
}

TEST(EmulatedSources, EveryKindOfSourceAndEveryRule) {
  expect_independent_of_order(with_sources(), 40.0, 3000);
  expect_independent_of_order(every_rule(), 60.0, 300);
}

TEST(EmulatedSources, OfDrawnRows) {
  const Network network = with_sources();
  const Outcome processor = outcome_of(network, options_of(Connectivity::stored), 40.0);
  for (std::uint64_t order = 0; order < 8; ++order) {
    Outcome device = outcome_of(network, emulated(order, 1 + 3 * static_cast<std::uint32_t>(order), 64, Connectivity::procedural), 40.0);
    device.synapses = processor.synapses;  // nobody counted them
    expect_same_spikes(device, processor, "order " + std::to_string(order));
  }
}

// Rules that a device cannot draw are written down beside those that it can, in packed and wide words.
TEST(EmulatedSources, EveryRuleOfProceduralNetworks) {
  for (const double smallest : {15.0, 0.001}) {
    Network network = every_rule();
    network.projections.back().rule.list[0].weight = smallest;
    const Outcome processor = outcome_of(network, options_of(Connectivity::stored), 60.0);
    for (std::uint64_t order = 0; order < 4; ++order) {
      Outcome device = outcome_of(network, emulated(order, 5 + static_cast<std::uint32_t>(order), 64, Connectivity::procedural), 60.0);
      device.synapses = processor.synapses;
      expect_same_spikes(device, processor, "order " + std::to_string(order));
    }
  }
}

TEST(EmulatedSources, ProceduralNetworksOfWhichNothingIsDrawn) {
  Network network = balanced();
  network.projections = {project("E", "I", Kind::fixed_indegree, 12, Distribution::constant(80), Distribution::uniform(0.3, 5.0)),
                         project("I", "E", Kind::fixed_indegree, 10, Distribution::constant(-320), Distribution::constant(1.0))};
  for (Projection& p : network.projections) p.rule.multapses = false;
  const Outcome processor = outcome_of(network, options_of(Connectivity::stored), 40.0);
  Outcome device = outcome_of(network, emulated(1, 8, 96, Connectivity::procedural), 40.0);
  device.synapses = processor.synapses;
  expect_same_spikes(device, processor, "all rows are written down");
}

// More spikes of sources in a step than the list of drawn rows has room for.
TEST(EmulatedSources, ManyAtOnce) {
  Network network = with_sources();
  Population& train = network.populations.back();
  train.size = 1500;
  train.train.clear();
  for (std::uint32_t i = 0; i < train.size; ++i) train.train.push_back({2.0, i});
  network.projections.back().rule.number = 4;
  const Outcome processor = outcome_of(network, options_of(Connectivity::stored), 8.0);
  expect_same_spikes(outcome_of(network, emulated(1), 8.0), processor, "stored");
  Outcome device = outcome_of(network, emulated(1, 8, 96, Connectivity::procedural), 8.0);
  device.synapses = processor.synapses;
  expect_same_spikes(device, processor, "procedural");
}

TEST(EmulatedSources, RunsInPiecesAreOneRun) {
  const Network network = with_sources();
  Simulation whole = simulation_of(network, options_of(Connectivity::stored)), pieces = simulation_of(network, emulated(2));
  Keeper of_whole, of_pieces;
  whole.run(125.0, of_whole);
  for (const double piece_ms : {0.1, 7.3, 0.2, 117.4}) pieces.run(piece_ms, of_pieces);
  EXPECT_EQ(pieces.report().digest, whole.report().digest);
  EXPECT_TRUE(of_pieces.spikes == of_whole.spikes);
  for (std::size_t p = 0; p < network.populations.size(); ++p) {
    EXPECT_EQ(pieces.report().populations[p].spikes, whole.report().populations[p].spikes) << network.populations[p].name;
  }
}

}  // namespace
}  // namespace tessera::test
