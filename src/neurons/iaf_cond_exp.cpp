// Leaky integrate-and-fire with exponential post-synaptic conductances.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "neurons/iaf_cond_exp.cpp"
#include "hwy/foreach_target.h"
#include "tessera/neuron_kernel-inl.hpp"

#ifndef TESSERA_IAF_COND_EXP_CONSTANTS
#define TESSERA_IAF_COND_EXP_CONSTANTS
namespace tessera::iaf_cond_exp {
// V is kept relative to E_L. A step is `Substeps` classical Runge-Kutta steps of length H for V;
// the conductances decay exactly, Half_x = exp(-H / (2 tau_syn_x)).
enum Constant {
  Substeps,
  H,
  Half_h,
  Sixth_h,
  Half_ex,
  Half_in,
  Leak,
  Inverse_c,
  E_ex,
  E_in,
  V_th,
  V_reset,
  kConstants
};
}  // namespace tessera::iaf_cond_exp
#endif

HWY_BEFORE_NAMESPACE();
namespace tessera::iaf_cond_exp {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// dV/dt = (I - g_ex (V - E_ex) - g_in (V - E_in)) / C - V g_L / C;  dg_x/dt = -g_x / tau_syn_x.
// Inputs are added to g_ex, and with the opposite sign to g_in, at the end of the step.
struct Step {
  static constexpr int states = 3, ports = 2, constants = kConstants;
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE hn::Mask<D> step(D d, const hn::TFromD<D>* k, V* s, const V* in, V current,
                                     hn::Mask<D> refractory) {
    const auto c = [d, k](int i) { return hn::Set(d, k[i]); };
    const auto slope = [&](V v, V g_ex, V g_in) {
      const V synaptic = g_ex * (v - c(E_ex)) + g_in * (v - c(E_in));
      return c(Inverse_c) * (current - synaptic) - c(Leak) * v;
    };
    const V two = hn::Set(d, hn::TFromD<D>(2));
    V v = s[0], g_ex = s[1], g_in = s[2];
    const int substeps = static_cast<int>(k[Substeps]);
    for (int i = 0; i < substeps; ++i) {
      const V half_ex = c(Half_ex) * g_ex, end_ex = c(Half_ex) * half_ex;
      const V half_in = c(Half_in) * g_in, end_in = c(Half_in) * half_in;
      const V k1 = slope(v, g_ex, g_in);
      const V k2 = slope(v + c(Half_h) * k1, half_ex, half_in);
      const V k3 = slope(v + c(Half_h) * k2, half_ex, half_in);
      const V k4 = slope(v + c(H) * k3, end_ex, end_in);
      v = v + c(Sixth_h) * ((k1 + k4) + two * (k2 + k3));
      g_ex = end_ex;
      g_in = end_in;
    }
    v = hn::IfThenElse(refractory, s[0], v);
    s[1] = g_ex + in[0];
    s[2] = g_in - in[1];
    const auto spiked = hn::AndNot(refractory, hn::Ge(v, c(V_th)));
    s[0] = hn::IfThenElse(spiked, c(V_reset), v);
    return spiked;
  }
};

void update_f32(UpdateArgs<float>& a) { tessera::HWY_NAMESPACE::run_neurons<Step>(a); }
void update_f64(UpdateArgs<double>& a) { tessera::HWY_NAMESPACE::run_neurons<Step>(a); }

}  // namespace HWY_NAMESPACE
}  // namespace tessera::iaf_cond_exp
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <algorithm>
#include <cmath>

#include "neurons/models.hpp"

