// Leaky integrate-and-fire whose membrane potential jumps with every arriving spike, integrated
// exactly.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#ifndef TESSERA_IAF_PSC_DELTA_EQUATIONS
#define TESSERA_IAF_PSC_DELTA_EQUATIONS
#include "neurons/equation.hpp"

namespace tessera::iaf_psc_delta {
// V is kept relative to E_L. P_ab: contribution of b to a over one step (Rotter and Diesmann 1999).
enum Constant { P_vv, P_v_current, V_th, V_reset, kConstants };

// V <- refractory ? V : P_vv V + P_vc I + input (what arrives during refractoriness is lost)
template <class Real>
TESSERA_EQUATION bool equation(Real* s, const Real* k, const Real* in, Real current, bool refractory) {
  if (!refractory) s[0] = k[P_vv] * s[0] + (k[P_v_current] * current + in[0]);
  const bool spiked = s[0] >= k[V_th];
  if (spiked) s[0] = k[V_reset];
  return spiked;
}
}  // namespace tessera::iaf_psc_delta
#endif

#ifndef TESSERA_EQUATIONS_ONLY
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "neurons/iaf_psc_delta.cpp"
#include "hwy/foreach_target.h"
#include "tessera/neuron_kernel-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace tessera::iaf_psc_delta {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

struct Step {
  static constexpr int states = 1, ports = 1, constants = kConstants;
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE hn::Mask<D> step(D d, const hn::TFromD<D>* k, V* s, const V* in, V current,
                                     hn::Mask<D> refractory) {
    const auto c = [d, k](int i) { return hn::Set(d, k[i]); };
    V v = c(P_vv) * s[0] + (c(P_v_current) * current + in[0]);
    v = hn::IfThenElse(refractory, s[0], v);
    const auto spiked = hn::Ge(v, c(V_th));
    s[0] = hn::IfThenElse(spiked, c(V_reset), v);
    return spiked;
  }
};

void update_f32(UpdateArgs<float>& a) { tessera::HWY_NAMESPACE::run_neurons<Step>(a); }
void update_f64(UpdateArgs<double>& a) { tessera::HWY_NAMESPACE::run_neurons<Step>(a); }

}  // namespace HWY_NAMESPACE
}  // namespace tessera::iaf_psc_delta
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <cmath>

#include "neurons/models.hpp"

namespace tessera::iaf_psc_delta {
namespace {

HWY_EXPORT(update_f32);
HWY_EXPORT(update_f64);

NeuronVariant prepare(const ParameterValues& p, double dt) {
  NeuronVariant variant;
  variant.origin = p["E_L"];
  variant.states = {{"V_m", "mV", "E_L", "membrane potential"}};
  variant.ports = 1;
  variant.refractory_steps = steps_of(p["t_ref"], dt);
  variant.constants.resize(kConstants);
  variant.constants[P_vv] = std::exp(-dt / p["tau_m"]);
  variant.constants[P_v_current] = -p["tau_m"] / p["C_m"] * std::expm1(-dt / p["tau_m"]);
  variant.constants[V_th] = p["V_th"] - p["E_L"];
  variant.constants[V_reset] = p["V_reset"] - p["E_L"];
  variant.update_f32 = [](UpdateArgs<float>& a) { HWY_DYNAMIC_DISPATCH(update_f32)(a); };
  variant.update_f64 = [](UpdateArgs<double>& a) { HWY_DYNAMIC_DISPATCH(update_f64)(a); };
  variant.reference_step = equation<double>;
  return variant;
}

std::vector<std::string> check(const ParameterValues& p) {
  std::vector<std::string> problems;
  if (p["V_reset"] >= p["V_th"]) problems.push_back("V_reset must be below V_th.");
  return problems;
}

}  // namespace

NeuronModel model() {
  return {.name = "iaf_psc_delta",
          .summary =
              "Leaky integrate-and-fire neuron whose membrane potential jumps by the weight of "
              "every arriving spike, integrated exactly.",
          .equations =
              "dV/dt = -(V - E_L)/tau_m + I_e/C_m + sum of weight * delta(t - arrival)\n"
              "V >= V_th: spike, V = V_reset for t_ref\n"
              "Spikes that arrive during t_ref are lost.",
          .source =
              "Rotter and Diesmann (1999) Biol. Cybern. 81:381; Diesmann et al. (2001) "
              "Neurocomputing 38-40:565",
          .weight_unit = "mV",
          .parameters = {{"C_m", "pF", 250.0, "membrane capacitance", 0.0, kUnbounded, false},
                         {"tau_m", "ms", 10.0, "membrane time constant", 0.0, kUnbounded, false},
                         {"E_L", "mV", -65.0, "resting potential"},
                         {"V_th", "mV", -50.0, "threshold"},
                         {"V_reset", "mV", -65.0, "potential after a spike"},
                         {"t_ref", "ms", 2.0, "refractory period", 0.0, kUnbounded, true}},
          .states = {{"V_m", "mV", "E_L", "membrane potential"}},
          .check = check,
          .prepare = prepare};
}

}  // namespace tessera::iaf_psc_delta
#endif  // HWY_ONCE
#endif  // TESSERA_EQUATIONS_ONLY
