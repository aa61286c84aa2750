// STDP of nearest spikes, centred on presynaptic ones: each is paired with the postsynaptic spikes before and after it.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "plasticity/stdp_nn_pre_centered.cpp"
#include "hwy/foreach_target.h"
#include "plasticity/guetig-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace tessera::stdp_nn_pre_centered {
namespace HWY_NAMESPACE {
using tessera::HWY_NAMESPACE::GuetigVector;
using tessera::HWY_NAMESPACE::run_fast;

constexpr Pairing kPairing = Pairing::until_target;
void additive(PlasticRow<float>& row) { run_fast<GuetigVector<Exponent::zero, Exponent::zero, kPairing>>(row); }
void multiplicative(PlasticRow<float>& row) { run_fast<GuetigVector<Exponent::one, Exponent::one, kPairing>>(row); }
void in_between(PlasticRow<float>& row) { run_fast<GuetigVector<Exponent::any, Exponent::any, kPairing>>(row); }

}  // namespace HWY_NAMESPACE
}  // namespace tessera::stdp_nn_pre_centered
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tessera::stdp_nn_pre_centered {
namespace {

HWY_EXPORT(additive);
HWY_EXPORT(multiplicative);
HWY_EXPORT(in_between);

PlasticityVariant prepare(const ParameterValues& p, double) {
  PlasticityVariant variant = guetig::prepare(p);
  variant.nearest = true;
  variant.keeps_state = true;
  variant.reference = run_reference<guetig::Reference<Pairing::until_target>>;
  const double plus = p["mu_plus"], minus = p["mu_minus"];
  variant.fast = [](PlasticRow<float>& row) { HWY_DYNAMIC_DISPATCH(in_between)(row); };
  if (plus == 1.0 && minus == 1.0) variant.fast = [](PlasticRow<float>& row) { HWY_DYNAMIC_DISPATCH(multiplicative)(row); };
  if (plus == 0.0 && minus == 0.0) variant.fast = [](PlasticRow<float>& row) { HWY_DYNAMIC_DISPATCH(additive)(row); };
  return variant;
}

}  // namespace

PlasticityModel rule() {
  return {.name = "stdp_nn_pre_centered",
          .summary = "STDP of nearest spikes, presynaptic-centred: presynaptic spikes are paired with the last postsynaptic spike and the next.",
          .equations = "u = w / Wmax;  y = exp(-t / tau_minus), t since the last postsynaptic spike\n"
                       "x' = -x / tau_plus, + 1 at a presynaptic spike, 0 after a postsynaptic one (a number per synapse)\n"
                       "postsynaptic spike:  u <- min(1, u + lambda (1 - u)^mu_plus x), then x <- 0\n"
                       "presynaptic spike:   u <- max(0, u - alpha lambda u^mu_minus y), x <- x + 1, then w is transmitted",
          .source = "Morrison, Diesmann and Gerstner (2008) Biol. Cybern. 98:459, figure 7B; Guetig, Aharonov, Rotter and Sompolinsky (2003) "
                    "J. Neurosci. 23:3697 (weights)",
          .parameters = guetig::parameters(),
          .check = guetig::check,
          .prepare = prepare};
}

}  // namespace tessera::stdp_nn_pre_centered
#endif  // HWY_ONCE