namespace tessera::iaf_cond_exp {
namespace {

HWY_EXPORT(update_f32);
HWY_EXPORT(update_f64);

bool reference(double* s, const double* k, const double* in, double current, bool refractory) {
  const auto slope = [&](double v, double g_ex, double g_in) {
    const double synaptic = g_ex * (v - k[E_ex]) + g_in * (v - k[E_in]);
    return k[Inverse_c] * (current - synaptic) - k[Leak] * v;
  };
  double v = s[0], g_ex = s[1], g_in = s[2];
  for (int i = 0; i < static_cast<int>(k[Substeps]); ++i) {
    const double half_ex = k[Half_ex] * g_ex, end_ex = k[Half_ex] * half_ex;
    const double half_in = k[Half_in] * g_in, end_in = k[Half_in] * half_in;
    const double k1 = slope(v, g_ex, g_in);
    const double k2 = slope(v + k[Half_h] * k1, half_ex, half_in);
    const double k3 = slope(v + k[Half_h] * k2, half_ex, half_in);
    const double k4 = slope(v + k[H] * k3, end_ex, end_in);
    v = v + k[Sixth_h] * ((k1 + k4) + 2.0 * (k2 + k3));
    g_ex = end_ex;
    g_in = end_in;
  }
  if (!refractory) s[0] = v;
  s[1] = g_ex + in[0];
  s[2] = g_in - in[1];
  const bool spiked = !refractory && s[0] >= k[V_th];
  if (spiked) s[0] = k[V_reset];
  return spiked;
}

NeuronVariant prepare(const ParameterValues& p, double dt) {
  // Fine enough for the fastest conductance, whose course inside a sub-step V integrates by
  // Simpson's rule: an error of (H / tau_syn)^4 / 2880 of what the conductance does.
  const double longest = std::min({0.05, p["tau_syn_ex"] / 4, p["tau_syn_in"] / 4});
  const double substeps = std::clamp(std::ceil(dt / longest - 1e-9), 1.0, 1000.0);
  const double h = dt / substeps;
  NeuronVariant variant;
  variant.origin = p["E_L"];
  variant.states = model().states;
  variant.ports = 2;
  variant.refractory_steps = steps_of(p["t_ref"], dt);
  variant.constants.resize(kConstants);
  variant.constants[Substeps] = substeps;
  variant.constants[H] = h;
  variant.constants[Half_h] = h / 2;
  variant.constants[Sixth_h] = h / 6;
  variant.constants[Half_ex] = std::exp(-h / (2 * p["tau_syn_ex"]));
  variant.constants[Half_in] = std::exp(-h / (2 * p["tau_syn_in"]));
  variant.constants[Leak] = p["g_L"] / p["C_m"];
  variant.constants[Inverse_c] = 1.0 / p["C_m"];
  variant.constants[E_ex] = p["E_ex"] - p["E_L"];
  variant.constants[E_in] = p["E_in"] - p["E_L"];
  variant.constants[V_th] = p["V_th"] - p["E_L"];
  variant.constants[V_reset] = p["V_reset"] - p["E_L"];
  variant.update_f32 = [](UpdateArgs<float>& a) { HWY_DYNAMIC_DISPATCH(update_f32)(a); };
  variant.update_f64 = [](UpdateArgs<double>& a) { HWY_DYNAMIC_DISPATCH(update_f64)(a); };
  variant.reference_step = reference;
  return variant;
}

std::vector<std::string> check(const ParameterValues& p) {
  std::vector<std::string> problems;
  if (p["V_reset"] >= p["V_th"]) problems.push_back("V_reset must be below V_th.");
  return problems;
}

}  // namespace

NeuronModel model() {
  return {.name = "iaf_cond_exp",
          .summary = "Leaky integrate-and-fire neuron with exponential post-synaptic conductances.",
          .equations =
              "C_m dV/dt = -g_L (V - E_L) - g_ex (V - E_ex) - g_in (V - E_in) + I_e\n"
              "dg_x/dt = -g_x/tau_syn_x + sum of |weights| of arriving spikes, x in {ex, in}\n"
              "Positive weights add to g_ex, negative ones to g_in.\n"
              "V >= V_th: spike, V = V_reset for t_ref\n"
              "Conductances decay exactly; V is integrated by fourth-order Runge-Kutta sub-steps.",
          .source = "Meffin, Burkitt and Grayden (2004) J. Comput. Neurosci. 16:159",
          .weight_unit = "nS",
          .parameters = {{"C_m", "pF", 250.0, "membrane capacitance", 0.0, kUnbounded, false},
                         {"g_L", "nS", 16.6667, "leak conductance", 0.0, kUnbounded, false},
                         {"E_L", "mV", -70.0, "leak reversal potential"},
                         {"V_th", "mV", -55.0, "threshold"},
                         {"V_reset", "mV", -60.0, "potential after a spike"},
                         {"t_ref", "ms", 2.0, "refractory period", 0.0, kUnbounded, true},
                         {"E_ex", "mV", 0.0, "excitatory reversal potential"},
                         {"E_in", "mV", -85.0, "inhibitory reversal potential"},
                         {"tau_syn_ex", "ms", 0.2, "decay of g_ex", 0.0, kUnbounded, false},
                         {"tau_syn_in", "ms", 2.0, "decay of g_in", 0.0, kUnbounded, false}},
          .states = {{"V_m", "mV", "E_L", "membrane potential"},
                     {"g_ex", "nS", "", "excitatory conductance"},
                     {"g_in", "nS", "", "inhibitory conductance"}},
          .check = check,
          .prepare = prepare};
}

}  // namespace tessera::iaf_cond_exp
#endif  // HWY_ONCE
