// Leaky integrate-and-fire with exponential post-synaptic conductances.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#ifndef TESSERA_IAF_COND_EXP_EQUATIONS
#define TESSERA_IAF_COND_EXP_EQUATIONS
#include "neurons/equation.hpp"

namespace tessera::iaf_cond_exp {
// V is kept relative to E_L. A step is `Substeps` sub-steps of length H; the conductances decay
// exactly, Half_x = exp(-H / (2 tau_syn_x)). Where the synaptic conductance is at most Stiff, V takes
// a classical Runge-Kutta step; above, where that would lose accuracy and then its stability, V
// relaxes exactly (see relaxed()). Area_x is the integral of exp(-t / tau_syn_x) / C over H / 2,
// Area_leak that of g_L / C.
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
  G_leak,
  Stiff,
  Area_leak,
  Area_ex,
  Area_in,
  kConstants
};

// dV/dt = (I - g_ex (V - E_ex) - g_in (V - E_in)) / C - V g_L / C;  dg_x/dt = -g_x / tau_syn_x.
template <class Real>
struct ScalarMembrane {
  const Real* k;
  Real current;

  TESSERA_EQUATION Real slope(Real v, Real g_ex, Real g_in) const {
    const Real synaptic = g_ex * (v - k[E_ex]) + g_in * (v - k[E_in]);
    return k[Inverse_c] * (current - synaptic) - k[Leak] * v;
  }
  TESSERA_EQUATION Real runge_kutta(Real v, Real g_ex, Real g_in) const {
    const Real half_ex = k[Half_ex] * g_ex, end_ex = k[Half_ex] * half_ex;
    const Real half_in = k[Half_in] * g_in, end_in = k[Half_in] * half_in;
    const Real k1 = slope(v, g_ex, g_in);
    const Real k2 = slope(v + k[Half_h] * k1, half_ex, half_in);
    const Real k3 = slope(v + k[Half_h] * k2, half_ex, half_in);
    const Real k4 = slope(v + k[H] * k3, end_ex, end_in);
    return v + k[Sixth_h] * ((k1 + k4) + Real(2) * (k2 + k3));
  }
  // Where V would settle: W = (I + g_ex E_ex + g_in E_in) / g with g = g_L + g_ex + g_in.
  TESSERA_EQUATION Real settled(Real g_ex, Real g_in) const {
    return (current + g_ex * k[E_ex] + g_in * k[E_in]) / (k[G_leak] + (g_ex + g_in));
  }
  // The integral of g / C over half a sub-step.
  TESSERA_EQUATION Real area(Real g_ex, Real g_in) const { return k[Area_leak] + (k[Area_ex] * g_ex + k[Area_in] * g_in); }
  // The membrane equation is dV/dt = -(g / C) (V - W), linear in V with known g and W. With x, the
  // integral of g / C from a time to the end of the sub-step, its solution is
  //   V(end) = V exp(-x0) + integral from 0 to x0 of W exp(-x) dx,
  // taken exactly for the parabola in x through W at the beginning (x0), the middle (x1) and the end
  // (0). It is stable for every g, and V stays between the potentials that pull at it.
  TESSERA_EQUATION Real relaxed(Real v, Real g_ex, Real g_in) const {
    const Real half_ex = k[Half_ex] * g_ex, half_in = k[Half_in] * g_in;
    const Real first = area(g_ex, g_in), x1 = area(half_ex, half_in), x0 = first + x1;
    const Real left = Real(80) < x0 ? Real(0) : exponential_of(-x0);  // exp(-x) x^2 is 0 to rounding beyond it
    const Real w0 = settled(g_ex, g_in), w1 = settled(half_ex, half_in);
    const Real w2 = settled(k[Half_ex] * half_ex, k[Half_in] * half_in);
    const Real slope_end = (w1 - w2) / x1, bend = ((w0 - w1) / first - slope_end) / x0;
    // Integrals of exp(-x), x exp(-x) and x^2 exp(-x) from 0 to x0.
    const Real m0 = Real(1) - left, m1 = m0 - x0 * left, m2 = Real(2) * m1 - x0 * (x0 * left);
    return (v * left + w2 * m0) + (slope_end * m1 + bend * (m2 - x1 * m1));
  }
};

// Inputs are added to g_ex, and with the opposite sign to g_in, at the end of the step.
template <class Real>
TESSERA_EQUATION bool equation(Real* s, const Real* k, const Real* in, Real current, bool refractory) {
  const ScalarMembrane<Real> membrane{k, current};
  Real v = s[0], g_ex = s[1], g_in = s[2];
  for (int i = 0; i < static_cast<int>(k[Substeps]); ++i) {
    v = k[Stiff] < g_ex + g_in ? membrane.relaxed(v, g_ex, g_in) : membrane.runge_kutta(v, g_ex, g_in);
    g_ex = k[Half_ex] * (k[Half_ex] * g_ex);
    g_in = k[Half_in] * (k[Half_in] * g_in);
  }
  if (!refractory) s[0] = v;
  s[1] = g_ex + in[0];
  s[2] = g_in - in[1];
  const bool spiked = !refractory && s[0] >= k[V_th];
  if (spiked) s[0] = k[V_reset];
  return spiked;
}
}  // namespace tessera::iaf_cond_exp
#endif

#ifndef TESSERA_EQUATIONS_ONLY
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "neurons/iaf_cond_exp.cpp"
#include "hwy/foreach_target.h"
#include "tessera/neuron_kernel-inl.hpp"
#include "tessera/neuron_math-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace tessera::iaf_cond_exp {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// As ScalarMembrane, operation by operation.
template <class D, class V = hn::Vec<D>>
struct Membrane {
  D d;
  const hn::TFromD<D>* k;
  V current;

