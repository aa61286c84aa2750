// Adaptive exponential integrate-and-fire with exponential post-synaptic conductances.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#ifndef TESSERA_AEIF_COND_EXP_EQUATIONS
#define TESSERA_AEIF_COND_EXP_EQUATIONS
#include "neurons/equation.hpp"

namespace tessera::aeif_cond_exp {
// V is kept relative to E_L. Every neuron takes its own classical Runge-Kutta sub-steps. Where the
// exponential term grows at rate r = g_L/C exp((V - V_th)/Delta_T), the upswing is over after 1/r;
// conductances g, the leak among them, pull V at rate g/C. A sub-step is the smallest of H_max,
// Fraction / r and Fraction / (Pull g), but at least H_min. Where g is above Slaved, too fast even for
// H_min, V is where g holds it.
enum Constant {
  Dt,
  H_max,
  H_min,
  Fraction,
  Leak,
  Spike,
  Inverse_delta,
  Inverse_c,
  E_ex,
  E_in,
  Decay_ex,
  Decay_in,
  A,
  B,
  Decay_w,
  V_th,
  V_peak,
  V_reset,
  Hold,
  G_leak,
  Pull,
  Slaved,
  kConstants
};

// C dV/dt = -g_L V + g_L Delta_T exp((V - V_th)/Delta_T) - g_ex (V - E_ex) - g_in (V - E_in) - w +
// I dg_x/dt = -g_x/tau_syn_x;  tau_w dw/dt = a V - w;  V <= V_peak on the right-hand sides; V rests
// while `held` (refractory).
template <class Real>
struct ScalarValues {
  Real v, g_ex, g_in, w;
};
template <class Real>
struct ScalarEquations {
  using Y = ScalarValues<Real>;
  const Real* k;
  Real current;

  TESSERA_EQUATION Real bounded(Real v) const { return k[V_peak] < v ? k[V_peak] : v; }
  TESSERA_EQUATION Real exponential_term(Real v) const { return exponential_of((bounded(v) - k[V_th]) * k[Inverse_delta]); }
  TESSERA_EQUATION Y slope(const Y& y, Real exponential, bool held) const {
    const Real v = bounded(y.v);
    const Real synaptic = y.g_ex * (v - k[E_ex]) + y.g_in * (v - k[E_in]);
    const Real membrane = k[Inverse_c] * ((current - y.w) - synaptic) + (k[Spike] * exponential - k[Leak] * v);
    return {held ? Real(0) : membrane, k[Decay_ex] * y.g_ex, k[Decay_in] * y.g_in, k[Decay_w] * (y.w - k[A] * v)};
  }
  TESSERA_EQUATION Real conductance(const Y& y) const { return k[G_leak] + (y.g_ex + y.g_in); }
  // Where V settles without the exponential term.
  TESSERA_EQUATION Real settled(const Y& y) const {
    return ((current - y.w) + (y.g_ex * k[E_ex] + y.g_in * k[E_in])) / conductance(y);
  }
  TESSERA_EQUATION static Y moved(const Y& y, Real h, const Y& slope) {
    return {y.v + h * slope.v, y.g_ex + h * slope.g_ex, y.g_in + h * slope.g_in, y.w + h * slope.w};
  }
  // One Runge-Kutta step of h; `first` is the exponential term at y.
  TESSERA_EQUATION Y runge_kutta(const Y& y, Real first, Real h, bool held) const {
    const Real half = h * Real(0.5), two = Real(2);
    const Y k1 = slope(y, first, held);
    const Y y2 = moved(y, half, k1);
    const Y k2 = slope(y2, exponential_term(y2.v), held);
    const Y y3 = moved(y, half, k2);
    const Y k3 = slope(y3, exponential_term(y3.v), held);
    const Y y4 = moved(y, h, k3);
    const Y k4 = slope(y4, exponential_term(y4.v), held);
    return moved(y, h * Real(1.0 / 6.0),
                 {(k1.v + k4.v) + two * (k2.v + k3.v), (k1.g_ex + k4.g_ex) + two * (k2.g_ex + k3.g_ex),
                  (k1.g_in + k4.g_in) + two * (k2.g_in + k3.g_in), (k1.w + k4.w) + two * (k2.w + k3.w)});
  }
  // The length of the next sub-step.
  TESSERA_EQUATION Real sub_step(Real first, Real g, bool still, Real remaining) const {
    const Real upswing = k[Leak] * first, pull = k[Pull] * g;
    const Real rate = upswing < pull ? pull : upswing;
    Real h = k[H_max] * rate < k[Fraction] ? k[H_max] : k[Fraction] / rate;
    h = still ? k[H_max] : h < k[H_min] ? k[H_min] : h;
    return h * Real(1.001) < remaining ? h : remaining;  // a remainder this small joins; NaN ends the loop
  }
};

template <class Real>
TESSERA_EQUATION bool equation(Real* s, const Real* k, const Real* in, Real current, bool refractory) {
  const ScalarEquations<Real> equations{k, current};
  ScalarValues<Real> y{s[0], s[1], s[2], s[3]};
  bool held = refractory, spiked = false;
  for (Real remaining = k[Dt]; Real(0) < remaining;) {
    const Real first = equations.exponential_term(y.v), g = equations.conductance(y);
    const bool slaved = !held && k[Slaved] < g;
    const Real h = equations.sub_step(first, g, held || slaved, remaining);
    y = equations.runge_kutta(y, first, h, held);
    if (slaved) y.v = equations.settled(y);
    if (!held && y.v >= k[V_peak]) {
      y.v = k[V_reset];
      y.w = y.w + k[B];
      spiked = true;
      held = k[Hold] != Real(0);
    }
    remaining = remaining - h;
  }
  s[0] = y.v;
  s[1] = y.g_ex + in[0];
  s[2] = y.g_in - in[1];
  s[3] = y.w;
  return spiked;
}
}  // namespace tessera::aeif_cond_exp
#endif

