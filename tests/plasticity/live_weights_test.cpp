// Weights that are set between two runs.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <tuple>

#include "engine/networks.hpp"
#include "plasticity/examples.hpp"
#include "support/temporary_folder.hpp"

namespace tessera::test {
namespace {

std::vector<double> weights_of(const Simulation& simulation, const std::string& projection) {
  std::vector<double> weights;
  for (const auto& synapse : simulation.synapses(projection)) weights.push_back(synapse.weight);
  return weights;
}

/// Two projections onto a driven population that learn by a rule: one delay, and many.
Network taught(const PlasticityExample& example) {
  Network network = balanced();
  const double sign = example.weight < 0.0 ? -1.0 : 1.0;
  for (const bool spread : {false, true}) {
    Projection p = project("E", "I", Kind::fixed_indegree, 20, Distribution::constant(60.0 * sign),
                           spread ? Distribution::uniform(0.3, 6.0) : Distribution::constant(1.5));
    p.name = spread ? "spread" : "one";
    p.plasticity = example.plasticity;
    for (auto& [name, value] : p.plasticity->parameters) {
      if (name == "Wmax" || name == "Wmin" || name.starts_with("A_")) value *= 60.0 / std::abs(example.weight);
    }
    if (!p.plasticity->modulator.empty()) p.plasticity->modulator = "I";
    network.projections.push_back(p);
  }
  return network;
}

std::vector<SimulationOptions> both_precisions() { return {options_of(Connectivity::stored, 2, 3), exact_options(1, 2)}; }

TEST(LiveWeights, SettingWhatWasReadChangesNothing) {
  for (const PlasticityExample& example : different_examples()) {
    for (const SimulationOptions& options : both_precisions()) {
      const Network network = taught(example);
      Simulation untouched = simulation_of(network, options), touched = simulation_of(network, options);
      untouched.run(25.0);
      touched.run(25.0);
      for (const char* name : {"one", "spread"}) touched.set_weights(name, weights_of(touched, name));
      untouched.run(30.0);
      touched.run(30.0);
      EXPECT_EQ(touched.report().digest, untouched.report().digest) << example.name;
      EXPECT_EQ(weights_of(touched, "spread"), weights_of(untouched, "spread")) << example.name;
    }
  }
}

// The weights that are set change nothing but themselves, whoever asks on whatever tiles, and checkpoints have them.
TEST(LiveWeights, TilesAndCheckpointsChangeNothing) {
  for (const PlasticityExample& example : different_examples()) {
    const Network network = taught(example);
    const auto halved = [&](const SimulationOptions& options, const std::filesystem::path& file) {
      Simulation simulation = simulation_of(network, options);
      simulation.run(25.0);
      for (const char* name : {"one", "spread"}) {
        std::vector<double> weights = weights_of(simulation, name);
        for (std::size_t i = 0; i < weights.size(); i += 2) weights[i] *= 0.5;
        simulation.set_weights(name, weights);
      }
      simulation.save_checkpoint(file);
      simulation.run(20.0);
      return std::tuple(simulation.report().digest, weights_of(simulation, "one"), weights_of(simulation, "spread"));
    };
    const TemporaryFolder folder;
    const auto reference = halved(options_of(Connectivity::stored), folder / "a");
    EXPECT_TRUE(halved(options_of(Connectivity::stored, 3, 5), folder / "b") == reference) << example.name;
    Simulation resumed = simulation_of(network, options_of(Connectivity::stored, 2, 4));
    resumed.load_checkpoint(folder / "a");
    resumed.run(20.0);
    EXPECT_TRUE(std::tuple(resumed.report().digest, weights_of(resumed, "one"), weights_of(resumed, "spread")) == reference) << example.name;
  }
}

TEST(LiveWeights, WhatWasSetIsReadWhereNoSpikeIsUnderWay) {
  for (const PlasticityExample& example : different_examples()) {
    Network network = taught(example);
    for (Stimulus& s : network.stimuli) s.duration_ms = 30.0;  // then all fall silent
    for (const SimulationOptions& options : both_precisions()) {
      Simulation simulation = simulation_of(network, options);
      simulation.run(100.0);
      for (const char* name : {"one", "spread"}) {
        std::vector<double> wanted = weights_of(simulation, name);
        for (double& weight : wanted) weight = static_cast<float>(weight * 0.75);
        simulation.set_weights(name, wanted);
        std::vector<double> found = weights_of(simulation, name);
        // Synapses of one pair and delay come in the order of their weights.
        EXPECT_EQ(found, wanted) << example.name;
      }
    }
  }
}

// One spike through a synapse of weight w lifts the membrane by an amount that is proportional to w.
TEST(LiveWeights, ASpikeIsTransmittedWithTheWeightThatWasSet) {
  for (const SimulationOptions& options : both_precisions()) {
    Network network;
    Population train;
    train.name = "S";
    train.kind = Population::Kind::spike_train_source;
    train.size = 1;
    train.train = {{10.0, 0}, {310.0, 0}};
    network.populations = {train, neurons_of("A", 1)};
    network.projections = {project("S", "A", Kind::one_to_one, 0, Distribution::constant(100.0), Distribution::constant(1.0))};
    network.projections[0].plasticity = Plasticity{"static", {}};
    Simulation simulation = simulation_of(network, options);
    const double rest = simulation.state("A", "V_m")[0];
    const auto lift = [&](double until) {
      simulation.run(until);
      return simulation.state("A", "V_m")[0] - rest;
    };
    const double first = lift(15.0);
    simulation.run(285.0);
    simulation.set_weights(network.projections[0].name, std::vector<double>{250.0});
    const double second = lift(15.0);
    // Fast precision rounds each of the weights by a thousandth at most.
    EXPECT_NEAR(second / first, 2.5, options.precision == Precision::exact ? 1e-9 : 2.5 * 2e-3);
  }
}

// Weights that come and go are added in multiples of what they have in common; others would be rounded away.
TEST(LiveWeights, WeightsThatFastPrecisionWouldRoundAreRefused) {
  Network network;
  network.populations = {neurons_of("A", 20)};
  network.projections = {project("A", "A", Kind::pairwise_bernoulli, 0, Distribution::constant(100.0), Distribution::constant(1.0))};
  Projection& p = network.projections[0];
  p.rule.probability = 0.3;
  p.rule.autapses = p.rule.multapses = false;
  p.plasticity = Plasticity{"static", {}};
  p.rewiring = StructuralPlasticity{"prune_and_regrow", {}};
  Simulation fast = simulation_of(network, options_of(Connectivity::stored)), exact = simulation_of(network, exact_options());
  const std::size_t count = fast.synapses(p.name).size();
  EXPECT_THROW(fast.set_weights(p.name, std::vector<double>(count, 130.0)), InputError);
  fast.set_weights(p.name, std::vector<double>(count, 300.0));
  exact.set_weights(p.name, std::vector<double>(exact.synapses(p.name).size(), 130.0));
}

TEST(LiveWeights, ImpossibleWeightsAreRefusedAndChangeNothing) {
  const Network network = taught(different_examples().front());  // 0 <= w <= 120
  Simulation simulation = simulation_of(network, options_of(Connectivity::stored)), untouched = simulation_of(network, options_of(Connectivity::stored));
  simulation.run(10.0);
  untouched.run(10.0);
  const std::vector<double> good = weights_of(simulation, "one");
  for (const double bad : {-1.0, 120.1, std::numeric_limits<double>::quiet_NaN(), 1e30}) {
    std::vector<double> weights(good.size(), 1.0);
    weights.back() = bad;
    EXPECT_THROW(simulation.set_weights("one", weights), InputError) << bad;
  }
  EXPECT_THROW(simulation.set_weights("one", std::span(good).first(good.size() - 1)), InputError);
  simulation.run(20.0);
  untouched.run(20.0);
  EXPECT_EQ(simulation.report().digest, untouched.report().digest);
}

}  // namespace
}  // namespace tessera::test
