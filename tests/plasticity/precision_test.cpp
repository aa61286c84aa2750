// The vector kernels against the rules in float64, spike by spike: every rule, trains from rare to dense, bursts, spikes
// that meet, rows of one delay and of many.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>

#include "engine/networks.hpp"
#include "plasticity/examples.hpp"
#include "support/draw.hpp"
#include "support/forced_target.hpp"

namespace tessera::test {
namespace {

constexpr double kTime_ms = 6000.0;
constexpr std::uint32_t kSources = 9, kTargets = 21;

Population trains(const std::string& name, std::uint32_t size, Draw& draw) {
  Population p;
  p.name = name;
  p.kind = Population::Kind::spike_train_source;
  p.size = size;
  for (std::uint32_t n = 0; n < size; ++n) {
    // From one spike in two seconds to a hundred per second; every third one falls silent for more than two seconds.
    const double mean_ms = 2000.0 / std::pow(200.0, n / (size - 1.0));
    const bool pauses = n % 3 == 1;
    for (double t = 1.0; t < kTime_ms - 10.0; t += 0.2 - mean_ms * std::log(draw.between(1e-9, 1.0))) {
      if (!pauses || t < 1500.0 || t > 4000.0) p.train.push_back({std::round(t * 10.0) / 10.0, n});
    }
  }
  return p;
}

/// Sources and neurons with such trains, all joined to all by a plastic projection.
Network trains_to_trains(const Plasticity& plasticity, double weight, const Distribution& delay_ms) {
  Draw draw(7, 3);
  Network network;
  network.name = "trains";
  network.rate_limit_hz = 1e6;
  Population neurons = neurons_of("post", kTargets, "iaf_psc_delta");
  neurons.parameters = {{"tau_m", 10.0}, {"E_L", 0.0}, {"V_reset", 0.0}, {"V_th", 1e6}, {"t_ref", 0.0}};
  network.populations = {trains("pre", kSources, draw), trains("drive", kTargets, draw), neurons};
  Projection drive = project("drive", "post", Kind::one_to_one, 0, Distribution::constant(1e7), Distribution::constant(0.1));
  Projection plastic = project("pre", "post", Kind::all_to_all, 0, Distribution::constant(weight), delay_ms);
  plastic.name = "plastic";
  plastic.plasticity = plasticity;
  if (!plasticity.modulator.empty()) plastic.plasticity->modulator = "pre";
  network.projections = {drive, plastic};
  return network;
}

std::vector<std::vector<ConnectivityRule::Synapse>> weights_of(const Network& network, Precision precision) {
  SimulationOptions options;
  options.precision = precision;
  options.threads = 1;
  Simulation simulation = simulation_of(network, options);
  std::vector<std::vector<ConnectivityRule::Synapse>> readings;
  for (const double part_ms : {100.0, 1233.3, 2666.7, 2000.0}) {
    simulation.run(part_ms);
    readings.push_back(simulation.synapses("plastic"));
  }
  return readings;
}

void expect_near(const Network& network, double range) {
  const auto exact = weights_of(network, Precision::exact);
  double moved = 0.0;
  for (const std::string& target : simd_targets()) {
    const SimdTarget forced(target);
    const auto fast = weights_of(network, Precision::fast);
    for (std::size_t r = 0; r < exact.size(); ++r) {
      ASSERT_EQ(fast[r].size(), exact[r].size());
      for (std::size_t i = 0; i < exact[r].size(); ++i) {
        ASSERT_NEAR(fast[r][i].weight, exact[r][i].weight, 1e-5 * range)
            << target << ", reading " << r << ", synapse " << exact[r][i].source << " -> " << exact[r][i].target;
        moved = std::max(moved, std::abs(exact[r][i].weight - exact[0][0].weight));
      }
    }
  }
  EXPECT_GT(moved, 0.05 * range) << "weights hardly change";
}

TEST(Precision, FastWeightsAreTheExactOnesToSingleRounding) {
  for (const PlasticityExample& example : plasticity_examples()) {
    SCOPED_TRACE(example.name);
    expect_near(trains_to_trains(example.plasticity, example.weight, Distribution::constant(1.5)), example.range);
    expect_near(trains_to_trains(example.plasticity, example.weight, Distribution::uniform(0.4, 5.2)), example.range);
  }
}

}  // namespace
}  // namespace tessera::test
