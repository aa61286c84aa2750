// Short-term plasticity of Tsodyks and Markram: facilitation and depression, without the time course of the current.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>

#include "plasticity/transmit_row.hpp"

namespace tessera::tsodyks2 {
namespace {

enum Constant { kU, kTauRec, kTauFac };

// x is what is left before a spike, u what part of it the spike uses.
double efficacy(const double* k, ShortTermState& state, double since_ms) {
  if (std::isinf(since_ms)) {
    state.x = 1.0;
    state.u = k[kU];
  } else {
    state.x = 1.0 + (state.x - state.x * state.u - 1.0) * std::exp(-since_ms / k[kTauRec]);
    state.u = k[kU] + state.u * (1.0 - k[kU]) * std::exp(-since_ms / k[kTauFac]);  // tau_fac = 0: U
  }
  return state.x * state.u;
}

PlasticityVariant prepare(const ParameterValues& p, double) {
  PlasticityVariant variant;
  variant.lowest = -std::numeric_limits<double>::infinity();
  variant.highest = std::numeric_limits<double>::infinity();
  variant.constants = {p["U"], p["tau_rec"], p["tau_fac"]};
  variant.reference = transmit_row;
  variant.fast = transmit_row;
  variant.efficacy = efficacy;
  variant.in_parts = true;
  return variant;
}

}  // namespace

PlasticityModel rule() {
  constexpr double kUnbounded = std::numeric_limits<double>::infinity();
  return {.name = "tsodyks2",
          .summary = "Short-term plasticity: every spike uses a part of the synapse's resources, which recover; the part grows and decays.",
          .equations = "first spike:  u = U, x = 1\n"
                       "h after it:   x <- 1 + (x - x u - 1) exp(-h / tau_rec), then u <- U + u (1 - U) exp(-h / tau_fac)\n"
                       "transmitted:  x u w; the weight w stays as it is",
          .source = "Tsodyks and Markram (1997) PNAS 94:719; Maass and Markram (2002) Neural Netw. 15:155",
          .parameters = {{"U", "", 0.5, "part of the resources that the first spike uses", 0.0, 1.0, true},
                         {"tau_rec", "ms", 800.0, "recovery of the resources", 0.0, kUnbounded, false},
                         {"tau_fac", "ms", 0.0, "decay of facilitation; 0: none", 0.0, kUnbounded, true}},
          .prepare = prepare};
}

}  // namespace tessera::tsodyks2