#ifndef TESSERA_EQUATIONS_ONLY
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "neurons/aeif_cond_exp.cpp"
#include "hwy/foreach_target.h"
#include "tessera/neuron_kernel-inl.hpp"
#include "tessera/neuron_math-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace tessera::aeif_cond_exp {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class V>
struct Values {
  V v, g_ex, g_in, w;
};

// As ScalarEquations, operation by operation.
template <class D, class V = hn::Vec<D>>
struct Equations {
  D d;
  const hn::TFromD<D>* k;
  V current;

  HWY_INLINE V c(int i) const { return hn::Set(d, k[i]); }
  HWY_INLINE V exponential_term(V v) const {
    const V bounded = tessera::HWY_NAMESPACE::at_most(d, v, c(V_peak));
    return tessera::HWY_NAMESPACE::exponential(d, (bounded - c(V_th)) * c(Inverse_delta));
  }
  HWY_INLINE Values<V> slope(const Values<V>& y, V exponential, hn::Mask<D> held) const {
    const V v = tessera::HWY_NAMESPACE::at_most(d, y.v, c(V_peak));
    const V synaptic = y.g_ex * (v - c(E_ex)) + y.g_in * (v - c(E_in));
    const V membrane =
        c(Inverse_c) * ((current - y.w) - synaptic) + (c(Spike) * exponential - c(Leak) * v);
    return {hn::IfThenZeroElse(held, membrane), c(Decay_ex) * y.g_ex, c(Decay_in) * y.g_in,
            c(Decay_w) * (y.w - c(A) * v)};
  }
  HWY_INLINE V conductance(const Values<V>& y) const { return c(G_leak) + (y.g_ex + y.g_in); }
  HWY_INLINE V settled(const Values<V>& y) const {
    return ((current - y.w) + (y.g_ex * c(E_ex) + y.g_in * c(E_in))) / conductance(y);
  }
  HWY_INLINE static Values<V> moved(const Values<V>& y, V h, const Values<V>& slope) {
    return {y.v + h * slope.v, y.g_ex + h * slope.g_ex, y.g_in + h * slope.g_in, y.w + h * slope.w};
  }
  /// One Runge-Kutta step of h (its own for every neuron); `first` is the exponential term at y.
  HWY_INLINE Values<V> runge_kutta(const Values<V>& y, V first, V h, hn::Mask<D> held) const {
    const V half = h * hn::Set(d, hn::TFromD<D>(0.5));
    const Values<V> k1 = slope(y, first, held);
    const Values<V> y2 = moved(y, half, k1);
    const Values<V> k2 = slope(y2, exponential_term(y2.v), held);
    const Values<V> y3 = moved(y, half, k2);
    const Values<V> k3 = slope(y3, exponential_term(y3.v), held);
    const Values<V> y4 = moved(y, h, k3);
    const Values<V> k4 = slope(y4, exponential_term(y4.v), held);
    const V two = hn::Set(d, hn::TFromD<D>(2));
    const V sixth = h * hn::Set(d, hn::TFromD<D>(1.0 / 6.0));
    return moved(
        y, sixth,
        {(k1.v + k4.v) + two * (k2.v + k3.v), (k1.g_ex + k4.g_ex) + two * (k2.g_ex + k3.g_ex),
         (k1.g_in + k4.g_in) + two * (k2.g_in + k3.g_in), (k1.w + k4.w) + two * (k2.w + k3.w)});
  }
};

