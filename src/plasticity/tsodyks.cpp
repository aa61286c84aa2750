// Short-term plasticity of Tsodyks, Uziel and Markram: resources are active for the time of the synaptic current.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>

#include "plasticity/transmit_row.hpp"

namespace tessera::tsodyks {
namespace {

enum Constant { kU, kTauRec, kTauFac, kTauPsc };

/// What part of the active resources is recovered after h: 1 - (f(rec) - f(psc)) / (rec - psc) with f(tau) = tau exp(-h / tau),
/// or, where the two are nearly the same, with the slope of f.
double recovered_active(double h, double rec, double psc) {
  if (std::abs(rec - psc) > 1e-5 * rec) return 1.0 - (rec * std::exp(-h / rec) - psc * std::exp(-h / psc)) / (rec - psc);
  const double tau = 0.5 * (rec + psc);
  return 1.0 - std::exp(-h / tau) * (1.0 + h / tau);
}

// x: recovered resources, y: active ones, the rest is inactive; u: the part of x that a spike uses.
double efficacy(const double* k, ShortTermState& state, double since_ms) {
  if (std::isinf(since_ms)) {
    state = {};
  } else {
    const double inactive = 1.0 - state.x - state.y;
    state.x += recovered_active(since_ms, k[kTauRec], k[kTauPsc]) * state.y - std::expm1(-since_ms / k[kTauRec]) * inactive;
    state.y *= std::exp(-since_ms / k[kTauPsc]);
    state.u *= std::exp(-since_ms / k[kTauFac]);  // tau_fac = 0: 0
  }
  state.u += k[kU] * (1.0 - state.u);
  const double used = state.u * state.x;
  state.x -= used;
  state.y += used;
  return used;
}

PlasticityVariant prepare(const ParameterValues& p, double) {
  PlasticityVariant variant;
  variant.lowest = -std::numeric_limits<double>::infinity();
  variant.highest = std::numeric_limits<double>::infinity();
  variant.constants = {p["U"], p["tau_rec"], p["tau_fac"], p["tau_psc"]};
  variant.reference = transmit_row;
  variant.fast = transmit_row;
  variant.efficacy = efficacy;
  variant.in_parts = true;
  return variant;
}

}  // namespace

PlasticityModel rule() {
  constexpr double kUnbounded = std::numeric_limits<double>::infinity();
  return {.name = "tsodyks",
          .summary = "Short-term plasticity with resources that stay active for the time of the synaptic current.",
          .equations = "x: recovered resources, y: active ones, z = 1 - x - y: inactive ones; at first x = 1, u = 0\n"
                       "y' = -y / tau_psc;  z' = y / tau_psc - z / tau_rec;  x' = z / tau_rec;  u' = -u / tau_fac\n"
                       "presynaptic spike:  u <- u + U (1 - u);  u x goes from x to y and is what is transmitted, times w\n"
                       "tau_psc is the time constant of the target's synaptic current; the weight w stays as it is",
          .source = "Tsodyks, Uziel and Markram (2000) J. Neurosci. 20:RC50",
          .parameters = {{"U", "", 0.5, "step of u with a spike", 0.0, 1.0, true},
                         {"tau_psc", "ms", 3.0, "decay of active resources", 0.0, kUnbounded, false},
                         {"tau_rec", "ms", 800.0, "recovery of the resources", 0.0, kUnbounded, false},
                         {"tau_fac", "ms", 0.0, "decay of facilitation; 0: none", 0.0, kUnbounded, true}},
          .prepare = prepare};
}

}  // namespace tessera::tsodyks
