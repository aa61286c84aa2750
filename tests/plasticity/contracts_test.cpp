// Contracts D1 and D2 with plasticity: the same spikes and weights for any threads, tiles and ranks, and when resumed.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <mutex>
#include <tuple>

#include "engine/networks.hpp"
#include "engine/over_ranks.hpp"
#include "plasticity/examples.hpp"
#include "support/temporary_folder.hpp"

namespace tessera::test {
namespace {

using Synapses = std::vector<ConnectivityRule::Synapse>;

/// A balanced network in which three projections learn: rows of one delay, of many, and short ones.
Network learning(const PlasticityExample& example, double dt_ms = 0.1) {
  Network network = balanced(dt_ms);
  network.dt_ms = dt_ms;
  const auto learn = [&](const char* from, const char* to, Kind kind, std::uint64_t number, const Distribution& delay) {
    Projection p = project(from, to, kind, number, Distribution::constant(60.0 * (example.weight < 0.0 ? -1.0 : 1.0)), delay);
    p.name = "learns" + std::to_string(network.projections.size());
    p.plasticity = example.plasticity;
    // Weights count in pA here: bounds follow.
    for (auto& [name, value] : p.plasticity->parameters) {
      if (name == "Wmax" || name == "Wmin" || name.starts_with("A_")) value *= 60.0 / std::abs(example.weight);
    }
    if (!p.plasticity->modulator.empty()) p.plasticity->modulator = "I";
    network.projections.push_back(p);
  };
  learn("E", "E", Kind::fixed_indegree, 20, Distribution::constant(1.5));
  learn("E", "I", Kind::fixed_total_number, 3000, Distribution::uniform(std::max(0.3, dt_ms), 6.0));
  learn("I", "E", Kind::pairwise_bernoulli, 0, Distribution::constant(1.0));
  network.projections.back().rule.probability = 0.01;
  return network;
}

struct Learnt {
  std::uint64_t digest = 0, events = 0;
  std::vector<Synapses> synapses;
};

std::vector<Synapses> synapses_of(const Simulation& simulation, const Network& network) {
  std::vector<Synapses> all;
  for (const Projection& p : network.projections) {
    if (p.plasticity) all.push_back(simulation.synapses(p.name));
  }
  return all;
}

Learnt learn(const Network& network, const SimulationOptions& options, double time_ms) {
  Simulation simulation = simulation_of(network, options);
  simulation.run(time_ms);
  return {simulation.report().digest, simulation.report().counts.synaptic_events, synapses_of(simulation, network)};
}

bool same_bits(const Synapses& a, const Synapses& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return std::tie(x.source, x.target, x.weight, x.delay_ms) == std::tie(y.source, y.target, y.weight, y.delay_ms);
  });
}

void expect_same(const Learnt& a, const Learnt& b, const std::string& what) {
  EXPECT_EQ(a.digest, b.digest) << what;
  EXPECT_EQ(a.events, b.events) << what;
  ASSERT_EQ(a.synapses.size(), b.synapses.size());
  for (std::size_t p = 0; p < a.synapses.size(); ++p) EXPECT_TRUE(same_bits(a.synapses[p], b.synapses[p])) << what << ", projection " << p;
}

/// How many weights are not what they were.
std::size_t changed(const Learnt& learnt) {
  std::size_t n = 0;
  for (const Synapses& synapses : learnt.synapses) {
    for (const auto& s : synapses) n += std::abs(std::abs(s.weight) - 60.0) > 1e-4 ? 1 : 0;
  }
  return n;
}

constexpr double kTime_ms = 60.0;

TEST(LearningContracts, ThreadsAndTilesChangeNothing) {
  for (const PlasticityExample& example : different_examples()) {
    const Network network = learning(example);
    for (const bool exact : {false, true}) {
      const auto options = [&](int threads, int tiles) { return exact ? exact_options(threads, tiles) : options_of(Connectivity::stored, threads, tiles); };
      const Learnt reference = learn(network, options(1, 1), kTime_ms);
      EXPECT_GT(changed(reference), 1000u) << example.name;
      for (const auto& [threads, tiles] : {std::pair(2, 4), std::pair(3, 0), std::pair(1, 7)}) {
        expect_same(learn(network, options(threads, tiles), kTime_ms), reference, example.name + ", tiles " + std::to_string(tiles));
      }
    }
  }
}

