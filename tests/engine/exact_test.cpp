// Exact precision against an independent plain simulation: lists of synapses and the scalar equation.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "engine/networks.hpp"

namespace tessera::test {
namespace {

/// A simulator as small as it can be: full rings of float64 input, neuron by neuron, step by step.
/// Spikes of sources are replayed from `sent` (step of emission to global ids).
class PlainSimulation {
 public:
  PlainSimulation(const Network& network, std::uint64_t seed, const Simulation& start) : network_(network) {
    const NeuronCatalogue models = NeuronCatalogue::builtin();
    for (const Population& p : network.populations) {
      first_.push_back(static_cast<std::uint32_t>(neurons_.size()));
      NeuronVariant variant;
      if (p.kind == Population::Kind::neurons) {
        const NeuronModel& model = *models.find(p.model);
        variant = model.prepare(values_of(p, model), network.dt_ms);
      }
      std::vector<std::vector<double>> columns;
      for (const StateInfo& state : variant.states) columns.push_back(start.state(p.name, state.name));
      for (std::uint32_t i = 0; i < p.size; ++i) {
        Neuron neuron{variants_.size(), {}, 0, std::vector<double>(2 * kRing, 0.0)};
        for (std::size_t c = 0; c < columns.size(); ++c) {
          neuron.state.push_back(columns[c][i] - (c == 0 ? variant.origin : 0.0));
        }
        neurons_.push_back(std::move(neuron));
      }
      variants_.push_back(variant);
    }
    rows_.resize(neurons_.size());
    for (const Projection& p : network.projections) {
      const std::uint32_t from = first_[network.index_of(p.source)], to = first_[network.index_of(p.target)];
      for (const auto& s : list_synapses(network, models, seed, p.name)) {
        rows_[from + s.source].push_back({to + s.target, static_cast<int>(std::lround(s.delay_ms / network.dt_ms)), s.weight});
      }
    }
  }

  std::vector<Spike> run(int steps, const std::multimap<std::uint32_t, std::uint32_t>& sent) {
    std::vector<Spike> spikes;
    for (int t = 0; t < steps; ++t) {
      std::vector<std::uint32_t> now;
      for (std::uint32_t i = 0; i < neurons_.size(); ++i) {
        Neuron& n = neurons_[i];
        const NeuronVariant& variant = variants_[n.population];
        if (variant.reference_step == nullptr) continue;
        double* input = n.ring.data() + 2 * (t % kRing);
        double both[2] = {input[0], input[1]};
        if (variant.ports == 1) both[0] += both[1];
        const bool spiked = variant.reference_step(n.state.data(), variant.constants.data(), both,
                                                   current(n.population, t), n.refractory > 0);
        if (n.refractory > 0) --n.refractory;
        if (spiked) n.refractory = variant.refractory_steps;
        if (spiked) now.push_back(i);
        input[0] = input[1] = 0.0;
      }
      const auto [begin, end] = sent.equal_range(static_cast<std::uint32_t>(t));
      for (auto it = begin; it != end; ++it) now.push_back(it->second);
      for (const std::uint32_t i : now) {
        spikes.push_back({static_cast<std::uint32_t>(t + 1), i});
        for (const Synapse& s : rows_[i]) {
          neurons_[s.target].ring[static_cast<std::size_t>(2 * ((t + s.delay) % kRing) + (s.weight < 0.0 ? 1 : 0))] += s.weight;
        }
      }
    }
    return spikes;
  }

 private:
  static constexpr int kRing = 512;
  struct Neuron {
    std::size_t population;
    std::vector<double> state;
    int refractory;
    std::vector<double> ring;  ///< [step][sign]
  };
  struct Synapse {
    std::uint32_t target;
    int delay;
    double weight;
  };
  [[nodiscard]] double current(std::size_t population, int step) const {
    double sum = 0.0;
    for (const Stimulus& s : network_.stimuli) {
      if (s.target != network_.populations[population].name) continue;
      const double time = step * network_.dt_ms + 1e-9;
      if (time >= s.start_ms && time < s.start_ms + s.duration_ms) sum += s.amplitude_pA;
    }
    return sum;
  }

