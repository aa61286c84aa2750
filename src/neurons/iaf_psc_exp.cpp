// Leaky integrate-and-fire with exponential post-synaptic currents, integrated exactly.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#ifndef TESSERA_IAF_PSC_EXP_EQUATIONS
#define TESSERA_IAF_PSC_EXP_EQUATIONS
#include "neurons/equation.hpp"

namespace tessera::iaf_psc_exp {
// V is kept relative to E_L. P_ab: contribution of b to a over one step (Rotter and Diesmann 1999).
enum Constant { P_vv, P_ii_ex, P_ii_in, P_vi_ex, P_vi_in, P_v_current, V_th, V_reset, kConstants };

// V <- refractory ? V : P_vv V + P_vi_ex I_ex + P_vi_in I_in + P_vc I;  I_x <- P_ii_x I_x + input_x
template <class Real>
TESSERA_EQUATION bool equation_two(Real* s, const Real* k, const Real* in, Real current, bool refractory) {
  if (!refractory) {
    s[0] = k[P_vv] * s[0] + (k[P_vi_ex] * s[1] + (k[P_vi_in] * s[2] + k[P_v_current] * current));
  }
  s[1] = k[P_ii_ex] * s[1] + in[0];
  s[2] = k[P_ii_in] * s[2] + in[1];
  const bool spiked = s[0] >= k[V_th];
  if (spiked) s[0] = k[V_reset];
  return spiked;
}

// Equal time constants: both signs share one current.
template <class Real>
TESSERA_EQUATION bool equation_one(Real* s, const Real* k, const Real* in, Real current, bool refractory) {
  if (!refractory) s[0] = k[P_vv] * s[0] + (k[P_vi_ex] * s[1] + k[P_v_current] * current);
  s[1] = k[P_ii_ex] * s[1] + in[0];
  const bool spiked = s[0] >= k[V_th];
  if (spiked) s[0] = k[V_reset];
  return spiked;
}
}  // namespace tessera::iaf_psc_exp
#endif

#ifndef TESSERA_EQUATIONS_ONLY
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "neurons/iaf_psc_exp.cpp"
#include "hwy/foreach_target.h"
#include "tessera/neuron_kernel-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace tessera::iaf_psc_exp {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

struct TwoTimeConstants {
  static constexpr int states = 3, ports = 2, constants = kConstants;
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE hn::Mask<D> step(D d, const hn::TFromD<D>* k, V* s, const V* in, V current,
                                     hn::Mask<D> refractory) {
    const auto c = [d, k](int i) { return hn::Set(d, k[i]); };
    V v = c(P_vv) * s[0] + (c(P_vi_ex) * s[1] + (c(P_vi_in) * s[2] + c(P_v_current) * current));
    v = hn::IfThenElse(refractory, s[0], v);
    s[1] = c(P_ii_ex) * s[1] + in[0];
    s[2] = c(P_ii_in) * s[2] + in[1];
    const auto spiked = hn::Ge(v, c(V_th));
    s[0] = hn::IfThenElse(spiked, c(V_reset), v);
    return spiked;
  }
};

struct OneTimeConstant {
  static constexpr int states = 2, ports = 1, constants = kConstants;
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE hn::Mask<D> step(D d, const hn::TFromD<D>* k, V* s, const V* in, V current,
                                     hn::Mask<D> refractory) {
    const auto c = [d, k](int i) { return hn::Set(d, k[i]); };
    V v = c(P_vv) * s[0] + (c(P_vi_ex) * s[1] + c(P_v_current) * current);
    v = hn::IfThenElse(refractory, s[0], v);
    s[1] = c(P_ii_ex) * s[1] + in[0];
    const auto spiked = hn::Ge(v, c(V_th));
    s[0] = hn::IfThenElse(spiked, c(V_reset), v);
    return spiked;
  }
};

void two_f32(UpdateArgs<float>& a) { tessera::HWY_NAMESPACE::run_neurons<TwoTimeConstants>(a); }
void two_f64(UpdateArgs<double>& a) { tessera::HWY_NAMESPACE::run_neurons<TwoTimeConstants>(a); }
void one_f32(UpdateArgs<float>& a) { tessera::HWY_NAMESPACE::run_neurons<OneTimeConstant>(a); }
void one_f64(UpdateArgs<double>& a) { tessera::HWY_NAMESPACE::run_neurons<OneTimeConstant>(a); }

}  // namespace HWY_NAMESPACE
}  // namespace tessera::iaf_psc_exp
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <cmath>

#include "neurons/models.hpp"

