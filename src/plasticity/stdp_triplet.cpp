// The triplet rule of Pfister and Gerstner (2006): two traces on each side, the slow ones from before the spike,
//   at a postsynaptic spike   |w| <- min(|Wmax|, |w| + x (Aplus + Aplus_triplet o2))
//   at a presynaptic spike    |w| <- max(0, |w| - y (Aminus + Aminus_triplet r2))
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "plasticity/stdp_triplet.cpp"
#include "hwy/foreach_target.h"
#include "plasticity/row_kernel-inl.hpp"

#ifndef TESSERA_STDP_TRIPLET_CONSTANTS
#define TESSERA_STDP_TRIPLET_CONSTANTS
namespace tessera::stdp_triplet {
enum Constant { plus, plus_slow, minus, minus_slow, highest, kConstants };
}  // namespace tessera::stdp_triplet
#endif

HWY_BEFORE_NAMESPACE();
namespace tessera::stdp_triplet {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

struct Vector {
  static constexpr Pairing pairing = Pairing::every;
  static constexpr bool in_order = false, slow_target = true;
  static constexpr int constants = kConstants;

  // Steps up do not depend on the weight: with a bound above only, their sum is as good as one after the other.
  template <class D, class V>
  static HWY_INLINE V contribution(D d, const float* k, V x, V slow) {
    return hn::Mul(x, hn::Add(hn::Set(d, k[plus]), hn::Mul(hn::Set(d, k[plus_slow]), slow)));
  }
  template <class D, class V>
  static HWY_INLINE V potentiate(D d, const float* k, V w, V x) {
    return hn::Min(hn::Set(d, k[highest]), hn::Add(w, x));
  }
  template <class D, class V>
  static HWY_INLINE V depress(D d, const float* k, V w, V y, V slow) {
    const V step = hn::Add(hn::Set(d, k[minus]), hn::Mul(hn::Set(d, k[minus_slow]), slow));
    return hn::Max(hn::Zero(d), hn::Sub(w, hn::Mul(step, y)));
  }
};

void fast(PlasticRow<float>& row) { tessera::HWY_NAMESPACE::run_fast<Vector>(row); }
void summed(SummedRow& row) { tessera::HWY_NAMESPACE::run_summed<Vector>(row); }

}  // namespace HWY_NAMESPACE
}  // namespace tessera::stdp_triplet
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <limits>

namespace tessera::stdp_triplet {
namespace {

HWY_EXPORT(fast);
HWY_EXPORT(summed);

struct Reference {
  static constexpr Pairing pairing = Pairing::every;
  static double potentiate(const double* k, double w, double x, double slow) {
    return std::min(k[highest], w + x * (k[plus] + k[plus_slow] * slow));
  }
  static double depress(const double* k, double w, double y, double slow) {
    return std::max(0.0, w - y * (k[minus] + k[minus_slow] * slow));
  }
};

std::vector<std::string> check(const ParameterValues& p) {
  if (p["Wmax"] == 0.0) return {"Wmax must not be 0."};
  return {};
}

PlasticityVariant prepare(const ParameterValues& p, double) {
  PlasticityVariant variant;
  variant.tau_plus = p["tau_plus"];
  variant.tau_plus_slow = p["tau_plus_triplet"];
  variant.tau_minus = p["tau_minus"];
  variant.tau_minus_slow = p["tau_minus_triplet"];
  variant.lowest = std::min(0.0, p["Wmax"]);
  variant.highest = std::max(0.0, p["Wmax"]);
  variant.bound_by = "Wmax";
  variant.constants = {p["Aplus"], p["Aplus_triplet"], p["Aminus"], p["Aminus_triplet"], std::abs(p["Wmax"])};
  variant.reference = run_reference<Reference>;
  variant.fast = [](PlasticRow<float>& row) { HWY_DYNAMIC_DISPATCH(fast)(row); };
  variant.summed = [](SummedRow& row) { HWY_DYNAMIC_DISPATCH(summed)(row); };
  variant.gain = [](const double* k, double slow) { return k[plus] + k[plus_slow] * slow; };
  return variant;
}

}  // namespace

PlasticityModel rule() {
  constexpr double kUnbounded = std::numeric_limits<double>::infinity();
  return {.name = "stdp_triplet",
          .summary = "STDP of triplets of spikes, all pairs and triples; additive.",
          .equations = "x, r2: traces of the source, decay with tau_plus and tau_plus_triplet, + 1 at a presynaptic spike\n"
                       "y, o2: traces of the target, decay with tau_minus and tau_minus_triplet, + 1 at a postsynaptic spike\n"
                       "postsynaptic spike:  |w| <- min(|Wmax|, |w| + x (Aplus + Aplus_triplet o2)), o2 from before this spike\n"
                       "presynaptic spike:   |w| <- max(0, |w| - y (Aminus + Aminus_triplet r2)), r2 from before this spike,\n"
                       "                     then w is transmitted",
          .source = "Pfister and Gerstner (2006) J. Neurosci. 26:9673",
          .parameters = {{"tau_plus", "ms", 16.8, "decay of the source's fast trace x", 0.0, kUnbounded, false},
                         {"tau_plus_triplet", "ms", 101.0, "decay of the source's slow trace r2", 0.0, kUnbounded, false},
                         {"tau_minus", "ms", 20.0, "decay of the target's fast trace y (33.7 in the publication)", 0.0, kUnbounded, false},
                         {"tau_minus_triplet", "ms", 110.0, "decay of the target's slow trace o2 (125 in the publication)", 0.0, kUnbounded, false},
                         {"Aplus", "weight", 5e-10, "step of potentiation of a pair", 0.0, kUnbounded, true},
                         {"Aplus_triplet", "weight", 6.2e-3, "step of potentiation of a triplet", 0.0, kUnbounded, true},
                         {"Aminus", "weight", 7e-3, "step of depression of a pair", 0.0, kUnbounded, true},
                         {"Aminus_triplet", "weight", 2.3e-4, "step of depression of a triplet", 0.0, kUnbounded, true},
                         {"Wmax", "weight", 100.0, "largest weight; below 0 for inhibitory synapses, whose magnitudes then change"}},
          .check = check,
          .prepare = prepare};
}

}  // namespace tessera::stdp_triplet
#endif  // HWY_ONCE
