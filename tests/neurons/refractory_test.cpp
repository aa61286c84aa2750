// What a resting neuron does with input that arrives just before, at, and just after t* + t_ref.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>

#include "neurons/block.hpp"

namespace tessera::test {
namespace {

constexpr double kDt = 0.1;
constexpr int kRest = 20;  // steps of t_ref

/// A neuron that has just spiked at t*: the next step ends at t* + dt.
ScalarNeuron after_spike(const std::string& model) {
  ScalarNeuron neuron(model, {{"t_ref", kRest * kDt}});
  neuron.set_v(0.0);
  EXPECT_TRUE(neuron.step()) << model;
  return neuron;
}

TEST(Refractoriness, ADeltaSynapseIsLostUpToAndAtItsEnd) {
  for (const int arrival : {kRest - 1, kRest, kRest + 1}) {
    ScalarNeuron neuron = after_spike("iaf_psc_delta");
    const double reset = neuron.v();
    for (int step = 1; step <= kRest + 1; ++step) {
      EXPECT_FALSE(neuron.step(0.0, step == arrival ? 3.0 : 0.0));
      if (step <= kRest) {
        EXPECT_EQ(neuron.v(), reset) << step;
      }
    }
    // Reset and rest are the same potential, so nothing else moves V.
    EXPECT_NEAR(neuron.v(), reset + (arrival == kRest + 1 ? 3.0 : 0.0), 1e-12) << arrival;
  }
}

TEST(Refractoriness, ACurrentThatArrivesAtItsEndActsInFull) {
  // V = C^-1 I tau_s tau_m / (tau_m - tau_s) (exp(-t/tau_m) - exp(-t/tau_s)) from t* + t_ref on.
  ScalarNeuron neuron = after_spike("iaf_psc_exp");
  const double reset = neuron.v(), tau_m = 10.0, tau_s = 0.5;
  for (int step = 1; step <= kRest; ++step) {
    EXPECT_FALSE(neuron.step(0.0, step == kRest ? 100.0 : 0.0));
    EXPECT_EQ(neuron.v(), reset) << step;
  }
  for (int step = 1; step <= 50; ++step) {
    neuron.step();
    const double t = step * kDt;
    const double v = 100.0 / 250.0 * tau_s * tau_m / (tau_m - tau_s) * (std::exp(-t / tau_m) - std::exp(-t / tau_s));
    ASSERT_NEAR(neuron.v(), reset + v, 1e-12) << step;
  }
}

TEST(Refractoriness, ConductancesDecayWhileVRests) {
  ScalarNeuron neuron = after_spike("iaf_cond_exp");
  const double reset = neuron.v();
  neuron.step(0.0, 0.0, -10.0);
  for (int step = 2; step <= kRest; ++step) {
    neuron.step();
    EXPECT_EQ(neuron.v(), reset);
    ASSERT_NEAR(neuron.state[2], 10.0 * std::exp(-(step - 1) * kDt / 2.0), 1e-12);
  }
  neuron.step();
  EXPECT_LT(neuron.v(), reset);
}

TEST(Refractoriness, TheThresholdCanBeReachedAgainAStepAfterItsEnd) {
  for (const char* model : {"iaf_psc_exp", "iaf_psc_alpha", "iaf_psc_delta", "iaf_cond_exp"}) {
    ScalarNeuron neuron = after_spike(model);
    for (int step = 1; step <= kRest; ++step) EXPECT_FALSE(neuron.step(1e6)) << model << ' ' << step;
    EXPECT_TRUE(neuron.step(1e6)) << model;
  }
}

}  // namespace
}  // namespace tessera::test
