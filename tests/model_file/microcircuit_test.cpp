// The cortical microcircuit's model file against the published parameters of the model.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "model_file/load.hpp"

namespace tessera {
namespace {

using test::all_neurons;
using test::all_synapses;
using test::find_projection;
using test::load;

const std::string kFile = "microcircuit/microcircuit.toml";
// Peak of the difference of two exponentials for a PSP of 0.15 mV, as published: 87.81 pA.
constexpr double kPSC = 87.81;

double weight_of(const Network& n, const std::string& pair) {
  return find_projection(n, "cortex." + pair)->weight.mean();
}

TEST(Microcircuit, HasThePublishedCounts) {
  const Network n = load(kFile);
  EXPECT_EQ(all_neurons(n), 77169u);
  EXPECT_EQ(all_synapses(n), 298880968.0);
  EXPECT_EQ(n.populations.size(), 8u);
  EXPECT_EQ(n.populations[0].name, "L23E");
  EXPECT_EQ(n.populations[7].name, "L6I");
  EXPECT_EQ(n.projections.size(), 55u);  // 64 pairs, 9 of probability 0
  EXPECT_EQ(n.dt_ms, 0.1);
  EXPECT_EQ(n.time_ms, 10000.0);
  EXPECT_EQ(n.discard_ms, 500.0);
}

TEST(Microcircuit, ReadsRowsAsTargets) {
  const Network n = load(kFile);
  // p = 0.2252 from L6I (2948) to L6E (14395); the other direction has p = 0.0658.
  const auto number = [](double p, double pairs) {
    return std::round(std::log(1.0 - p) / std::log(1.0 - 1.0 / pairs));
  };
  const double pairs = 2948.0 * 14395.0;
  EXPECT_NEAR(static_cast<double>(find_projection(n, "cortex.L6I->L6E")->rule.number),
              number(0.2252, pairs), 1.0);
  EXPECT_NEAR(static_cast<double>(find_projection(n, "cortex.L6E->L6I")->rule.number),
              number(0.0658, pairs), 1.0);
  EXPECT_EQ(find_projection(n, "cortex.L6I->L23E"), nullptr);
}

TEST(Microcircuit, HasThePublishedWeightsAndDelays) {
  const Network n = load(kFile);
  EXPECT_NEAR(weight_of(n, "L23E->L23E"), kPSC, 0.005);
  EXPECT_NEAR(weight_of(n, "L23I->L23E"), -4 * kPSC, 0.02);
  EXPECT_NEAR(weight_of(n, "L4E->L23E"), 2 * kPSC, 0.01);
  EXPECT_NEAR(weight_of(n, "L4E->L23I"), kPSC, 0.005);
  for (const Projection& p : n.projections) {
    const bool inhibitory = p.source.back() == 'I';
    EXPECT_NEAR(p.weight.b, 0.1 * std::abs(p.weight.a), 1e-12) << p.name;
    EXPECT_EQ(inhibitory ? p.weight.high : p.weight.low, 0.0) << p.name;
    EXPECT_EQ(p.delay_ms.a, inhibitory ? 0.75 : 1.5) << p.name;
    EXPECT_EQ(p.delay_ms.b, inhibitory ? 0.375 : 0.75) << p.name;
    EXPECT_EQ(p.delay_ms.low, 0.05) << p.name;
  }
}

TEST(Microcircuit, PeaksAt150MicrovoltsByIntegration) {
  // dV/dt = -V/tau_m + I/C_m for I = PSC exp(-t/tau_syn), integrated with small steps.
  const double psc = load(kFile).parameters.at("PSC");
  double v = 0.0, peak = 0.0;
  const double dt = 1e-4;
  for (int step = 0; step < 100000; ++step) {
    const double current = psc * std::exp(-(step + 0.5) * dt / 0.5);
    v += dt * (-v / 10.0 + current / 250.0);
    peak = std::max(peak, v);
  }
  EXPECT_NEAR(peak, 0.15, 1e-5);
}

TEST(Microcircuit, IsDrivenByACurrentOrByPoissonTrains) {
  const Network dc = load(kFile);
  ASSERT_EQ(dc.stimuli.size(), 8u);
  // I = 0.001 * 8 * K_ext * w * tau_syn
  EXPECT_EQ(dc.stimuli[0].kind, Stimulus::Kind::current);
  EXPECT_NEAR(dc.stimuli[0].amplitude_pA, 0.001 * 8 * 1600 * kPSC * 0.5, 0.05);
  EXPECT_NEAR(dc.stimuli[6].amplitude_pA, 0.001 * 8 * 2900 * kPSC * 0.5, 0.05);
  const Network poisson = load(kFile, {{"drive", "poisson"}});
  ASSERT_EQ(poisson.stimuli.size(), 8u);
  EXPECT_EQ(poisson.stimuli[1].kind, Stimulus::Kind::poisson);
  EXPECT_EQ(poisson.stimuli[1].rate_hz, 8.0 * 1500);
  EXPECT_NEAR(poisson.stimuli[1].weight, kPSC, 0.005);
  EXPECT_EQ(poisson.stimuli[1].delay_ms, 1.5);
  EXPECT_EQ(poisson.choices.at("drive"), "poisson");
}

TEST(Microcircuit, HasBothInitialConditions) {
  const Distribution optimized = load(kFile).populations[5].initial.at("V_m").distribution;
  EXPECT_EQ(optimized.a, -61.66);
  EXPECT_EQ(optimized.b, 4.55);
  const Network original = load(kFile, {{"initial", "original"}});
  for (const Population& p : original.populations) {
    EXPECT_EQ(p.initial.at("V_m").distribution.a, -58.0);
    EXPECT_EQ(p.initial.at("V_m").distribution.b, 10.0);
  }
}

TEST(Microcircuit, MayHaveAThalamus) {
  const Network n = load(kFile, {{"thalamus", "true"}});
  EXPECT_EQ(all_neurons(n), 77169u + 902u);
  const Population& tc = n.populations.back();
  EXPECT_EQ(tc.kind, Population::Kind::poisson_source);
  EXPECT_EQ(tc.rate_hz, 120.0);
  EXPECT_EQ(tc.duration_ms, 10.0);
  ASSERT_NE(find_projection(n, "thalamus.TC->L4E"), nullptr);
  EXPECT_EQ(find_projection(n, "thalamus.TC->L23E"), nullptr);
  EXPECT_NEAR(static_cast<double>(find_projection(n, "thalamus.TC->L6I")->rule.number),
              -std::log(1 - 0.0196) * 902.0 * 2948.0, 1.0);
}

TEST(Microcircuit, ScalesAsPublished) {
  const Network full = load(kFile);
  const Network n = load(kFile, {{"scale", "0.1"}});
  EXPECT_EQ(n.populations[0].size, 2068u);
  EXPECT_EQ(n.populations[2].size, 2192u);  // 2191.5 to even
  EXPECT_NEAR(all_synapses(n), 0.01 * all_synapses(full), 55.0);
  EXPECT_NEAR(weight_of(n, "L23E->L23E"), kPSC / std::sqrt(0.1), 0.02);
  // The constant current that replaces the lost mean (van Albada et al. 2015, eq. 5 for L23E).
  const double rates[] = {0.903, 2.965, 4.414, 5.876, 7.569, 8.633, 1.105, 7.829};
  double input = 0.0;
  for (const Projection& p : full.projections) {
    if (p.target != "L23E") continue;
    const double indegree = static_cast<double>(p.rule.number) / 20683.0;
    input += p.weight.a * indegree * rates[full.index_of(p.source)];
  }
  ASSERT_EQ(n.stimuli.size(), 16u);
  EXPECT_EQ(n.stimuli[0].amplitude_pA, full.stimuli[0].amplitude_pA);
  EXPECT_NEAR(n.stimuli[8].amplitude_pA, 0.001 * 0.5 * (1.0 - std::sqrt(0.1)) * input, 1e-6);
}

TEST(Microcircuit, ScalesNeuronsAndSynapsesSeparately) {
  const Network n = load(kFile, {{"N_scaling", "0.5"}});
  EXPECT_EQ(n.populations[0].size, 10342u);  // 10341.5 to even
  EXPECT_EQ(n.stimuli.size(), 8u);
  EXPECT_NEAR(weight_of(n, "L23E->L23E"), kPSC, 0.005);
  const Network k = load(kFile, {{"scale", "0.5"}, {"N_scaling", "1"}});
  EXPECT_EQ(all_neurons(k), 77169u);
  EXPECT_NEAR(all_synapses(k), 0.5 * 298880968.0, 55.0);
}

}  // namespace
}  // namespace tessera
