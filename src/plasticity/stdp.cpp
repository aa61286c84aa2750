// Spike-timing dependent plasticity of all pairs of spikes, with Guetig's weight dependence.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "plasticity/stdp.cpp"
#include "hwy/foreach_target.h"
#include "plasticity/guetig-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace tessera::stdp {
namespace HWY_NAMESPACE {
using tessera::HWY_NAMESPACE::GuetigVector;
using tessera::HWY_NAMESPACE::run_fast;
using tessera::HWY_NAMESPACE::run_summed;

void additive(PlasticRow<float>& row) { run_fast<GuetigVector<Exponent::zero, Exponent::zero, Pairing::every>>(row); }
void van_rossum(PlasticRow<float>& row) { run_fast<GuetigVector<Exponent::zero, Exponent::one, Pairing::every>>(row); }
void multiplicative(PlasticRow<float>& row) { run_fast<GuetigVector<Exponent::one, Exponent::one, Pairing::every>>(row); }
void in_between(PlasticRow<float>& row) { run_fast<GuetigVector<Exponent::any, Exponent::any, Pairing::every>>(row); }

void summed_additive(SummedRow& row) { run_summed<GuetigVector<Exponent::zero, Exponent::zero, Pairing::every>>(row); }
void summed_van_rossum(SummedRow& row) { run_summed<GuetigVector<Exponent::zero, Exponent::one, Pairing::every>>(row); }
void summed_in_between(SummedRow& row) { run_summed<GuetigVector<Exponent::zero, Exponent::any, Pairing::every>>(row); }

}  // namespace HWY_NAMESPACE
}  // namespace tessera::stdp
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tessera::stdp {
namespace {

HWY_EXPORT(additive);
HWY_EXPORT(van_rossum);
HWY_EXPORT(multiplicative);
HWY_EXPORT(in_between);
HWY_EXPORT(summed_additive);
HWY_EXPORT(summed_van_rossum);
HWY_EXPORT(summed_in_between);

PlasticityVariant prepare(const ParameterValues& p, double) {
  PlasticityVariant variant = guetig::prepare(p);
  const double plus = p["mu_plus"], minus = p["mu_minus"];
  variant.reference = run_reference<guetig::Reference<Pairing::every>>;
  variant.fast = [](PlasticRow<float>& row) { HWY_DYNAMIC_DISPATCH(in_between)(row); };
  if (plus == 0.0 && minus == 0.0) variant.fast = [](PlasticRow<float>& row) { HWY_DYNAMIC_DISPATCH(additive)(row); };
  if (plus == 0.0 && minus == 1.0) variant.fast = [](PlasticRow<float>& row) { HWY_DYNAMIC_DISPATCH(van_rossum)(row); };
  if (plus == 1.0 && minus == 1.0) variant.fast = [](PlasticRow<float>& row) { HWY_DYNAMIC_DISPATCH(multiplicative)(row); };
  if (plus == 0.0) variant.summed = [](SummedRow& row) { HWY_DYNAMIC_DISPATCH(summed_in_between)(row); };
  if (plus == 0.0 && minus == 0.0) variant.summed = [](SummedRow& row) { HWY_DYNAMIC_DISPATCH(summed_additive)(row); };
  if (plus == 0.0 && minus == 1.0) variant.summed = [](SummedRow& row) { HWY_DYNAMIC_DISPATCH(summed_van_rossum)(row); };
  return variant;
}

}  // namespace

PlasticityModel rule() {
  return {.name = "stdp",
          .summary = "Spike-timing dependent plasticity of all pairs of spikes: additive, multiplicative, van Rossum's, Guetig's.",
          .equations = "u = w / Wmax;  x' = -x / tau_plus, + 1 at a presynaptic spike;  y' = -y / tau_minus, + 1 at a postsynaptic spike\n"
                       "postsynaptic spike:  u <- min(1, u + lambda (1 - u)^mu_plus x)\n"
                       "presynaptic spike:   u <- max(0, u - alpha lambda u^mu_minus y), then w is transmitted\n"
                       "mu_plus = mu_minus = 0: additive; 1: multiplicative; mu_plus 0, mu_minus 1: van Rossum's",
          .source = "Guetig, Aharonov, Rotter and Sompolinsky (2003) J. Neurosci. 23:3697; Song, Miller and Abbott (2000) Nat. Neurosci. 3:919; "
                    "van Rossum, Bi and Turrigiano (2000) J. Neurosci. 20:8812",
          .parameters = guetig::parameters(),
          .check = guetig::check,
          .prepare = prepare};
}

}  // namespace tessera::stdp
#endif  // HWY_ONCE
