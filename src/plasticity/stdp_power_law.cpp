// STDP whose potentiation is a power of the weight (Morrison, Aertsen and Diesmann 2007):
//   at a postsynaptic spike   w <- w + lambda w^mu x
//   at a presynaptic spike    w <- max(0, w - lambda alpha w y)
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "plasticity/stdp_power_law.cpp"
#include "hwy/foreach_target.h"
#include "plasticity/guetig-inl.hpp"

#ifndef TESSERA_STDP_POWER_LAW_CONSTANTS
#define TESSERA_STDP_POWER_LAW_CONSTANTS
namespace tessera::stdp_power_law {
enum Constant { lambda, lambda_alpha, mu, kConstants };
}  // namespace tessera::stdp_power_law
#endif

HWY_BEFORE_NAMESPACE();
namespace tessera::stdp_power_law {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using tessera::HWY_NAMESPACE::power;
using tessera::HWY_NAMESPACE::run_fast;
using tessera::HWY_NAMESPACE::run_summed;

template <Exponent exponent>
struct Vector {
  static constexpr Pairing pairing = Pairing::every;
  static constexpr bool in_order = exponent != Exponent::zero, slow_target = false;
  static constexpr int constants = kConstants;

  template <class D, class V>
  static HWY_INLINE V contribution(D, const float*, V x, V) {
    return x;
  }
  template <class D, class V>
  static HWY_INLINE V potentiate(D d, const float* k, V w, V x) {
    return hn::Add(w, hn::Mul(hn::Mul(hn::Set(d, k[lambda]), power<exponent>(d, w, k[mu])), x));
  }
  template <class D, class V>
  static HWY_INLINE V depress(D d, const float* k, V w, V y, V) {
    return hn::Max(hn::Zero(d), hn::Sub(w, hn::Mul(hn::Mul(hn::Set(d, k[lambda_alpha]), w), y)));
  }
};

void any_power(PlasticRow<float>& row) { run_fast<Vector<Exponent::any>>(row); }
void additive(PlasticRow<float>& row) { run_fast<Vector<Exponent::zero>>(row); }
void multiplicative(PlasticRow<float>& row) { run_fast<Vector<Exponent::one>>(row); }
void summed_additive(SummedRow& row) { run_summed<Vector<Exponent::zero>>(row); }

}  // namespace HWY_NAMESPACE
}  // namespace tessera::stdp_power_law
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <limits>

namespace tessera::stdp_power_law {
namespace {

HWY_EXPORT(any_power);
HWY_EXPORT(additive);
HWY_EXPORT(multiplicative);
HWY_EXPORT(summed_additive);

struct Reference {
  static constexpr Pairing pairing = Pairing::every;
  static double potentiate(const double* k, double w, double x, double) { return w + k[lambda] * std::pow(w, k[mu]) * x; }
  static double depress(const double* k, double w, double y, double) {
    return std::max(w - k[lambda_alpha] * w * y, 0.0);  // in this order a NaN stays one
  }
};

PlasticityVariant prepare(const ParameterValues& p, double) {
  PlasticityVariant variant;
  variant.tau_plus = p["tau_plus"];
  variant.tau_minus = p["tau_minus"];
  variant.highest = std::numeric_limits<double>::infinity();
  variant.constants.resize(kConstants);
  variant.constants[lambda] = p["lambda"];
  variant.constants[lambda_alpha] = p["lambda"] * p["alpha"];
  variant.constants[mu] = p["mu"];
  variant.reference = run_reference<Reference>;
  variant.fast = [](PlasticRow<float>& row) { HWY_DYNAMIC_DISPATCH(any_power)(row); };
  if (p["mu"] == 1.0) variant.fast = [](PlasticRow<float>& row) { HWY_DYNAMIC_DISPATCH(multiplicative)(row); };
  if (p["mu"] == 0.0) {
    variant.fast = [](PlasticRow<float>& row) { HWY_DYNAMIC_DISPATCH(additive)(row); };
    variant.summed = [](SummedRow& row) { HWY_DYNAMIC_DISPATCH(summed_additive)(row); };
  }
  return variant;
}

}  // namespace

PlasticityModel rule() {
  constexpr double kUnbounded = std::numeric_limits<double>::infinity();
  return {.name = "stdp_power_law",
          .summary = "STDP of all pairs of spikes, potentiation a power of the weight, depression proportional to it; no largest weight.",
          .equations = "x' = -x / tau_plus, + 1 at a presynaptic spike;  y' = -y / tau_minus, + 1 at a postsynaptic spike\n"
                       "postsynaptic spike:  w <- w + lambda w^mu x\n"
                       "presynaptic spike:   w <- max(0, w - lambda alpha w y), then w is transmitted\n"
                       "w counts in the unit of weights, so lambda depends on that unit unless mu is 1",
          .source = "Morrison, Aertsen and Diesmann (2007) Neural Comput. 19:1437",
          .parameters = {{"tau_plus", "ms", 20.0, "decay of the source's trace x", 0.0, kUnbounded, false},
                         {"tau_minus", "ms", 20.0, "decay of the target's trace y", 0.0, kUnbounded, false},
                         {"lambda", "", 0.1, "step of potentiation of a weight of 1", 0.0, kUnbounded, true},
                         {"alpha", "", 1.0, "step of depression, in steps of potentiation", 0.0, kUnbounded, true},
                         {"mu", "", 0.4, "exponent of the weight in potentiation", 0.0, kUnbounded, true}},
          .prepare = prepare};
}

}  // namespace tessera::stdp_power_law
#endif  // HWY_ONCE