TEST(LearningContracts, RanksChangeNothing) {
  const Network network = learning(different_examples().front());
  for (const bool exact : {false, true}) {
    const SimulationOptions options = exact ? exact_options() : options_of(Connectivity::stored);
    const Learnt reference = learn(network, options, kTime_ms);
    for (const int ranks : {2, 3, 5}) {
      for (const Exchange exchange : {Exchange::collective, Exchange::point_to_point}) {
        Learnt together;
        together.synapses.resize(reference.synapses.size());
        std::mutex mutex;
        const RanksOutcome outcome = run_over_ranks(network, with(options, exchange), ranks, [&](Simulation& simulation, Keeper& keeper) {
          simulation.run(kTime_ms, keeper);
          const std::vector<Synapses> own = synapses_of(simulation, network);
          const std::lock_guard lock(mutex);
          for (std::size_t p = 0; p < own.size(); ++p) together.synapses[p].insert(together.synapses[p].end(), own[p].begin(), own[p].end());
        });
        for (Synapses& synapses : together.synapses) {
          std::sort(synapses.begin(), synapses.end(), [](const auto& a, const auto& b) {
            return std::tie(a.source, a.target, a.delay_ms, a.weight) < std::tie(b.source, b.target, b.delay_ms, b.weight);
          });
        }
        together.digest = outcome.digest;
        together.events = outcome.events;
        expect_same(together, reference, std::to_string(ranks) + " ranks, " + to_string(exchange));
      }
    }
  }
}

TEST(LearningContracts, ResumedRunsGoOnAsIfNothingHadHappened) {
  for (const PlasticityExample& example : different_examples()) {
    const Network network = learning(example);
    for (const bool exact : {false, true}) {
      const auto options = [&](int threads, int tiles) { return exact ? exact_options(threads, tiles) : options_of(Connectivity::stored, threads, tiles); };
      const Learnt whole = learn(network, options(2, 0), kTime_ms);
      const TemporaryFolder folder;
      Simulation simulation = simulation_of(network, options(2, 3));
      simulation.run(23.7);
      simulation.save_checkpoint(folder / "at.ckpt");
      for (const auto& [threads, tiles] : {std::pair(1, 1), std::pair(3, 5)}) {
        Simulation resumed = simulation_of(network, options(threads, tiles));
        resumed.load_checkpoint(folder / "at.ckpt");
        resumed.run(kTime_ms - 23.7);
        EXPECT_EQ(resumed.report().digest, whole.digest) << example.name;
        const std::vector<Synapses> synapses = synapses_of(resumed, network);
        for (std::size_t p = 0; p < synapses.size(); ++p) EXPECT_TRUE(same_bits(synapses[p], whole.synapses[p])) << example.name << p;
      }
    }
  }
}

// Rows that catch up, histories that forget: seconds of model time, in steps of half a millisecond.
TEST(LearningContracts, LongRunsCatchUpTheSameWay) {
  const std::vector<PlasticityExample> examples = different_examples();
  for (const PlasticityExample& example : {examples.front(), examples.back()}) {  // rows with sums, and without
    Network network = learning(example, 0.5);
    network.stimuli = {current("E", 377.0), current("I", 376.0)};  // barely above threshold
    for (Population& p : network.populations) p.parameters["V_th"] = -50.0;
    const Learnt reference = learn(network, options_of(Connectivity::stored, 1, 1), 4300.0);
    EXPECT_GT(changed(reference), 1000u) << example.name;
    expect_same(learn(network, options_of(Connectivity::stored, 2, 5), 4300.0), reference, example.name);
    const TemporaryFolder folder;
    Simulation simulation = simulation_of(network, options_of(Connectivity::stored, 2, 3));
    simulation.run(2512.0);
    simulation.save_checkpoint(folder / "at.ckpt");
    Simulation resumed = simulation_of(network, options_of(Connectivity::stored));
    resumed.load_checkpoint(folder / "at.ckpt");
    resumed.run(4300.0 - 2512.0);
    EXPECT_EQ(resumed.report().digest, reference.digest) << example.name;
  }
}

TEST(LearningContracts, ReadingWeightsChangesNothing) {
  const Network network = learning(different_examples().front());
  const Learnt whole = learn(network, options_of(Connectivity::stored), kTime_ms);
  Simulation simulation = simulation_of(network, options_of(Connectivity::stored));
  for (int i = 0; i < 60; ++i) {
    simulation.run(1.0);
    (void)synapses_of(simulation, network);
  }
  EXPECT_EQ(simulation.report().digest, whole.digest);
  const std::vector<Synapses> synapses = synapses_of(simulation, network);
  for (std::size_t p = 0; p < synapses.size(); ++p) EXPECT_TRUE(same_bits(synapses[p], whole.synapses[p]));
}

}  // namespace
}  // namespace tessera::test
