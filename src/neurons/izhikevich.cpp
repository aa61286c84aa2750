// Izhikevich's simple model: a quadratic membrane equation with a linear recovery variable.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#ifndef TESSERA_IZHIKEVICH_EQUATIONS
#define TESSERA_IZHIKEVICH_EQUATIONS
#include "neurons/equation.hpp"

namespace tessera::izhikevich {
// x = V - c is kept, so the polynomial 0.04 V^2 + 5 V + 140 is Quadratic x^2 + Linear x + Offset.
enum Constant { Dt, Quadratic, Linear, Offset, Dt_a, B, B_origin, Jump, V_th, kConstants };

// V <- V + dt (0.04 V^2 + 5 V + 140 - U + I) + input;  U <- U + dt a (b V - U), both from the old
// values
template <class Real>
TESSERA_EQUATION bool equation(Real* s, const Real* k, const Real* in, Real current, bool) {
  const Real x = s[0], u = s[1];
  const Real slope = (k[Quadratic] * x + k[Linear]) * x + ((k[Offset] - u) + current);
  s[0] = x + (k[Dt] * slope + in[0]);
  s[1] = u + k[Dt_a] * ((k[B] * x + k[B_origin]) - u);
  const bool spiked = s[0] >= k[V_th];
  if (spiked) {
    s[0] = Real(0);  // V = c
    s[1] = s[1] + k[Jump];
  }
  return spiked;
}
}  // namespace tessera::izhikevich
#endif

#ifndef TESSERA_EQUATIONS_ONLY
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "neurons/izhikevich.cpp"
#include "hwy/foreach_target.h"
#include "tessera/neuron_kernel-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace tessera::izhikevich {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

struct Step {
  static constexpr int states = 2, ports = 1, constants = kConstants;
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE hn::Mask<D> step(D d, const hn::TFromD<D>* k, V* s, const V* in, V current,
                                     hn::Mask<D>) {
    const auto c = [d, k](int i) { return hn::Set(d, k[i]); };
    const V x = s[0], u = s[1];
    const V slope = (c(Quadratic) * x + c(Linear)) * x + ((c(Offset) - u) + current);
    const V v = x + (c(Dt) * slope + in[0]);
    const V recovery = u + c(Dt_a) * ((c(B) * x + c(B_origin)) - u);
    const auto spiked = hn::Ge(v, c(V_th));
    s[0] = hn::IfThenElse(spiked, hn::Zero(d), v);
    s[1] = hn::IfThenElse(spiked, recovery + c(Jump), recovery);
    return spiked;
  }
};

void update_f32(UpdateArgs<float>& a) { tessera::HWY_NAMESPACE::run_neurons<Step>(a); }
void update_f64(UpdateArgs<double>& a) { tessera::HWY_NAMESPACE::run_neurons<Step>(a); }

}  // namespace HWY_NAMESPACE
}  // namespace tessera::izhikevich
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "neurons/models.hpp"

namespace tessera::izhikevich {
namespace {

HWY_EXPORT(update_f32);
HWY_EXPORT(update_f64);

NeuronVariant prepare(const ParameterValues& p, double dt) {
  const double origin = p["c"];
  NeuronVariant variant;
  variant.origin = origin;
  variant.states = model().states;
  variant.ports = 1;
  variant.refractory_steps = 0;
  variant.constants.resize(kConstants);
  variant.constants[Dt] = dt;
  variant.constants[Quadratic] = 0.04;
  variant.constants[Linear] = 0.08 * origin + 5.0;
  variant.constants[Offset] = (0.04 * origin + 5.0) * origin + 140.0;
  variant.constants[Dt_a] = dt * p["a"];
  variant.constants[B] = p["b"];
  variant.constants[B_origin] = p["b"] * origin;
  variant.constants[Jump] = p["d"];
  variant.constants[V_th] = p["V_th"] - origin;
  variant.update_f32 = [](UpdateArgs<float>& a) { HWY_DYNAMIC_DISPATCH(update_f32)(a); };
  variant.update_f64 = [](UpdateArgs<double>& a) { HWY_DYNAMIC_DISPATCH(update_f64)(a); };
  variant.reference_step = equation<double>;
  return variant;
}

std::vector<std::string> check(const ParameterValues& p) {
  std::vector<std::string> problems;
  if (p["c"] >= p["V_th"]) problems.push_back("c (the reset potential) must be below V_th.");
  return problems;
}

}  // namespace

NeuronModel model() {
  return {
      .name = "izhikevich",
      .summary =
          "Izhikevich's simple spiking neuron: quadratic membrane equation with a recovery "
          "variable; the weight of an arriving spike is a jump of the potential.",
      .equations =
          "dV/dt = 0.04 V^2 + 5 V + 140 - U + I_e + sum of weight * delta(t - arrival)\n"
          "dU/dt = a (b V - U)\n"
          "V >= V_th: spike, V = c, U = U + d\n"
          "V in mV, t in ms; a current of 1 pA moves V by 1 mV/ms. One forward Euler step of dt\n"
          "with both right-hand sides taken at its start (consistent integration, not the two\n"
          "half-steps of the original publication).",
      .source = "Izhikevich (2003) IEEE Trans. Neural Netw. 14:1569",
      .weight_unit = "mV",
      .parameters = {{"a", "", 0.02, "rate of recovery (1/ms)"},
                     {"b", "", 0.2, "sensitivity of recovery to V"},
                     {"c", "mV", -65.0, "potential after a spike"},
                     {"d", "mV", 8.0, "jump of U after a spike"},
                     {"V_th", "mV", 30.0, "threshold (peak of the spike)"}},
      .states = {{"V_m", "mV", "c", "membrane potential"}, {"U_m", "mV", "", "recovery variable"}},
      .check = check,
      .prepare = prepare};
}

}  // namespace tessera::izhikevich
#endif  // HWY_ONCE
#endif  // TESSERA_EQUATIONS_ONLY
