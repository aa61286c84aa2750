// Leaky integrate-and-fire with alpha-shaped post-synaptic currents, integrated exactly.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#ifndef TESSERA_IAF_PSC_ALPHA_EQUATIONS
#define TESSERA_IAF_PSC_ALPHA_EQUATIONS
#include "neurons/equation.hpp"

namespace tessera::iaf_psc_alpha {
// V is kept relative to E_L. The current obeys dI/dt = D - I/tau_syn, dD/dt = -D/tau_syn.
// P_ab: contribution of b to a over one step (Rotter and Diesmann 1999); P_ii also is P_dd.
enum Constant {
  P_vv,
  P_v_current,
  V_th,
  V_reset,
  P_ii_ex,
  P_id_ex,
  P_vi_ex,
  P_vd_ex,
  Kick_ex,
  P_ii_in,
  P_id_in,
  P_vi_in,
  P_vd_in,
  Kick_in,
  kConstants
};

// V <- refractory ? V : P_vv V + P_vc I_e + sum over x in {ex, in} of P_vi_x I_x + P_vd_x D_x
// I_x <- P_id_x D_x + P_ii_x I_x;  D_x <- P_ii_x D_x + input_x e / tau_syn_x
template <class Real>
TESSERA_EQUATION bool equation_two(Real* s, const Real* k, const Real* in, Real current, bool refractory) {
  if (!refractory) {
    const Real excitation = k[P_vi_ex] * s[1] + k[P_vd_ex] * s[2];
    const Real inhibition = k[P_vi_in] * s[3] + k[P_vd_in] * s[4];
    s[0] = k[P_vv] * s[0] + (excitation + (inhibition + k[P_v_current] * current));
  }
  s[1] = k[P_id_ex] * s[2] + k[P_ii_ex] * s[1];
  s[2] = k[P_ii_ex] * s[2] + k[Kick_ex] * in[0];
  s[3] = k[P_id_in] * s[4] + k[P_ii_in] * s[3];
  s[4] = k[P_ii_in] * s[4] + k[Kick_in] * in[1];
  const bool spiked = s[0] >= k[V_th];
  if (spiked) s[0] = k[V_reset];
  return spiked;
}

// Equal time constants: both signs share one current.
template <class Real>
TESSERA_EQUATION bool equation_one(Real* s, const Real* k, const Real* in, Real current, bool refractory) {
  if (!refractory) {
    const Real synaptic = k[P_vi_ex] * s[1] + k[P_vd_ex] * s[2];
    s[0] = k[P_vv] * s[0] + (synaptic + k[P_v_current] * current);
  }
  s[1] = k[P_id_ex] * s[2] + k[P_ii_ex] * s[1];
  s[2] = k[P_ii_ex] * s[2] + k[Kick_ex] * in[0];
  const bool spiked = s[0] >= k[V_th];
  if (spiked) s[0] = k[V_reset];
  return spiked;
}
}  // namespace tessera::iaf_psc_alpha
#endif

#ifndef TESSERA_EQUATIONS_ONLY
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "neurons/iaf_psc_alpha.cpp"
#include "hwy/foreach_target.h"
#include "tessera/neuron_kernel-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace tessera::iaf_psc_alpha {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

struct TwoTimeConstants {
  static constexpr int states = 5, ports = 2, constants = kConstants;
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE hn::Mask<D> step(D d, const hn::TFromD<D>* k, V* s, const V* in, V current,
                                     hn::Mask<D> refractory) {
    const auto c = [d, k](int i) { return hn::Set(d, k[i]); };
    const V excitation = c(P_vi_ex) * s[1] + c(P_vd_ex) * s[2];
    const V inhibition = c(P_vi_in) * s[3] + c(P_vd_in) * s[4];
    V v = c(P_vv) * s[0] + (excitation + (inhibition + c(P_v_current) * current));
    v = hn::IfThenElse(refractory, s[0], v);
    s[1] = c(P_id_ex) * s[2] + c(P_ii_ex) * s[1];
    s[2] = c(P_ii_ex) * s[2] + c(Kick_ex) * in[0];
    s[3] = c(P_id_in) * s[4] + c(P_ii_in) * s[3];
    s[4] = c(P_ii_in) * s[4] + c(Kick_in) * in[1];
    const auto spiked = hn::Ge(v, c(V_th));
    s[0] = hn::IfThenElse(spiked, c(V_reset), v);
    return spiked;
  }
};

