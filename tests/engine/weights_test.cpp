// Weights of very different size onto one population: none vanishes, thresholds that are reached exactly
// are reached, and every way to run gives the same spikes. Numbers of synapses of every way to run.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "engine/networks.hpp"
#include "support/temporary_folder.hpp"

namespace tessera::test {
namespace {

std::vector<SimulationOptions> ways() {
  return {options_of(Connectivity::stored), options_of(Connectivity::stored, 2, 4, 1), options_of(Connectivity::procedural),
          options_of(Connectivity::procedural, 2, 3, 0, false)};
}

/// A source that emits one spike per neuron at 1 ms.
Population once(const std::string& name, std::uint32_t size) {
  Population p;
  p.name = name;
  p.kind = Population::Kind::spike_train_source;
  p.size = size;
  for (std::uint32_t i = 0; i < size; ++i) p.train.push_back({1.0, i});
  return p;
}

Population silent(const std::string& name) {
  Population p = once(name, 1);
  p.train.clear();
  return p;
}

/// A delta neuron that does not leak in a few ms and fires when `distance` mV are added.
Population integrator(std::uint32_t size, double distance) {
  Population p = neurons_of("T", size, "iaf_psc_delta");
  p.parameters = {{"tau_m", 1e9}, {"E_L", 0.0}, {"V_reset", -1e6}, {"V_th", distance}};
  return p;
}

// 1000 spikes of 0.0003 mV make 0.3 mV, whatever a silent synapse weighs; uniform and listed rules.
TEST(Weights, SmallOnesAddUpBesideALargeOne) {
  for (const Kind kind : {Kind::all_to_all, Kind::fixed_outdegree}) {
    for (const double large : {5.0, M_PI, -1e3 * M_PI}) {
      Network network;
      network.populations = {once("S", 1000), silent("L"), integrator(1, 1e9)};
      network.projections = {project("S", "T", kind, 1, Distribution::constant(0.0003), Distribution::constant(1.0)),
                             project("L", "T", kind, 1, Distribution::constant(large), Distribution::constant(1.0))};
      for (const SimulationOptions& options : ways()) {
        Simulation simulation = simulation_of(network, options);
        simulation.run(3.0);
        EXPECT_NEAR(simulation.state("T", "V_m")[0], 0.3, 0.0003) << large << " " << to_string(options.connectivity);
        EXPECT_TRUE(simulation.report().rounded_weights.empty());
      }
    }
  }
}

// n synapses of w onto a distance of n w: V_m >= V_th, and one synapse less does not fire. A silent one of
// another size has a common divisor with w, or w is the smallest.
TEST(Weights, AThresholdReachedExactlyFires) {
  const struct {
    double weight, silent;
    std::uint32_t n;
  } cases[] = {{15.0, -20.0, 1},  {0.1, -0.45, 150}, {0.1, -0.5, 30},   {0.3, -0.7, 50},   {0.15, -0.6, 100},
               {1.7, 3.1, 7},     {0.01, -2.0, 999}, {12.34, -56.7, 1}, {0.007, 1.3, 3000}, {87.8, -351.2, 4},
               {std::sqrt(2.0), -2000.0 * M_PI, 1}};
  for (const auto& [weight, other, n] : cases) {
    for (const std::uint32_t active : {n, n - 1}) {
      Network network;
      const double distance = n == 1 ? weight : std::round(weight * n * 1e6) / 1e6;
      network.populations = {once("S", std::max(1u, active)), silent("L"), integrator(1, distance)};
      if (active == 0) network.populations[0].train.clear();
      network.projections = {
          project("S", "T", Kind::all_to_all, 0, Distribution::constant(weight), Distribution::constant(1.0)),
          project("L", "T", Kind::all_to_all, 0, Distribution::constant(other), Distribution::constant(1.0))};
      for (const SimulationOptions& options : ways()) {
        EXPECT_EQ(outcome_of(network, options, 4.0).list.size(), active + (active == n ? 1u : 0u))
            << weight << " " << n << " " << active;
      }
    }
  }
}

/// Projections of every kind of drawing whose weights differ a hundred thousand times.
Network of_every_size() {
  Network network;
  network.name = "of every size";
  Population noise;
  noise.name = "noise";
  noise.kind = Population::Kind::poisson_source;
  noise.size = 50;
  noise.rate_hz = 200.0;
  network.populations = {neurons_of("E", 600), noise};
  network.populations[0].initial["V_m"].distribution = Distribution::uniform(-65.0, -50.5);
  const Distribution delay = Distribution::normal(1.5, 0.75).within(0.1, 6.0);
  network.projections = {
      project("E", "E", Kind::fixed_total_number, 9000, Distribution::normal(-0.3, 0.03), delay),
      project("E", "E", Kind::fixed_indegree, 4, Distribution::constant(0.02), Distribution::constant(0.7)),
      project("E", "E", Kind::fixed_outdegree, 6, Distribution::exponential(40.0), delay),
      project("noise", "E", Kind::fixed_indegree, 2, Distribution::constant(2000.0), delay),
      project("noise", "E", Kind::fixed_total_number, 20, Distribution::normal(30000.0, 3000.0), delay)};
  for (std::size_t p = 0; p < network.projections.size(); ++p) network.projections[p].name = "P" + std::to_string(p);
  network.stimuli = {current("E", 370.0), poisson("E", 800.0, 0.05)};
  network.rate_limit_hz = 1e6;
  return network;
}

TEST(Weights, OfEverySizeGiveTheSameSpikesInEveryWayToRun) {
  for (const std::uint32_t more : {0u, 20000u, 40000u}) {  // delay groups of 32, 8 and 4 steps
    const Network network = beside_silent(of_every_size(), more);
    const Outcome reference = outcome_of(network, options_of(Connectivity::stored), 30.0);
    EXPECT_GT(reference.spikes, 600u);
    for (const SimulationOptions& options : ways()) {
      const Outcome outcome = outcome_of(network, options, 30.0);
      EXPECT_TRUE(outcome.list == reference.list) << to_string(options.connectivity) << " " << options.threads;
      EXPECT_EQ(outcome.events, reference.events);
    }
  }
}

TEST(Weights, OfEverySizeAreResumed) {
  const TemporaryFolder folder;
  const Network network = of_every_size();
  const Outcome whole = outcome_of(network, options_of(Connectivity::stored), 30.0);
  for (const SimulationOptions& from : ways()) {
    Simulation simulation = simulation_of(network, from);
    simulation.run(13.7);
    simulation.save_checkpoint(folder / "at.ckpt");
    for (const SimulationOptions& to : ways()) {
      Simulation resumed = simulation_of(network, to);
      resumed.load_checkpoint(folder / "at.ckpt");
      resumed.run(30.0 - 13.7);
      EXPECT_EQ(resumed.report().digest, whole.digest) << to_string(to.connectivity);
    }
  }
}

// One synapse of 1e6 beside one of 1e-9: sums of 31 bits cannot hold both; float64 can.
TEST(Weights, WhatIsRoundedAwayIsReported) {
  Network network;
  network.populations = {once("S", 1), silent("L"), integrator(1, 1e9)};
  network.projections = {project("S", "T", Kind::all_to_all, 0, Distribution::constant(1e-9), Distribution::constant(1.0)),
                         project("L", "T", Kind::all_to_all, 0, Distribution::constant(1e6), Distribution::constant(1.0))};
  network.projections[0].name = "faint";
  const auto expect_named = [](const std::vector<RoundedWeights>& rounded) {
    ASSERT_EQ(rounded.size(), 1u);
    EXPECT_EQ(rounded[0].name, "projection 'faint'");
    EXPECT_EQ(rounded[0].error, 1.0);
  };
  expect_named(plan(network, NeuronCatalogue::builtin(), options_of(Connectivity::stored)).rounded_weights);
  expect_named(simulation_of(network, options_of(Connectivity::procedural)).report().rounded_weights);
  EXPECT_TRUE(plan(network, NeuronCatalogue::builtin(), exact_options()).rounded_weights.empty());
  EXPECT_TRUE(simulation_of(network, exact_options()).report().rounded_weights.empty());
}

// Packed words of 4 bytes, wide ones of 8: 200,000 synapses and at most a header for each of 1000 rows.
TEST(Weights, OnlyProjectionsOfLargeWeightsTakeMoreMemory) {
  Network network;
  network.populations = {neurons_of("A", 1000), neurons_of("B", 1000)};
  network.projections = {project("A", "B", Kind::fixed_outdegree, 200, Distribution::constant(M_PI), Distribution::constant(1.0))};
  const auto bytes = [&network] { return simulation_of(network, options_of(Connectivity::stored)).report().synapse_bytes; };
  const std::uint64_t packed = bytes();
  network.projections.push_back(
      project("A", "B", Kind::one_to_one, 0, Distribution::exponential(0.0001), Distribution::constant(1.0)));
  EXPECT_GT(bytes(), packed + 700000u) << "200,000 weights of pi are 31,416 times the small ones";
  network.projections[0].weight = Distribution::constant(0.0001 * M_PI);
  EXPECT_LT(bytes(), packed + 100000u);
}

// --- Numbers of synapses ---------------------------------------------------------------------------

TEST(SynapseCounts, EveryWayToRunReportsThem) {
  for (const bool listed : {false, true}) {
    Network network = every_rule();
    auto& projections = network.projections;
    const auto drawn = [](const Projection& p) { return draws_number_of_synapses(p.rule); };
    if (!listed) projections.erase(std::remove_if(projections.begin(), projections.end(), drawn), projections.end());
    const SimulationReport counted = simulation_of(network, options_of(Connectivity::stored)).report();
    EXPECT_FALSE(counted.counts.synapses_expected);
    std::uint64_t synapses = 0;
    for (const Projection& p : projections) synapses += list_synapses(network, NeuronCatalogue::builtin(), 42, p.name).size();
    EXPECT_EQ(counted.counts.synapses, synapses);
    for (const bool table : {true, false}) {
      const WorkCounters counts = simulation_of(network, options_of(Connectivity::procedural, 2, 3, 0, table)).report().counts;
      EXPECT_EQ(counts.synapses_expected, listed);
      // 100 * 700 pairs at 0.05 and 160,000 pairs under a Gaussian are drawn: SD below 300.
      EXPECT_NEAR(static_cast<double>(counts.synapses), static_cast<double>(synapses), listed ? 1500.0 : 0.0);
    }
  }
}

// 70,000 x 70,000 pairs are more than 2^32.
TEST(SynapseCounts, AreRightAbove32Bits) {
  Network network;
  network.populations = {neurons_of("A", 70000, "iaf_psc_delta")};
  for (const Kind kind : {Kind::all_to_all, Kind::fixed_total_number, Kind::fixed_outdegree}) {
    const std::uint64_t number = kind == Kind::fixed_total_number ? 4900000000ull : 70000;
    network.projections = {project("A", "A", kind, number, Distribution::constant(1.0), Distribution::constant(1.0))};
    const SimulationOptions options = options_of(Connectivity::procedural, 2, 0, 0, false);
    EXPECT_EQ(simulation_of(network, options).report().counts.synapses, 4900000000ull) << to_string(kind);
    const Plan planned = plan(network, NeuronCatalogue::builtin(), options);
    EXPECT_EQ(planned.synapses, 4900000000ull);
    EXPECT_FALSE(planned.synapses_expected);
  }
}

TEST(SynapseCounts, APlanSaysWhenTheyAreAMean) {
  Network network;
  network.populations = {neurons_of("A", 100)};
  network.projections = {project("A", "A", Kind::pairwise_bernoulli, 0, Distribution::constant(1.0), Distribution::constant(1.0))};
  for (const double probability : {0.0, 0.1, 1.0}) {
    network.projections[0].rule.probability = probability;
    const Plan planned = plan(network, NeuronCatalogue::builtin(), options_of(Connectivity::stored));
    EXPECT_EQ(planned.synapses, static_cast<std::uint64_t>(std::llround(10000.0 * probability)));
    EXPECT_EQ(planned.synapses_expected, probability == 0.1);
  }
}

}  // namespace
}  // namespace tessera::test