  struct Conductances {
    V ex, in;
  };
  /// At the beginning, the middle and the end of a sub-step.
  struct Course {
    Conductances begin, middle, end;
  };

  HWY_INLINE V c(int i) const { return hn::Set(d, k[i]); }
  HWY_INLINE Course course(const Conductances& g) const {
    const Conductances middle{c(Half_ex) * g.ex, c(Half_in) * g.in};
    return {g, middle, {c(Half_ex) * middle.ex, c(Half_in) * middle.in}};
  }
  HWY_INLINE hn::Mask<D> stiff(const Conductances& g) const {
    return hn::Lt(c(Stiff), g.ex + g.in);
  }
  HWY_INLINE V slope(V v, const Conductances& g) const {
    const V synaptic = g.ex * (v - c(E_ex)) + g.in * (v - c(E_in));
    return c(Inverse_c) * (current - synaptic) - c(Leak) * v;
  }
  HWY_INLINE V runge_kutta(V v, const Course& g) const {
    const V k1 = slope(v, g.begin);
    const V k2 = slope(v + c(Half_h) * k1, g.middle);
    const V k3 = slope(v + c(Half_h) * k2, g.middle);
    const V k4 = slope(v + c(H) * k3, g.end);
    return v + c(Sixth_h) * ((k1 + k4) + hn::Set(d, hn::TFromD<D>(2)) * (k2 + k3));
  }
  HWY_INLINE V settled(const Conductances& g) const {
    return (current + g.ex * c(E_ex) + g.in * c(E_in)) / (c(G_leak) + (g.ex + g.in));
  }
  HWY_INLINE V area(const Conductances& g) const {
    return c(Area_leak) + (c(Area_ex) * g.ex + c(Area_in) * g.in);
  }
  HWY_INLINE V relaxed(V v, const Course& g) const {
    const V one = hn::Set(d, hn::TFromD<D>(1)), two = hn::Set(d, hn::TFromD<D>(2));
    const V vanished = hn::Set(d, hn::TFromD<D>(80));
    const V first = area(g.begin), x1 = area(g.middle), x0 = first + x1;
    const V left = hn::IfThenZeroElse(hn::Lt(vanished, x0),
                                      tessera::HWY_NAMESPACE::exponential(d, hn::Neg(x0)));
    const V w0 = settled(g.begin), w1 = settled(g.middle), w2 = settled(g.end);
    const V slope_end = (w1 - w2) / x1;
    const V bend = ((w0 - w1) / first - slope_end) / x0;
    const V m0 = one - left, m1 = m0 - x0 * left, m2 = two * m1 - x0 * (x0 * left);
    return (v * left + w2 * m0) + (slope_end * m1 + bend * (m2 - x1 * m1));
  }
};

struct Step {
  static constexpr int states = 3, ports = 2, constants = kConstants;
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE hn::Mask<D> step(D d, const hn::TFromD<D>* k, V* s, const V* in, V current,
                                     hn::Mask<D> refractory) {
    const Membrane<D> membrane{d, k, current};
    const int substeps = static_cast<int>(k[Substeps]);
    V v = s[0];
    typename Membrane<D>::Conductances g{s[1], s[2]};
    // Conductances only decay inside a step: who is not stiff at its beginning is not later.
    if (HWY_LIKELY(hn::AllFalse(d, membrane.stiff(g)))) {
      for (int i = 0; i < substeps; ++i) {
        const auto course = membrane.course(g);
        v = membrane.runge_kutta(v, course);
        g = course.end;
      }
    } else {
      for (int i = 0; i < substeps; ++i) {
        const auto course = membrane.course(g);
        v = hn::IfThenElse(membrane.stiff(g), membrane.relaxed(v, course),
                           membrane.runge_kutta(v, course));
        g = course.end;
      }
    }
    v = hn::IfThenElse(refractory, s[0], v);
    s[1] = g.ex + in[0];
    s[2] = g.in - in[1];
    const auto spiked = hn::AndNot(refractory, hn::Ge(v, membrane.c(V_th)));
    s[0] = hn::IfThenElse(spiked, membrane.c(V_reset), v);
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

// Largest decay of V in a sub-step, (g + g_L) H / C, that Runge-Kutta takes: its error is
// x^4 / 120 / e of the distance to where V settles, for 100 mV 0.002 mV.
constexpr double kStiffness = 0.3;

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
  const auto area = [&](double tau) { return -tau * std::expm1(-h / (2 * tau)) / p["C_m"]; };
  variant.constants[G_leak] = p["g_L"];
  variant.constants[Stiff] = kStiffness * p["C_m"] / h - p["g_L"];
  variant.constants[Area_leak] = p["g_L"] * h / (2 * p["C_m"]);
  variant.constants[Area_ex] = area(p["tau_syn_ex"]);
  variant.constants[Area_in] = area(p["tau_syn_in"]);
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
  return {.name = "iaf_cond_exp",
          .summary = "Leaky integrate-and-fire neuron with exponential post-synaptic conductances.",
          .equations =
              "C_m dV/dt = -g_L (V - E_L) - g_ex (V - E_ex) - g_in (V - E_in) + I_e\n"
              "dg_x/dt = -g_x/tau_syn_x + sum of |weights| of arriving spikes, x in {ex, in}\n"
              "Positive weights add to g_ex, negative ones to g_in.\n"
              "V >= V_th: spike, V = V_reset for t_ref\n"
              "Conductances decay exactly; V is integrated by fourth-order Runge-Kutta sub-steps, and\n"
              "exactly along a parabola of its target where the conductances are strong.",
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
#endif  // TESSERA_EQUATIONS_ONLY