struct OneTimeConstant {
  static constexpr int states = 3, ports = 1, constants = kConstants;
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE hn::Mask<D> step(D d, const hn::TFromD<D>* k, V* s, const V* in, V current,
                                     hn::Mask<D> refractory) {
    const auto c = [d, k](int i) { return hn::Set(d, k[i]); };
    const V synaptic = c(P_vi_ex) * s[1] + c(P_vd_ex) * s[2];
    V v = c(P_vv) * s[0] + (synaptic + c(P_v_current) * current);
    v = hn::IfThenElse(refractory, s[0], v);
    s[1] = c(P_id_ex) * s[2] + c(P_ii_ex) * s[1];
    s[2] = c(P_ii_ex) * s[2] + c(Kick_ex) * in[0];
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
}  // namespace tessera::iaf_psc_alpha
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <cmath>
#include <numbers>

#include "neurons/models.hpp"

namespace tessera::iaf_psc_alpha {
namespace {

HWY_EXPORT(two_f32);
HWY_EXPORT(two_f64);
HWY_EXPORT(one_f32);
HWY_EXPORT(one_f64);

// Voltage after one step from D = 1, I = 0:  1/C e^(-dt/tau_m) integral_0^dt t e^(r t) dt with
// r = 1/tau_m - 1/tau_syn. The integral is dt^2 sum_n x^n / (n! (n + 2)), x = r dt; where x is
// small the closed form would cancel.
double exact_derivative_to_voltage(double tau_syn, double tau_m, double capacitance, double dt) {
  const double x = (1.0 / tau_m - 1.0 / tau_syn) * dt;
  double integral = 0.0;  // in units of dt^2
  if (std::abs(x) > 0.5) {
    integral = (std::exp(x) * (x - 1.0) + 1.0) / (x * x);
  } else {
    double power = 1.0;  // x^n / n!
    for (int n = 0; n < 20; ++n) {
      integral += power / (n + 2);
      power *= x / (n + 1);
    }
  }
  return std::exp(-dt / tau_m) * dt * dt * integral / capacitance;
}

// The five constants of one synaptic time constant, in the order of the enumeration.
void set_synapse(double* k, double tau_syn, double tau_m, double capacitance, double dt) {
  const double decay = std::exp(-dt / tau_syn);
  k[0] = decay;
  k[1] = dt * decay;
  k[2] = exact_current_to_voltage(tau_syn, tau_m, capacitance, dt);
  k[3] = exact_derivative_to_voltage(tau_syn, tau_m, capacitance, dt);
  k[4] = std::numbers::e / tau_syn;  // so that a weight is the peak of its current
}

NeuronVariant prepare(const ParameterValues& p, double dt) {
  const bool one = p["tau_syn_ex"] == p["tau_syn_in"];
  NeuronVariant variant;
  variant.origin = p["E_L"];
  if (one) {
    variant.states = {{"V_m", "mV", "E_L", "membrane potential"},
                      {"I_syn", "pA", "", "synaptic current"},
                      {"dI_syn", "pA/ms", "", "drive of the synaptic current"}};
  } else {
    variant.states = {{"V_m", "mV", "E_L", "membrane potential"},
                      {"I_syn_ex", "pA", "", "excitatory synaptic current"},
                      {"dI_syn_ex", "pA/ms", "", "drive of the excitatory current"},
                      {"I_syn_in", "pA", "", "inhibitory synaptic current"},
                      {"dI_syn_in", "pA/ms", "", "drive of the inhibitory current"}};
  }
  variant.ports = one ? 1 : 2;
  variant.refractory_steps = steps_of(p["t_ref"], dt);
  variant.constants.resize(kConstants);
  variant.constants[P_vv] = std::exp(-dt / p["tau_m"]);
  variant.constants[P_v_current] = -p["tau_m"] / p["C_m"] * std::expm1(-dt / p["tau_m"]);
  variant.constants[V_th] = p["V_th"] - p["E_L"];
  variant.constants[V_reset] = p["V_reset"] - p["E_L"];
  set_synapse(&variant.constants[P_ii_ex], p["tau_syn_ex"], p["tau_m"], p["C_m"], dt);
  set_synapse(&variant.constants[P_ii_in], p["tau_syn_in"], p["tau_m"], p["C_m"], dt);
  variant.update_f32 = one ? +[](UpdateArgs<float>& a) { HWY_DYNAMIC_DISPATCH(one_f32)
                                                         (a); }
                           : +[](UpdateArgs<float>& a) { HWY_DYNAMIC_DISPATCH(two_f32)
                                                         (a); };
  variant.update_f64 = one ? +[](UpdateArgs<double>& a) { HWY_DYNAMIC_DISPATCH(one_f64)
                                                          (a); }
                           : +[](UpdateArgs<double>& a) { HWY_DYNAMIC_DISPATCH(two_f64)
                                                          (a); };
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
      .name = "iaf_psc_alpha",
      .summary =
          "Leaky integrate-and-fire neuron with alpha-shaped post-synaptic currents, "
          "integrated exactly.",
      .equations =
          "dV/dt = -(V - E_L)/tau_m + (I_ex + I_in + I_e)/C_m\n"
          "dI_x/dt = D_x - I_x/tau_syn_x, x in {ex, in}\n"
          "dD_x/dt = -D_x/tau_syn_x + e/tau_syn_x * sum of weights of arriving spikes\n"
          "One spike gives I(t) = weight * e * t/tau_syn * exp(-t/tau_syn), which peaks at "
          "weight.\n"
          "V >= V_th: spike, V = V_reset for t_ref",
      .source =
          "Rotter and Diesmann (1999) Biol. Cybern. 81:381; Diesmann et al. (2001) "
          "Neurocomputing 38-40:565",
      .weight_unit = "pA",
      .parameters = {{"C_m", "pF", 250.0, "membrane capacitance", 0.0, kUnbounded, false},
                     {"tau_m", "ms", 10.0, "membrane time constant", 0.0, kUnbounded, false},
                     {"E_L", "mV", -65.0, "resting potential"},
                     {"V_th", "mV", -50.0, "threshold"},
                     {"V_reset", "mV", -65.0, "potential after a spike"},
                     {"t_ref", "ms", 2.0, "refractory period", 0.0, kUnbounded, true},
                     {"tau_syn_ex", "ms", 2.0, "rise time of positive currents", 0.0, kUnbounded,
                      false},
                     {"tau_syn_in", "ms", 2.0, "rise time of negative currents", 0.0, kUnbounded,
                      false}},
      .states = {{"V_m", "mV", "E_L", "membrane potential"},
                 {"I_syn", "pA", "", "synaptic current (equal time constants)"},
                 {"dI_syn", "pA/ms", "", "drive of the synaptic current (equal time constants)"},
                 {"I_syn_ex", "pA", "", "excitatory synaptic current (two time constants)"},
                 {"dI_syn_ex", "pA/ms", "", "drive of the excitatory current (two time constants)"},
                 {"I_syn_in", "pA", "", "inhibitory synaptic current (two time constants)"},
                 {"dI_syn_in", "pA/ms", "",
                  "drive of the inhibitory current (two time constants)"}},
      .check = check,
      .prepare = prepare};
}

}  // namespace tessera::iaf_psc_alpha
#endif  // HWY_ONCE
#endif  // TESSERA_EQUATIONS_ONLY
