// Inhibitory plasticity of Vogels, Sprekeler et al. (2011), the same for both orders of two spikes:
//   at a postsynaptic spike   |w| <- min(|Wmax|, |w| + eta x)
//   at a presynaptic spike    |w| <- min(|Wmax|, |w| + eta y), then |w| <- max(0, |w| - eta alpha)
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "plasticity/vogels_sprekeler.cpp"
#include "hwy/foreach_target.h"
#include "plasticity/row_kernel-inl.hpp"

#ifndef TESSERA_VOGELS_SPREKELER_CONSTANTS
#define TESSERA_VOGELS_SPREKELER_CONSTANTS
namespace tessera::vogels_sprekeler {
enum Constant { eta, eta_alpha, highest, kConstants };
}  // namespace tessera::vogels_sprekeler
#endif

HWY_BEFORE_NAMESPACE();
namespace tessera::vogels_sprekeler {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

struct Vector {
  static constexpr Pairing pairing = Pairing::every;
  static constexpr bool in_order = false, slow_target = false;
  static constexpr int constants = kConstants;

  template <class D, class V>
  static HWY_INLINE V contribution(D, const float*, V x, V) {
    return x;
  }
  template <class D, class V>
  static HWY_INLINE V potentiate(D d, const float* k, V w, V x) {
    return hn::Min(hn::Set(d, k[highest]), hn::Add(w, hn::Mul(hn::Set(d, k[eta]), x)));
  }
  template <class D, class V>
  static HWY_INLINE V depress(D d, const float* k, V w, V y, V) {
    return hn::Max(hn::Zero(d), hn::Sub(potentiate(d, k, w, y), hn::Set(d, k[eta_alpha])));
  }
};

void fast(PlasticRow<float>& row) { tessera::HWY_NAMESPACE::run_fast<Vector>(row); }
void summed(SummedRow& row) { tessera::HWY_NAMESPACE::run_summed<Vector>(row); }

}  // namespace HWY_NAMESPACE
}  // namespace tessera::vogels_sprekeler
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <limits>

namespace tessera::vogels_sprekeler {
namespace {

HWY_EXPORT(fast);
HWY_EXPORT(summed);

struct Reference {
  static constexpr Pairing pairing = Pairing::every;
  static double potentiate(const double* k, double w, double x, double) { return std::min(k[highest], w + k[eta] * x); }
  static double depress(const double* k, double w, double y, double) {
    return std::max(0.0, potentiate(k, w, y, 0.0) - k[eta_alpha]);
  }
};

std::vector<std::string> check(const ParameterValues& p) {
  if (p["Wmax"] == 0.0) return {"Wmax must not be 0."};
  return {};
}

PlasticityVariant prepare(const ParameterValues& p, double) {
  PlasticityVariant variant;
  variant.tau_plus = variant.tau_minus = p["tau"];
  variant.lowest = std::min(0.0, p["Wmax"]);
  variant.highest = std::max(0.0, p["Wmax"]);
  variant.bound_by = "Wmax";
  variant.constants = {p["eta"], p["eta"] * p["alpha"], std::abs(p["Wmax"])};
  variant.reference = run_reference<Reference>;
  variant.fast = [](PlasticRow<float>& row) { HWY_DYNAMIC_DISPATCH(fast)(row); };
  variant.summed = [](SummedRow& row) { HWY_DYNAMIC_DISPATCH(summed)(row); };
  return variant;
}

}  // namespace

PlasticityModel rule() {
  constexpr double kUnbounded = std::numeric_limits<double>::infinity();
  return {.name = "vogels_sprekeler",
          .summary = "Inhibitory plasticity that holds the rate of its targets: pairs of either order strengthen, presynaptic spikes weaken.",
          .equations = "x' = -x / tau, + 1 at a presynaptic spike;  y' = -y / tau, + 1 at a postsynaptic spike\n"
                       "postsynaptic spike:  |w| <- min(|Wmax|, |w| + eta x)\n"
                       "presynaptic spike:   |w| <- min(|Wmax|, |w| + eta y), |w| <- max(0, |w| - eta alpha), then w is transmitted\n"
                       "weights rest when the target fires at about alpha / (2 tau)",
          .source = "Vogels, Sprekeler, Zenke, Clopath and Gerstner (2011) Science 334:1569",
          .parameters = {{"tau", "ms", 20.0, "decay of the traces x and y", 0.0, kUnbounded, false},
                         {"eta", "weight", 0.001, "step of a weight", 0.0, kUnbounded, true},
                         {"alpha", "", 0.12, "what a presynaptic spike takes away, in steps: 2 tau times the rate to hold", 0.0, kUnbounded, true},
                         {"Wmax", "weight", 1.0, "largest weight; below 0 for inhibitory synapses, whose magnitudes then change"}},
          .check = check,
          .prepare = prepare};
}

}  // namespace tessera::vogels_sprekeler
#endif  // HWY_ONCE