namespace tessera::iaf_psc_exp {
namespace {

HWY_EXPORT(two_f32);
HWY_EXPORT(two_f64);
HWY_EXPORT(one_f32);
HWY_EXPORT(one_f64);

NeuronVariant prepare(const ParameterValues& p, double dt) {
  const bool one = p["tau_syn_ex"] == p["tau_syn_in"];
  NeuronVariant variant;
  variant.origin = p["E_L"];
  variant.states = {{"V_m", "mV", "E_L", "membrane potential"},
                    {one ? "I_syn" : "I_syn_ex", "pA", "", "synaptic current"}};
  if (!one) variant.states.push_back({"I_syn_in", "pA", "", "inhibitory synaptic current"});
  variant.ports = one ? 1 : 2;
  variant.refractory_steps = steps_of(p["t_ref"], dt);
  variant.constants.resize(kConstants);
  variant.constants[P_vv] = std::exp(-dt / p["tau_m"]);
  variant.constants[P_ii_ex] = std::exp(-dt / p["tau_syn_ex"]);
  variant.constants[P_ii_in] = std::exp(-dt / p["tau_syn_in"]);
  variant.constants[P_vi_ex] = exact_current_to_voltage(p["tau_syn_ex"], p["tau_m"], p["C_m"], dt);
  variant.constants[P_vi_in] = exact_current_to_voltage(p["tau_syn_in"], p["tau_m"], p["C_m"], dt);
  variant.constants[P_v_current] = -p["tau_m"] / p["C_m"] * std::expm1(-dt / p["tau_m"]);
  variant.constants[V_th] = p["V_th"] - p["E_L"];
  variant.constants[V_reset] = p["V_reset"] - p["E_L"];
  variant.update_f32 = one ? +[](UpdateArgs<float>& a) { HWY_DYNAMIC_DISPATCH(one_f32)(a); }
                           : +[](UpdateArgs<float>& a) { HWY_DYNAMIC_DISPATCH(two_f32)(a); };
  variant.update_f64 = one ? +[](UpdateArgs<double>& a) { HWY_DYNAMIC_DISPATCH(one_f64)(a); }
                           : +[](UpdateArgs<double>& a) { HWY_DYNAMIC_DISPATCH(two_f64)(a); };
  variant.reference_step = one ? equation_one<double> : equation_two<double>;
  return variant;
}

std::vector<std::string> check(const ParameterValues& p) {
  std::vector<std::string> problems;
  if (p["V_reset"] >= p["V_th"]) problems.push_back("V_reset must be below V_th.");
  return problems;
}

}  // namespace

NeuronModel model() {
  return {
      .name = "iaf_psc_exp",
      .summary = "Leaky integrate-and-fire neuron with exponential post-synaptic currents, "
                 "integrated exactly.",
      .equations = "dV/dt = -(V - E_L)/tau_m + (I_ex + I_in + I_e)/C_m\n"
                   "dI_x/dt = -I_x/tau_syn_x + sum of weights of arriving spikes, x in {ex, in}\n"
                   "V >= V_th: spike, V = V_reset for t_ref",
      .source = "Rotter and Diesmann (1999) Biol. Cybern. 81:381; Potjans and Diesmann (2014) "
                "Cereb. Cortex 24:785",
      .weight_unit = "pA",
      .parameters = {{"C_m", "pF", 250.0, "membrane capacitance", 0.0, kUnbounded, false},
                     {"tau_m", "ms", 10.0, "membrane time constant", 0.0, kUnbounded, false},
                     {"E_L", "mV", -65.0, "resting potential"},
                     {"V_th", "mV", -50.0, "threshold"},
                     {"V_reset", "mV", -65.0, "potential after a spike"},
                     {"t_ref", "ms", 2.0, "refractory period", 0.0, kUnbounded, true},
                     {"tau_syn_ex", "ms", 0.5, "decay of positive currents", 0.0, kUnbounded, false},
                     {"tau_syn_in", "ms", 0.5, "decay of negative currents", 0.0, kUnbounded, false}},
      .states = {{"V_m", "mV", "E_L", "membrane potential"},
                 {"I_syn", "pA", "", "synaptic current (equal time constants)"},
                 {"I_syn_ex", "pA", "", "excitatory synaptic current (two time constants)"},
                 {"I_syn_in", "pA", "", "inhibitory synaptic current (two time constants)"}},
      .check = check,
      .prepare = prepare};
}

}  // namespace tessera::iaf_psc_exp
#endif  // HWY_ONCE
#endif  // TESSERA_EQUATIONS_ONLY
