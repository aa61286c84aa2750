// The rule `stdp` in the convention of programs that keep traces and go through spikes step by step, as GeNN's and Brian2's
// examples do: a presynaptic spike is transmitted with the weight from before, then depresses; postsynaptic spikes of the
// same time come after it; every trace has the spikes of its own step, so a coincident pair counts for both sides.
//
// Made of visits in the other convention, where postsynaptic spikes come first and coincident pairs count for nobody: one
// that ends a step earlier, and one that begins a step later and has nothing but the depression.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "plasticity/stdp_source_first.cpp"
#include "hwy/foreach_target.h"
#include "plasticity/guetig-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace tessera::stdp_source_first {
namespace HWY_NAMESPACE {
using tessera::HWY_NAMESPACE::GuetigVector;
using tessera::HWY_NAMESPACE::run_fast;

void additive(PlasticRow<float>& row) { run_fast<GuetigVector<Exponent::zero, Exponent::zero, Pairing::every>>(row); }
void in_between(PlasticRow<float>& row) { run_fast<GuetigVector<Exponent::any, Exponent::any, Pairing::every>>(row); }

}  // namespace HWY_NAMESPACE
}  // namespace tessera::stdp_source_first
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <array>

#include "plasticity/transmit_row.hpp"

namespace tessera::stdp_source_first {
namespace {

HWY_EXPORT(additive);
HWY_EXPORT(in_between);

template <class Real, class Visit>
void visit_source_first(PlasticRow<Real>& row, const Visit& visit) {
  PlasticRow<Real> before = row;  // targets' spikes from the last visit on, but for those of now
  before.spike = false;
  before.ring = nullptr;
  --before.seen;
  --before.now;
  visit(before);
  row.finite = before.finite;
  transmit_row(row);
  if (!row.spike) return;
  // The trace y with the spikes of now is what a spike one step later sees, but for one step of decay.
  std::array<double, guetig::kConstants> constants;
  std::copy_n(row.constants, constants.size(), constants.begin());
  constants[guetig::step_minus] *= std::exp(1.0 / row.minus.steps_per_tau);
  PlasticRow<Real> after = row;
  after.ring = nullptr;
  after.constants = constants.data();
  after.seen = after.now = row.now + 1;
  visit(after);
  row.finite = row.finite && after.finite;
}

PlasticityVariant prepare(const ParameterValues& p, double) {
  PlasticityVariant variant = guetig::prepare(p);
  variant.reference = [](PlasticRow<double>& row) { visit_source_first(row, run_reference<guetig::Reference<Pairing::every>>); };
  variant.fast = [](PlasticRow<float>& row) { visit_source_first(row, [](PlasticRow<float>& r) { HWY_DYNAMIC_DISPATCH(in_between)(r); }); };
  if (p["mu_plus"] == 0.0 && p["mu_minus"] == 0.0) {
    variant.fast = [](PlasticRow<float>& row) { visit_source_first(row, [](PlasticRow<float>& r) { HWY_DYNAMIC_DISPATCH(additive)(r); }); };
  }
  return variant;
}

}  // namespace

PlasticityModel rule() {
  return {.name = "stdp_source_first",
          .summary = "The rule stdp with other conventions: transmits the weight from before a spike, coincident spikes count for both sides.",
          .equations = "u = w / Wmax;  x' = -x / tau_plus, + 1 at a presynaptic spike;  y' = -y / tau_minus, + 1 at a postsynaptic spike\n"
                       "presynaptic spike:   w is transmitted, then u <- max(0, u - alpha lambda u^mu_minus y)\n"
                       "postsynaptic spike:  u <- min(1, u + lambda (1 - u)^mu_plus x)\n"
                       "spikes of one time: the presynaptic one first; x and y have both of them. As in examples of GeNN and Brian2",
          .source = "Knight, Senk and Nowotny (2025) arXiv 2510.19764; for the equations as stdp",
          .parameters = guetig::parameters(),
          .check = guetig::check,
          .prepare = prepare};
}

}  // namespace tessera::stdp_source_first
#endif  // HWY_ONCE
