// Weights of single synapses against hand calculations, rule by rule, exact and fast.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>

#include "plasticity/spike_pairs.hpp"

namespace tessera::test {
namespace {

/// Spikes of a source, and of a target whose spikes arrive 1 ms later.
SpikePairs pairs_of(const std::string& rule, double weight, const std::vector<double>& pre_ms, const std::vector<double>& post_ms) {
  SpikePairs pairs;
  pairs.rule = rule;
  pairs.weight = weight;
  pairs.pre_ms = pre_ms;
  pairs.post_ms = post_ms;
  return pairs;
}

void expect_weights(const SpikePairs& pairs, const std::vector<double>& times_ms, const std::vector<double>& expected) {
  for (const Precision precision : {Precision::exact, Precision::fast}) {
    const std::vector<double> weights = weights_at(pairs, times_ms, precision);
    const double tolerance = (precision == Precision::exact ? 1e-12 : 1e-6) * std::abs(expected[0]);
    for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(weights[i], expected[i], tolerance) << "at " << times_ms[i] << " ms";
  }
}

/// A step of 1 up, of 1.05 down, at any weight.
SpikePairs additive(const std::string& rule, const std::vector<double>& pre_ms, const std::vector<double>& post_ms) {
  SpikePairs pairs = pairs_of(rule, 50.0, pre_ms, post_ms);
  pairs.parameters = {{"tau_plus", 20.0}, {"tau_minus", 10.0}, {"alpha", 1.05}, {"Wmax", 100.0},
                      {"lambda", 0.01},   {"mu_plus", 0.0},    {"mu_minus", 0.0}};
  return pairs;
}

// Two presynaptic spikes, two postsynaptic ones, and so on: the pairings differ in what they leave out.
const std::vector<double> kPre{10.0, 14.0, 30.0, 34.0}, kPost{15.0, 25.0};  // arrive at 16 and 26
const std::vector<double> kTimes{14.0, 16.0, 26.0, 30.0, 34.0};

TEST(NearestSpikes, Symmetric) {
  const double at_16 = 50.0 + std::exp(-2.0 / 20.0), at_26 = at_16 + std::exp(-12.0 / 20.0);
  const double at_30 = at_26 - 1.05 * std::exp(-4.0 / 10.0), at_34 = at_30 - 1.05 * std::exp(-8.0 / 10.0);
  expect_weights(additive("stdp_nn_symm", kPre, kPost), kTimes, {50.0, at_16, at_26, at_30, at_34});
}

TEST(NearestSpikes, PresynapticCentred) {
  const double at_16 = 50.0 + std::exp(-6.0 / 20.0) + std::exp(-2.0 / 20.0);
  const double at_30 = at_16 - 1.05 * std::exp(-4.0 / 10.0), at_34 = at_30 - 1.05 * std::exp(-8.0 / 10.0);
  expect_weights(additive("stdp_nn_pre_centered", kPre, kPost), kTimes, {50.0, at_16, at_16, at_30, at_34});
}

TEST(NearestSpikes, Restricted) {
  const double at_16 = 50.0 + std::exp(-2.0 / 20.0), at_30 = at_16 - 1.05 * std::exp(-4.0 / 10.0);
  expect_weights(additive("stdp_nn_restr", kPre, kPost), kTimes, {50.0, at_16, at_16, at_30, at_30});
}

// Arrivals 10, 16, 30 and 41: those at 10 and 30 meet a presynaptic spike, and count for both sides with traces that have
// both. The first step is 1.05 down by the spike of the same time; in a step later it goes up by it.
TEST(SourceFirst, ByHand) {
  SpikePairs pairs = additive("stdp_source_first", {10.0, 30.0}, {9.0, 15.0, 29.0, 40.0});
  const double after_10 = 50.0 - 1.05 + 1.0, at_20 = after_10 + std::exp(-6.0 / 20.0);
  const double y = 1.0 + std::exp(-14.0 / 10.0) + std::exp(-20.0 / 10.0), x = 1.0 + std::exp(-20.0 / 20.0);
  const double after_30 = at_20 - 1.05 * y + x, at_45 = after_30 + x * std::exp(-11.0 / 20.0);
  expect_weights(pairs, {10.0, 11.0, 20.0, 30.0, 31.0, 45.0}, {50.0 - 1.05, after_10, at_20, at_20 - 1.05 * y, after_30, at_45});
  const std::vector<double> sent = transmitted(pairs);  // from before the spike
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_NEAR(sent[0], 50.0, 1e-9);
  EXPECT_NEAR(sent[1], at_20, 1e-9);
}

// Without spikes at one time, and with weights that nothing but learning sees, it is the rule stdp; also where the weight counts.
TEST(SourceFirst, IsStdpWhereNothingCoincides) {
  SpikePairs pairs = additive("stdp", {10.0, 30.0, 31.5, 52.0, 70.2}, {15.3, 24.0, 33.0, 49.0, 60.0, 75.0});
  for (const double mu : {0.0, 0.4, 1.0}) {
    pairs.parameters["mu_plus"] = pairs.parameters["mu_minus"] = mu;
    pairs.rule = "stdp";
    const std::vector<double> times{20.0, 40.0, 60.0, 80.0}, expected = weights_at(pairs, times, Precision::exact);
    pairs.rule = "stdp_source_first";
    expect_weights(pairs, times, expected);
  }
}

TEST(PowerLaw, ByHand) {
  SpikePairs pairs = pairs_of("stdp_power_law", 16.0, {10.0, 30.0}, {15.0, 25.0});
  pairs.parameters = {{"tau_plus", 20.0}, {"tau_minus", 10.0}, {"lambda", 0.1}, {"alpha", 0.5}, {"mu", 0.5}};
  const double at_16 = 16.0 + 0.1 * 4.0 * std::exp(-0.3), at_26 = at_16 + 0.1 * std::sqrt(at_16) * std::exp(-0.8);
  const double at_30 = at_26 * (1.0 - 0.05 * (std::exp(-1.4) + std::exp(-0.4)));
  expect_weights(pairs, {10.0, 16.0, 26.0, 30.0}, {16.0, at_16, at_26, at_30});
}

TEST(Triplet, ByHand) {
  SpikePairs pairs = pairs_of("stdp_triplet", 5.0, {10.0, 20.0, 30.0}, {15.0, 25.0});
  pairs.parameters = {{"tau_plus", 20.0}, {"tau_plus_triplet", 100.0}, {"tau_minus", 10.0}, {"tau_minus_triplet", 50.0},
                      {"Aplus", 0.3},     {"Aplus_triplet", 0.7},      {"Aminus", 0.2},     {"Aminus_triplet", 0.4}, {"Wmax", 6.0}};
  const double at_16 = 5.0 + 0.3 * std::exp(-0.3);
  const double at_20 = at_16 - std::exp(-0.4) * (0.2 + 0.4 * std::exp(-0.1));
  const double at_26 = at_20 + (std::exp(-0.3) + std::exp(-0.8)) * (0.3 + 0.7 * std::exp(-0.2));
  const double at_30 = std::min(6.0, at_26) - (std::exp(-0.4) + std::exp(-1.4)) * (0.2 + 0.4 * (std::exp(-0.1) + std::exp(-0.2)));
  ASSERT_LT(at_26, 6.0);
  expect_weights(pairs, {10.0, 16.0, 20.0, 26.0, 30.0}, {5.0, at_16, at_20, at_26, at_30});
  pairs.parameters["Wmax"] = 5.1;
  expect_weights(pairs, {16.0}, {5.1});
}

TEST(VogelsSprekeler, ByHandForBothSigns) {
  for (const double sign : {1.0, -1.0}) {
    SpikePairs pairs = pairs_of("vogels_sprekeler", 0.5 * sign, {10.0, 30.0}, {15.0, 25.0});
    pairs.parameters = {{"tau", 20.0}, {"eta", 0.01}, {"alpha", 0.2}, {"Wmax", sign}};
    const double at_10 = 0.5 - 0.01 * 0.2, at_16 = at_10 + 0.01 * std::exp(-0.3), at_26 = at_16 + 0.01 * std::exp(-0.8);
    const double at_30 = at_26 + 0.01 * (std::exp(-0.7) + std::exp(-0.2) - 0.2);
    expect_weights(pairs, {10.0, 16.0, 26.0, 30.0}, {sign * at_10, sign * at_16, sign * at_26, sign * at_30});
  }
}

// Both halves of a presynaptic spike are bounded, one after the other.
TEST(VogelsSprekeler, StaysWithinItsBounds) {
  SpikePairs pairs = pairs_of("vogels_sprekeler", 0.5, {10.0, 17.0}, {15.0});
  pairs.parameters = {{"tau", 20.0}, {"eta", 0.6}, {"alpha", 1.0}, {"Wmax", 1.0}};
  const double at_16 = 0.6 * std::exp(-0.3);  // the first spike takes all
  const double at_17 = std::min(1.0, at_16 + 0.6 * std::exp(-0.05)) - 0.6;
  ASSERT_GT(at_16 + 0.6 * std::exp(-0.05), 1.0);
  expect_weights(pairs, {9.0, 10.0, 16.0, 17.0}, {0.5, 0.0, at_16, at_17});
}

void expect_transmitted(const SpikePairs& pairs, const std::vector<double>& expected, double tolerance) {
  const std::vector<double> sent = transmitted(pairs);
  ASSERT_EQ(sent.size(), expected.size());
  for (std::size_t i = 0; i < sent.size(); ++i) EXPECT_NEAR(sent[i], expected[i], tolerance) << i;
}

const std::vector<double> kEvery20{10.0, 30.0, 50.0};

TEST(ShortTerm, DepressionByHand) {
  SpikePairs pairs = pairs_of("tsodyks2", 2.0, kEvery20, {1.5});
  pairs.parameters = {{"U", 0.5}, {"tau_rec", 800.0}, {"tau_fac", 0.0}};
  const double left = std::exp(-20.0 / 800.0), second = 1.0 - 0.5 * left, third = 1.0 + (0.5 * second - 1.0) * left;
  expect_transmitted(pairs, {1.0, second, third}, 1e-12);  // times U = 0.5, times w = 2
  pairs.weight = -2.0;
  expect_transmitted(pairs, {-1.0, -second, -third}, 1e-12);
}

TEST(ShortTerm, FacilitationByHand) {
  SpikePairs pairs = pairs_of("tsodyks2", 1.0, {10.0, 30.0}, {1.5});
  pairs.parameters = {{"U", 0.15}, {"tau_rec", 130.0}, {"tau_fac", 530.0}};
  const double x = 1.0 - 0.15 * std::exp(-20.0 / 130.0), u = 0.15 + 0.15 * 0.85 * std::exp(-20.0 / 530.0);
  expect_transmitted(pairs, {0.15, x * u}, 1e-12);
}

// Fast precision counts what arrives in whole units: they must be finer than the weight, of which parts are transmitted.
TEST(ShortTerm, FastPrecisionTransmitsTheSame) {
  SpikePairs pairs = pairs_of("tsodyks2", -2.0, kEvery20, {});
  pairs.parameters = {{"U", 0.5}, {"tau_rec", 800.0}, {"tau_fac", 0.0}};
  const std::vector<double> exact = transmitted(pairs);
  Network network = network_of(pairs);
  network.projections.erase(network.projections.begin());  // what makes the target spike is large beside the weight
  SimulationOptions options;
  options.threads = 1;
  Simulation simulation(network, NeuronCatalogue::builtin(), options);
  simulation.run(10.0);
  double before = 0.0;
  for (std::size_t i = 0; i < exact.size(); ++i) {
    simulation.run(20.0);
    const double after = simulation.state("neuron", "V_m").at(0);
    EXPECT_NEAR(after - before, exact[i], 1e-3 * 2.0) << i;
    before = after;
  }
}

// Resources that are active for tau_psc cannot recover yet.
TEST(ShortTerm, ActiveResourcesByHand) {
  SpikePairs pairs = pairs_of("tsodyks", 1.0, {10.0, 30.0}, {1.5});
  pairs.parameters = {{"U", 0.04}, {"tau_psc", 3.0}, {"tau_rec", 100.0}, {"tau_fac", 1000.0}};
  // Of the active 0.04, z(t) = (exp(-t / 100) - exp(-t / 3)) 100 / 97 is inactive and y(t) = exp(-t / 3) active.
  const double active = std::exp(-20.0 / 3.0), inactive = (std::exp(-0.2) - active) * 100.0 / 97.0;
  const double u = 0.04 * std::exp(-0.02), second = u + 0.04 * (1.0 - u);
  expect_transmitted(pairs, {0.04, second * (1.0 - 0.04 * (active + inactive))}, 1e-12);
}

// Nothing happens where the time constants of recovery and of the current meet.
TEST(ShortTerm, EqualTimeConstantsAreNoSpecialCase) {
  SpikePairs pairs = pairs_of("tsodyks", 1.0, kEvery20, {1.5});
  pairs.parameters = {{"U", 0.5}, {"tau_psc", 20.0}, {"tau_rec", 20.0}, {"tau_fac", 0.0}};
  // y decays into z, z into x, both with 20 ms: after 20 ms 1 - 2 / e of what was active is recovered.
  const double lost = 2.0 * std::exp(-1.0), second = 1.0 - 0.5 * lost;
  expect_transmitted({pairs}, {0.5, 0.5 * second, transmitted(pairs)[2]}, 1e-12);
  const std::vector<double> equal = transmitted(pairs);
  pairs.parameters["tau_rec"] = 20.0 * (1.0 + 2e-5);  // the other formula
  expect_transmitted(pairs, equal, 2e-5);
}

}  // namespace
}  // namespace tessera::test
