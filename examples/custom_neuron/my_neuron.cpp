// Quadratic integrate-and-fire with exponential post-synaptic currents: a complete neuron model.
// Copy this file to start your own; what it needs is explained in docs/neuron-models.md.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0

// Highway compiles the part up to HWY_ONCE once for every instruction set.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "my_neuron.cpp"
#include "hwy/foreach_target.h"
#include "tessera/neuron_kernel-inl.hpp"

#ifndef MY_NEURON_CONSTANTS
#define MY_NEURON_CONSTANTS
namespace my_neuron {
// Derived once from the parameters and dt. V is kept relative to E_L: more digits in float32.
enum Constant { Dt, Half_dt, Inverse_c, Curvature, V_crit, P_ii, V_peak, V_reset, kConstants };
}  // namespace my_neuron
#endif

HWY_BEFORE_NAMESPACE();
namespace my_neuron {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// V <- refractory ? V : one Heun step of (k V (V - V_crit) + I_syn + I) / C;  I_syn <- P_ii I_syn +
// input
struct Step {
  static constexpr int states = 2, ports = 1, constants = kConstants;
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE hn::Mask<D> step(D d, const hn::TFromD<D>* k, V* s, const V* in, V current,
                                     hn::Mask<D> refractory) {
    const auto c = [d, k](int i) { return hn::Set(d, k[i]); };
    const auto slope = [&](V v, V synaptic) {
      return c(Inverse_c) * (c(Curvature) * v * (v - c(V_crit)) + (synaptic + current));
    };
    const V decayed = c(P_ii) * s[1];
    const V first = slope(s[0], s[1]);
    const V second = slope(s[0] + c(Dt) * first, decayed);
    V v = s[0] + c(Half_dt) * (first + second);
    v = hn::IfThenElse(refractory, s[0], v);
    s[1] = decayed + in[0];
    const auto spiked = hn::AndNot(refractory, hn::Ge(v, c(V_peak)));
    s[0] = hn::IfThenElse(spiked, c(V_reset), v);
    return spiked;
  }
};

void update_f32(tessera::UpdateArgs<float>& a) { tessera::HWY_NAMESPACE::run_neurons<Step>(a); }
void update_f64(tessera::UpdateArgs<double>& a) { tessera::HWY_NAMESPACE::run_neurons<Step>(a); }

}  // namespace HWY_NAMESPACE
}  // namespace my_neuron
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <cmath>
#include <limits>

#include "my_neuron.hpp"

namespace my_neuron {
namespace {

using tessera::NeuronVariant;
using tessera::ParameterValues;
using tessera::UpdateArgs;

HWY_EXPORT(update_f32);
HWY_EXPORT(update_f64);

constexpr double kUnbounded = std::numeric_limits<double>::infinity();

// The same step for one neuron in plain C++: the vector update is tested against it.
bool reference(double* s, const double* k, const double* in, double current, bool refractory) {
  const auto slope = [&](double v, double synaptic) {
    return k[Inverse_c] * (k[Curvature] * v * (v - k[V_crit]) + (synaptic + current));
  };
  const double decayed = k[P_ii] * s[1];
  const double first = slope(s[0], s[1]);
  const double second = slope(s[0] + k[Dt] * first, decayed);
  if (!refractory) s[0] = s[0] + k[Half_dt] * (first + second);
  s[1] = decayed + in[0];
  const bool spiked = !refractory && s[0] >= k[V_peak];
  if (spiked) s[0] = k[V_reset];
  return spiked;
}

NeuronVariant prepare(const ParameterValues& p, double dt) {
  NeuronVariant variant;
  variant.origin = p["E_L"];
  variant.states = model().states;
  variant.ports = 1;
  variant.refractory_steps = static_cast<int>(std::lround(p["t_ref"] / dt));
  variant.constants.resize(kConstants);
  variant.constants[Dt] = dt;
  variant.constants[Half_dt] = dt / 2;
  variant.constants[Inverse_c] = 1 / p["C_m"];
  variant.constants[Curvature] = p["k"];
  variant.constants[V_crit] = p["V_crit"] - p["E_L"];
  variant.constants[P_ii] = std::exp(-dt / p["tau_syn"]);
  variant.constants[V_peak] = p["V_peak"] - p["E_L"];
  variant.constants[V_reset] = p["V_reset"] - p["E_L"];
  variant.update_f32 = [](UpdateArgs<float>& a) { HWY_DYNAMIC_DISPATCH(update_f32)(a); };
  variant.update_f64 = [](UpdateArgs<double>& a) { HWY_DYNAMIC_DISPATCH(update_f64)(a); };
  variant.reference_step = reference;
  return variant;
}

std::vector<std::string> check(const ParameterValues& p) {
  std::vector<std::string> problems;
  if (p["V_reset"] >= p["V_peak"]) problems.push_back("V_reset must be below V_peak.");
  if (p["V_crit"] <= p["E_L"]) problems.push_back("V_crit must be above E_L.");
  return problems;
}

}  // namespace

tessera::NeuronModel model() {
  return {.name = "qif_psc_exp",
          .summary = "Quadratic integrate-and-fire neuron with exponential post-synaptic currents.",
          .equations =
              "C_m dV/dt = k (V - E_L)(V - V_crit) + I_syn + I_e\n"
              "dI_syn/dt = -I_syn/tau_syn + sum of weights of arriving spikes\n"
              "V >= V_peak: spike, V = V_reset for t_ref\n"
              "I_syn decays exactly; V takes one Heun step of dt.",
          .source = "Ermentrout and Kopell (1986) SIAM J. Appl. Math. 46:233",
          .weight_unit = "pA",
          .parameters = {{"C_m", "pF", 100.0, "membrane capacitance", 0.0, kUnbounded, false},
                         {"k", "", 0.7, "curvature (nS/mV)", 0.0, kUnbounded, false},
                         {"E_L", "mV", -60.0, "resting potential"},
                         {"V_crit", "mV", -40.0, "potential beyond which V escapes"},
                         {"V_peak", "mV", 35.0, "potential at which a spike is detected"},
                         {"V_reset", "mV", -50.0, "potential after a spike"},
                         {"t_ref", "ms", 1.0, "refractory period", 0.0, kUnbounded, true},
                         {"tau_syn", "ms", 2.0, "decay of the synaptic current", 0.0, kUnbounded,
                          false}},
          .states = {{"V_m", "mV", "E_L", "membrane potential"},
                     {"I_syn", "pA", "", "synaptic current"}},
          .check = check,
          .prepare = prepare};
}

}  // namespace my_neuron
#endif  // HWY_ONCE