struct Step {
  static constexpr int states = 4, ports = 2, constants = kConstants;
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE hn::Mask<D> step(D d, const hn::TFromD<D>* k, V* s, const V* in, V current,
                                     hn::Mask<D> refractory) {
    using Real = hn::TFromD<D>;
    const Equations<D> equations{d, k, current};
    const auto c = [d, k](int i) { return hn::Set(d, k[i]); };
    const V zero = hn::Zero(d);
    const V almost = hn::Set(d, Real(1.001));  // a remainder this small joins the sub-step
    const auto hold = hn::Ne(c(Hold), zero);
    Values<V> y{s[0], s[1], s[2], s[3]};
    auto held = refractory;
    auto spiked = hn::Lt(zero, zero);
    V remaining = c(Dt);
    auto active = hn::Lt(zero, remaining);
    while (!hn::AllFalse(d, active)) {
      const V first = equations.exponential_term(y.v);
      const V g = equations.conductance(y);
      const V rate = tessera::HWY_NAMESPACE::at_least(d, c(Leak) * first, c(Pull) * g);
      V h = hn::IfThenElse(hn::Lt(c(H_max) * rate, c(Fraction)), c(H_max), c(Fraction) / rate);
      const auto slaved = hn::AndNot(held, hn::Lt(c(Slaved), g));
      h = hn::IfThenElse(hn::Or(held, slaved), c(H_max),
                         tessera::HWY_NAMESPACE::at_least(d, h, c(H_min)));
      h = hn::IfThenElse(hn::Lt(h * almost, remaining), h, remaining);  // NaN ends the loop
      Values<V> next = equations.runge_kutta(y, first, h, held);
      if (HWY_UNLIKELY(!hn::AllFalse(d, slaved))) {
        next.v = hn::IfThenElse(slaved, equations.settled(next), next.v);
      }
      const auto moving = active;
      const auto crossed = hn::AndNot(held, hn::And(moving, hn::Ge(next.v, c(V_peak))));
      y.v = hn::IfThenElse(moving, hn::IfThenElse(crossed, c(V_reset), next.v), y.v);
      y.g_ex = hn::IfThenElse(moving, next.g_ex, y.g_ex);
      y.g_in = hn::IfThenElse(moving, next.g_in, y.g_in);
      y.w = hn::IfThenElse(moving, hn::IfThenElse(crossed, next.w + c(B), next.w), y.w);
      spiked = hn::Or(spiked, crossed);
      held = hn::Or(held, hn::And(crossed, hold));
      remaining = remaining - h;
      active = hn::Lt(zero, remaining);
    }
    s[0] = y.v;
    s[1] = y.g_ex + in[0];
    s[2] = y.g_in - in[1];
    s[3] = y.w;
    return spiked;
  }
};

void update_f32(UpdateArgs<float>& a) { tessera::HWY_NAMESPACE::run_neurons<Step>(a); }
void update_f64(UpdateArgs<double>& a) { tessera::HWY_NAMESPACE::run_neurons<Step>(a); }

}  // namespace HWY_NAMESPACE
}  // namespace tessera::aeif_cond_exp
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <algorithm>
#include <cmath>

#include "neurons/models.hpp"

