// STDP of nearest spikes, restricted: only the pairs of neighbouring spikes count.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "plasticity/stdp_nn_restr.cpp"
#include "hwy/foreach_target.h"
#include "plasticity/guetig-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace tessera::stdp_nn_restr {
namespace HWY_NAMESPACE {
using tessera::HWY_NAMESPACE::GuetigVector;
using tessera::HWY_NAMESPACE::run_fast;

constexpr Pairing kPairing = Pairing::once_per_interval;
void additive(PlasticRow<float>& row) { run_fast<GuetigVector<Exponent::zero, Exponent::zero, kPairing>>(row); }
void multiplicative(PlasticRow<float>& row) { run_fast<GuetigVector<Exponent::one, Exponent::one, kPairing>>(row); }
void in_between(PlasticRow<float>& row) { run_fast<GuetigVector<Exponent::any, Exponent::any, kPairing>>(row); }

}  // namespace HWY_NAMESPACE
}  // namespace tessera::stdp_nn_restr
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tessera::stdp_nn_restr {
namespace {

HWY_EXPORT(additive);
HWY_EXPORT(multiplicative);
HWY_EXPORT(in_between);

PlasticityVariant prepare(const ParameterValues& p, double) {
  PlasticityVariant variant = guetig::prepare(p);
  variant.nearest = true;
  variant.keeps_state = true;
  variant.reference = run_reference<guetig::Reference<Pairing::once_per_interval>>;
  const double plus = p["mu_plus"], minus = p["mu_minus"];
  variant.fast = [](PlasticRow<float>& row) { HWY_DYNAMIC_DISPATCH(in_between)(row); };
  if (plus == 1.0 && minus == 1.0) variant.fast = [](PlasticRow<float>& row) { HWY_DYNAMIC_DISPATCH(multiplicative)(row); };
  if (plus == 0.0 && minus == 0.0) variant.fast = [](PlasticRow<float>& row) { HWY_DYNAMIC_DISPATCH(additive)(row); };
  return variant;
}

}  // namespace

PlasticityModel rule() {
  return {.name = "stdp_nn_restr",
          .summary = "STDP of nearest spikes, restricted: of spikes in a row of one side only the one next to the other side is paired.",
          .equations = "u = w / Wmax;  x = exp(-t / tau_plus), t since the last presynaptic spike;  y = exp(-t / tau_minus), t since the last postsynaptic one\n"
                       "postsynaptic spike, the first since the last presynaptic one:  u <- min(1, u + lambda (1 - u)^mu_plus x)\n"
                       "presynaptic spike, with a postsynaptic one since the last:     u <- max(0, u - alpha lambda u^mu_minus y)\n"
                       "then w is transmitted (a number per synapse remembers which came last)",
          .source = "Morrison, Diesmann and Gerstner (2008) Biol. Cybern. 98:459, figure 7C; Guetig, Aharonov, Rotter and Sompolinsky (2003) "
                    "J. Neurosci. 23:3697 (weights)",
          .parameters = guetig::parameters(),
          .check = guetig::check,
          .prepare = prepare};
}

}  // namespace tessera::stdp_nn_restr
#endif  // HWY_ONCE