  Network network_;
  std::vector<std::uint32_t> first_;
  std::vector<NeuronVariant> variants_;
  std::vector<Neuron> neurons_;
  std::vector<std::vector<Synapse>> rows_;
};

/// Weights that are multiples of 1/8: sums of float64 are exact in any order, so spikes must be equal.
Network exactly_summing() {
  Network network = balanced(0.1, 20.0);
  for (std::size_t p = 0; p < network.projections.size(); ++p) {
    network.projections[p].weight = Distribution::constant(p < 2 ? 80.125 : -320.5);
  }
  network.populations.push_back(neurons_of("D", 150, "iaf_psc_delta"));
  network.populations.push_back(neurons_of("Z", 50, "izhikevich"));
  Population train;
  train.name = "train";
  train.kind = Population::Kind::spike_train_source;
  train.size = 4;
  for (std::uint32_t i = 0; i < 400; ++i) train.train.push_back({0.1 * (1 + 7 * i % 900), i % 4});
  network.populations.push_back(train);
  const Distribution delay = Distribution::uniform(0.3, 12.0);
  network.projections.push_back(project("E", "D", Kind::fixed_indegree, 30, Distribution::constant(0.875), delay));
  network.projections.push_back(project("D", "E", Kind::fixed_outdegree, 30, Distribution::constant(40.5), delay));
  network.projections.push_back(project("train", "D", Kind::all_to_all, 0, Distribution::constant(1.25), delay));
  network.projections.push_back(project("E", "Z", Kind::fixed_indegree, 20, Distribution::constant(0.5), delay));
  Stimulus pulse = current("E", 200.0);
  pulse.name = "pulse";
  pulse.start_ms = 20.0;
  pulse.duration_ms = 5.5;
  network.stimuli.push_back(pulse);
  return network;
}

TEST(ExactPrecision, GivesThePlainSimulationsSpikes) {
  const Network network = exactly_summing();
  Simulation simulation = simulation_of(network, exact_options(2, 5));
  PlainSimulation plain(network, 42, simulation);
  std::multimap<std::uint32_t, std::uint32_t> sent;
  const std::uint32_t first = 700 + 180 + 150 + 50;
  for (const auto& spike : network.populations.back().train) {
    sent.emplace(static_cast<std::uint32_t>(std::lround(spike.time_ms / 0.1)) - 1, first + spike.neuron);
  }
  Keeper keeper;
  simulation.run(100.0, keeper);
  std::vector<Spike> expected = plain.run(1000, sent);
  std::sort(expected.begin(), expected.end(),
            [](const Spike& a, const Spike& b) { return std::pair(a.step, a.neuron) < std::pair(b.step, b.neuron); });
  ASSERT_GT(expected.size(), 1000u);
  std::uint64_t of_delta = 0;
  for (const Spike& s : expected) of_delta += s.neuron >= 880 && s.neuron < 1030;
  EXPECT_GT(of_delta, 20u);
  EXPECT_TRUE(keeper.spikes == expected) << keeper.spikes.size() << " instead of " << expected.size();
}

// Rounding makes single trajectories part, but not the activity: over 300 ms and 880 neurons the spike
// counts of two such runs differ by a few standard deviations of a Poisson count at most.
TEST(ExactPrecision, FastRunsAreAsActive) {
  const Network network = balanced();
  const Outcome fast = outcome_of(network, options_of(Connectivity::procedural), 300.0);
  const Outcome exact = outcome_of(network, exact_options(), 300.0);
  ASSERT_GT(exact.spikes, 1000u);
  const auto n = static_cast<double>(exact.spikes);
  EXPECT_NEAR(static_cast<double>(fast.spikes), n, 4.0 * std::sqrt(2.0 * n));
  // Until chaos sets in they are the same, spike for spike.
  std::size_t same = 0;
  while (same < exact.list.size() && same < fast.list.size() && exact.list[same] == fast.list[same]) ++same;
  EXPECT_GT(same, 50u);
}

TEST(ExactPrecision, RefusesProceduralConnectivity) {
  SimulationOptions options = exact_options();
  options.connectivity = Connectivity::procedural;
  EXPECT_THROW(simulation_of(balanced(), options), InputError);
}

}  // namespace
}  // namespace tessera::test
