// The scalar equations against closed-form solutions.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "neurons/block.hpp"

namespace tessera::test {
namespace {

constexpr double kTauM = 10.0, kC = 250.0, kRest = -65.0, kDt = 0.1;

/// V of iaf_psc_exp after a spike of weight w at t = 0, solved by hand.
double exponential_psp(double w, double tau, double t) {
  if (tau == kTauM) return w / kC * t * std::exp(-t / kTauM);
  return w / kC * tau * kTauM / (kTauM - tau) * (std::exp(-t / kTauM) - std::exp(-t / tau));
}

/// V of iaf_psc_alpha after a spike: the convolution of w e t/tau e^(-t/tau) with e^(-t/tau_m) / C.
double alpha_psp(double w, double tau, double t) {
  const double scale = w * std::numbers::e / (tau * kC);
  if (tau == kTauM) return scale * t * t / 2 * std::exp(-t / kTauM);
  const double r = 1 / kTauM - 1 / tau;
  return scale * std::exp(-t / kTauM) * (std::exp(r * t) * (r * t - 1) + 1) / (r * r);
}

class TimeConstants : public testing::TestWithParam<double> {};

TEST_P(TimeConstants, ExponentialCurrentGivesTheExactPotential) {
  const double tau = GetParam();
  for (const double other : {tau, 7.7}) {  // one shared current, or two
    ScalarNeuron neuron("iaf_psc_exp", {{"tau_syn_ex", tau}, {"tau_syn_in", other}, {"V_th", 1e3}});
    neuron.step(0.0, 100.0);  // arrives at the end of this step: t = 0
    for (int i = 1; i <= 500; ++i) {
      neuron.step();
      ASSERT_NEAR(neuron.v(), kRest + exponential_psp(100.0, tau, i * kDt), 1e-12) << i;
    }
  }
}

TEST_P(TimeConstants, AlphaCurrentGivesTheExactPotential) {
  const double tau = GetParam();
  for (const double other : {tau, 7.7}) {
    ScalarNeuron neuron("iaf_psc_alpha",
                        {{"tau_syn_ex", tau}, {"tau_syn_in", other}, {"V_th", 1e3}});
    neuron.step(0.0, 100.0);
    for (int i = 1; i <= 500; ++i) {
      neuron.step();
      ASSERT_NEAR(neuron.v(), kRest + alpha_psp(100.0, tau, i * kDt), 1e-11) << i;
    }
  }
}
INSTANTIATE_TEST_SUITE_P(Short, TimeConstants, testing::Values(0.05, 0.5, 2.0, 25.0));
INSTANTIATE_TEST_SUITE_P(EqualToTheMembrane, TimeConstants, testing::Values(kTauM));

TEST(Analytic, NothingJumpsWhereTheTimeConstantsMeet) {
  for (const char* model : {"iaf_psc_exp", "iaf_psc_alpha"}) {
    ScalarNeuron equal(model, {{"tau_syn_ex", kTauM}, {"tau_syn_in", kTauM}, {"V_th", 1e3}});
    for (const double relative : {1e-15, 1e-12, 1e-9, 1e-6}) {
      const double tau = kTauM * (1 + relative);
      ScalarNeuron near(model, {{"tau_syn_ex", tau}, {"tau_syn_in", tau}, {"V_th", 1e3}});
      equal.state.assign(equal.state.size(), 0.0);
      equal.step(0.0, 100.0);
      near.step(0.0, 100.0);
      for (int i = 1; i <= 200; ++i) {
        equal.step();
        near.step();
        ASSERT_NEAR(near.v(), equal.v(), 1e-12 + 10 * relative) << model << ' ' << relative;
      }
    }
  }
}

TEST(Analytic, AlphaCurrentPeaksAtItsWeightAfterTauSyn) {
  ScalarNeuron neuron("iaf_psc_alpha", {{"tau_syn_ex", 2.0}, {"tau_syn_in", 2.0}, {"V_th", 1e3}});
  neuron.step(0.0, 80.0);
  double peak = 0.0;
  int peak_step = 0;
  for (int i = 1; i <= 100; ++i) {
    neuron.step();
    if (neuron.state[1] > peak) {
      peak = neuron.state[1];
      peak_step = i;
    }
  }
  EXPECT_EQ(peak_step, 20);
  EXPECT_NEAR(peak, 80.0, 1e-11);
}

TEST(Analytic, AlphaPotentialPeaksAfterTwoTimeConstantsWhenBothAreEqual) {
  ScalarNeuron neuron("iaf_psc_alpha",
                      {{"tau_syn_ex", kTauM}, {"tau_syn_in", kTauM}, {"V_th", 1e3}});
  neuron.step(0.0, 80.0);
  double peak = -1e9;
  int peak_step = 0;
  for (int i = 1; i <= 1000; ++i) {
    neuron.step();
    if (neuron.v() > peak) {
      peak = neuron.v();
      peak_step = i;
    }
  }
  EXPECT_EQ(peak_step, 200);  // d/dt t^2 exp(-t/tau) = 0 at t = 2 tau
  EXPECT_NEAR(peak - kRest, 80.0 * std::numbers::e * 2 * kTauM * std::exp(-2.0) / kC, 1e-11);
}

TEST(Analytic, MicrocircuitSynapseGivesItsPublishedPotential) {
  // 87.81 pA with tau_syn 0.5 ms is a post-synaptic potential of 0.15 mV (Potjans and Diesmann
  // 2014).
  ScalarNeuron neuron("iaf_psc_exp", {});
  neuron.step(0.0, 87.81);
  double peak = 0.0;
  for (int i = 0; i < 100; ++i) {
    neuron.step();
    peak = std::max(peak, neuron.v() - kRest);
  }
  EXPECT_NEAR(peak, 0.15, 1e-4);
}

TEST(Analytic, DeltaJumpsAtOnceDecaysAndIsLostInRefractoriness) {
  ScalarNeuron neuron("iaf_psc_delta", {});
  neuron.step(0.0, 3.0);
  EXPECT_NEAR(neuron.v(), kRest + 3.0, 1e-12);
  for (int i = 1; i <= 100; ++i) {
    neuron.step();
    ASSERT_NEAR(neuron.v(), kRest + 3.0 * std::exp(-i * kDt / kTauM), 1e-12);
  }
  EXPECT_TRUE(neuron.step(0.0, 50.0));
  for (int i = 0; i < 20; ++i) {
    EXPECT_FALSE(neuron.step(0.0, 50.0));
    EXPECT_EQ(neuron.v(), kRest);
  }
  EXPECT_TRUE(neuron.step(0.0, 50.0));
}

/// Steps between the second and the third spike under a constant current.
int interval(ScalarNeuron& neuron, double current) {
  int seen = 0, last = 0;
  for (int step = 1; step < 100000; ++step) {
    if (!neuron.step(current)) continue;
    if (++seen == 3) return step - last;
    last = step;
  }
  return -1;
}

TEST(Analytic, ConstantCurrentGivesTheRateOfTheLeakyIntegrator) {
  for (const char* model : {"iaf_psc_exp", "iaf_psc_alpha", "iaf_psc_delta"}) {
    for (const double current : {376.0, 400.0, 500.0, 1000.0}) {
      ScalarNeuron neuron(model, {});
      // V approaches I tau/C; the threshold is 15 mV above reset, then 2 ms of rest.
      const double drive = current * kTauM / kC;
      const double crossing = kTauM * std::log(drive / (drive - 15.0));
      EXPECT_EQ(interval(neuron, current), static_cast<int>(std::ceil(crossing / kDt)) + 20)
          << model << ' ' << current;
    }
    ScalarNeuron silent(model, {});
    EXPECT_EQ(interval(silent, 374.9), -1) << model;  // rheobase is 375 pA
  }
}

TEST(Analytic, ConstantCurrentActsFromTheFirstStepOn) {
  ScalarNeuron neuron("iaf_psc_exp", {});
  neuron.step(300.0);
  EXPECT_NEAR(neuron.v(), kRest + 300.0 * kTauM / kC * (1 - std::exp(-kDt / kTauM)), 1e-12);
}

TEST(Analytic, ConductanceThatStaysPullsTowardsItsReversalPotential) {
  // A decay of 1e9 ms leaves a constant conductance: C dV/dt = -(g_L + g)(V - V_inf).
  ScalarNeuron neuron("iaf_cond_exp", {{"tau_syn_ex", 1e9}, {"tau_syn_in", 1e9}, {"V_th", 10.0}});
  const double g_l = 16.6667, g_ex = 5.0, g_in = 30.0, total = g_l + g_ex + g_in;
  const double target = (g_l * -70.0 + g_ex * 0.0 + g_in * -85.0 + 50.0) / total;
  neuron.step(0.0, g_ex, -g_in);
  for (int i = 1; i <= 500; ++i) {
    neuron.step(50.0);
    const double expected = target + (-70.0 - target) * std::exp(-i * kDt * total / 250.0);
    ASSERT_NEAR(neuron.v(), expected, 1e-6);
  }
}

TEST(Analytic, ConductancesDecayExactly) {
  ScalarNeuron neuron("iaf_cond_exp", {});
  neuron.step(0.0, 8.0, -6.0);
  for (int i = 1; i <= 50; ++i) {
    neuron.step();
    ASSERT_NEAR(neuron.state[1], 8.0 * std::exp(-i * kDt / 0.2), 1e-12);
    ASSERT_NEAR(neuron.state[2], 6.0 * std::exp(-i * kDt / 2.0), 1e-12);
  }
}

TEST(Analytic, WithoutSynapsesTheConductanceNeuronIsALeakyIntegrator) {
  ScalarNeuron neuron("iaf_cond_exp", {});
  const double tau = 250.0 / 16.6667, drive = 400.0 / 16.6667;
  const double crossing = tau * std::log((drive - 10.0) / (drive - 15.0));  // from -60 to -55 mV
  EXPECT_EQ(interval(neuron, 400.0), static_cast<int>(std::ceil(crossing / kDt)) + 20);
}

TEST(Analytic, AdaptiveNeuronRestsWhereLeakAndAdaptationBalance) {
  // Far below the threshold the exponential term vanishes: V - E_L = I / (g_L + a).
  ScalarNeuron neuron("aeif_cond_exp", {{"V_th", 0.0}, {"V_peak", 20.0}});
  for (int i = 0; i < 30000; ++i) neuron.step(340.0);
  EXPECT_NEAR(neuron.v(), -70.6 + 340.0 / 34.0, 1e-3);
  EXPECT_NEAR(neuron.state[3], 4.0 * 10.0, 1e-2);
}

TEST(Analytic, AdaptiveNeuronFiresAboveItsRheobase) {
  // Without adaptation: I = g_L (V_th - E_L - Delta_T) (Touboul and Brette 2008).
  const double rheobase = 30.0 * (-50.4 + 70.6 - 2.0);
  const std::map<std::string, double> plain = {{"a", 0.0}, {"b", 0.0}, {"t_ref", 2.0}};
  ScalarNeuron below("aeif_cond_exp", plain), above("aeif_cond_exp", plain);
  EXPECT_EQ(interval(below, rheobase * 0.999), -1);
  EXPECT_GT(interval(above, rheobase * 1.001), 0);
}

TEST(Analytic, AdaptiveNeuronFollowsAMuchFinerIntegration) {
  ScalarNeuron neuron("aeif_cond_exp", {{"t_ref", 2.0}, {"tau_syn_ex", 2.0}});
  // The midpoint rule with 20,000 steps per ms; its error is far below the tolerance.
  double v = -70.6, w = 0.0, g = 0.0;
  constexpr int kFine = 2000;
  const double h = kDt / kFine;
  const auto dv = [](double v, double w, double g) {
    return (-30.0 * (v + 70.6) + 60.0 * std::exp((v + 50.4) / 2.0) - g * v - w + 480.0) / 281.0;
  };
  const auto dw = [](double v, double w) { return (4.0 * (v + 70.6) - w) / 144.0; };
  bool upswing = false;
  for (int i = 0; i < 400 && !upswing; ++i) {
    const double arriving = i % 50 == 0 ? 8.0 : 0.0;
    for (int j = 0; j < kFine; ++j) {
      const double middle_v = v + h / 2 * dv(v, w, g), middle_w = w + h / 2 * dw(v, w);
      const double middle_g = g * std::exp(-h / 4.0);
      v += h * dv(middle_v, middle_w, middle_g);
      w += h * dw(middle_v, middle_w);
      g *= std::exp(-h / 2.0);
    }
    g += arriving;
    ASSERT_FALSE(neuron.step(480.0, arriving));
    ASSERT_NEAR(neuron.v(), v, 1e-4) << i;
    ASSERT_NEAR(neuron.state[3], w, 1e-6) << i;
    upswing = v > -40.0;  // 0.05 ms before the spike
  }
  EXPECT_GT(v, -46.0);
}

TEST(Analytic, AdaptationGrowsByItsIncrementWithASpike) {
  ScalarNeuron neuron("aeif_cond_exp", {{"t_ref", 2.0}, {"a", 0.0}, {"tau_w", 1e9}});
  neuron.set_v(-30.0);
  EXPECT_TRUE(neuron.step());
  EXPECT_NEAR(neuron.state[3], 80.5, 1e-6);
  EXPECT_NEAR(neuron.v(), -60.0, 1e-12);
}

TEST(Analytic, IzhikevichStepIsTheOneComputedByHand) {
  ScalarNeuron neuron("izhikevich", {});
  // V = -65, U = 0: 0.04 * 4225 - 325 + 140 = -16; 0.02 * (0.2 * -65 - 0) = -0.26.
  neuron.step();
  EXPECT_NEAR(neuron.v(), -65.0 - 1.6, 1e-12);
  EXPECT_NEAR(neuron.state[1], -0.026, 1e-12);
  const double before = neuron.v();
  neuron.step(0.0, 3.0);  // a weight is a jump in mV, at the end of the step
  ScalarNeuron undisturbed("izhikevich", {});
  undisturbed.step();
  undisturbed.step();
  EXPECT_NEAR(neuron.v(), undisturbed.v() + 3.0, 1e-12);
  EXPECT_NE(before, neuron.v());
}

TEST(Analytic, IzhikevichRestsAtItsFixedPointAndResetsAfterASpike) {
  ScalarNeuron neuron("izhikevich", {});
  neuron.set_v(-70.0);
  neuron.state[1] = -14.0;  // 0.04 * 4900 - 350 + 140 + 14 = 0 and 0.2 * -70 = -14
  for (int i = 0; i < 1000; ++i) ASSERT_FALSE(neuron.step());
  EXPECT_NEAR(neuron.v(), -70.0, 1e-9);
  EXPECT_NEAR(neuron.state[1], -14.0, 1e-9);
  EXPECT_TRUE(neuron.step(0.0, 100.0));  // -70 + 100 reaches 30 mV
  EXPECT_EQ(neuron.v(), -65.0);
  EXPECT_NEAR(neuron.state[1], -14.0 + 8.0, 1e-9);
}

}  // namespace
}  // namespace tessera::test