namespace tessera::aeif_cond_exp {
namespace {

HWY_EXPORT(update_f32);
HWY_EXPORT(update_f64);

// Its error is x^4 / 120 / e of the distance to where V settles, for 100 mV 0.001 mV.
constexpr double kStiffness = 0.25;

NeuronVariant prepare(const ParameterValues& p, double dt) {
  const double longest = std::min({0.05, p["tau_syn_ex"] / 5, p["tau_syn_in"] / 5, p["tau_w"] / 5});
  NeuronVariant variant;
  variant.origin = p["E_L"];
  variant.states = model().states;
  variant.ports = 2;
  variant.refractory_steps = steps_of(p["t_ref"], dt);
  variant.constants.resize(kConstants);
  auto& k = variant.constants;
  k[Dt] = dt;
  k[H_max] = dt / std::clamp(std::ceil(dt / longest - 1e-9), 1.0, 1000.0);
  k[H_min] = std::min(k[H_max], dt / 32768);  // sets how late a spike can be noticed
  k[Fraction] = 0.05;
  k[Leak] = p["g_L"] / p["C_m"];
  k[Spike] = p["g_L"] * p["Delta_T"] / p["C_m"];
  k[Inverse_delta] = 1.0 / p["Delta_T"];
  k[Inverse_c] = 1.0 / p["C_m"];
  k[E_ex] = p["E_ex"] - p["E_L"];
  k[E_in] = p["E_in"] - p["E_L"];
  k[Decay_ex] = -1.0 / p["tau_syn_ex"];
  k[Decay_in] = -1.0 / p["tau_syn_in"];
  k[A] = p["a"];
  k[B] = p["b"];
  k[Decay_w] = -1.0 / p["tau_w"];
  k[V_th] = p["V_th"] - p["E_L"];
  k[V_peak] = p["V_peak"] - p["E_L"];
  k[V_reset] = p["V_reset"] - p["E_L"];
  k[Hold] = variant.refractory_steps > 0 ? 1.0 : 0.0;
  k[G_leak] = p["g_L"];
  // Runge-Kutta takes a decay of V by kStiffness in a sub-step.
  k[Pull] = k[Fraction] / (kStiffness * p["C_m"]);
  k[Slaved] = kStiffness * p["C_m"] / k[H_min];
  variant.update_f32 = [](UpdateArgs<float>& a) { HWY_DYNAMIC_DISPATCH(update_f32)(a); };
  variant.update_f64 = [](UpdateArgs<double>& a) { HWY_DYNAMIC_DISPATCH(update_f64)(a); };
  variant.reference_step = equation<double>;
  return variant;
}

std::vector<std::string> check(const ParameterValues& p) {
  std::vector<std::string> problems;
  if (p["V_reset"] >= p["V_peak"]) problems.push_back("V_reset must be below V_peak.");
  if (p["V_peak"] < p["V_th"]) problems.push_back("V_peak must not be below V_th.");
  return problems;
}

}  // namespace

NeuronModel model() {
  return {.name = "aeif_cond_exp",
          .summary =
              "Adaptive exponential integrate-and-fire neuron with exponential post-synaptic "
              "conductances.",
          .equations =
              "C_m dV/dt = -g_L (V - E_L) + g_L Delta_T exp((V - V_th)/Delta_T)\n"
              "            - g_ex (V - E_ex) - g_in (V - E_in) - w + I_e\n"
              "tau_w dw/dt = a (V - E_L) - w\n"
              "dg_x/dt = -g_x/tau_syn_x + sum of |weights| of arriving spikes, x in {ex, in}\n"
              "Positive weights add to g_ex, negative ones to g_in.\n"
              "V >= V_peak: spike, V = V_reset for t_ref, w = w + b\n"
              "V is bounded by V_peak on the right-hand sides. Fourth-order Runge-Kutta sub-steps "
              "that\n"
              "shorten with the upswing of the spike and under strong conductances; a spike resets\n"
              "inside its step.",
          .source = "Brette and Gerstner (2005) J. Neurophysiol. 94:3637",
          .weight_unit = "nS",
          .parameters = {{"C_m", "pF", 281.0, "membrane capacitance", 0.0, kUnbounded, false},
                         {"g_L", "nS", 30.0, "leak conductance", 0.0, kUnbounded, false},
                         {"E_L", "mV", -70.6, "leak reversal potential"},
                         {"V_th", "mV", -50.4, "threshold of the exponential term"},
                         {"V_peak", "mV", 0.0, "potential at which a spike is detected"},
                         {"V_reset", "mV", -60.0, "potential after a spike"},
                         {"Delta_T", "mV", 2.0, "slope factor", 0.0, kUnbounded, false},
                         {"a", "nS", 4.0, "subthreshold adaptation"},
                         {"b", "pA", 80.5, "adaptation added by a spike"},
                         {"tau_w", "ms", 144.0, "adaptation time constant", 0.0, kUnbounded, false},
                         {"t_ref", "ms", 0.0, "refractory period", 0.0, kUnbounded, true},
                         {"E_ex", "mV", 0.0, "excitatory reversal potential"},
                         {"E_in", "mV", -85.0, "inhibitory reversal potential"},
                         {"tau_syn_ex", "ms", 0.2, "decay of g_ex", 0.0, kUnbounded, false},
                         {"tau_syn_in", "ms", 2.0, "decay of g_in", 0.0, kUnbounded, false}},
          .states = {{"V_m", "mV", "E_L", "membrane potential"},
                     {"g_ex", "nS", "", "excitatory conductance"},
                     {"g_in", "nS", "", "inhibitory conductance"},
                     {"w", "pA", "", "adaptation current"}},
          .check = check,
          .prepare = prepare};
}

}  // namespace tessera::aeif_cond_exp
#endif  // HWY_ONCE
#endif  // TESSERA_EQUATIONS_ONLY
