// Parameters that the rules with Guetig's weight dependence share.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "plasticity/guetig.hpp"

#include <limits>

namespace tessera::guetig {

std::vector<ParameterInfo> parameters() {
  constexpr double kUnbounded = std::numeric_limits<double>::infinity();
  return {{"tau_plus", "ms", 20.0, "decay of the source's trace x", 0.0, kUnbounded, false},
          {"tau_minus", "ms", 20.0, "decay of the target's trace y", 0.0, kUnbounded, false},
          {"lambda", "", 0.01, "step of potentiation, as a part of Wmax", 0.0, kUnbounded, true},
          {"alpha", "", 1.0, "step of depression, in steps of potentiation", 0.0, kUnbounded, true},
          {"mu_plus", "", 1.0, "exponent of the weight in potentiation: 0 additive, 1 multiplicative", 0.0, kUnbounded, true},
          {"mu_minus", "", 1.0, "exponent of the weight in depression", 0.0, kUnbounded, true},
          {"Wmax", "weight", 100.0, "largest weight; below 0 for inhibitory synapses, whose magnitudes then change"}};
}

std::vector<std::string> check(const ParameterValues& p) {
  if (p["Wmax"] == 0.0) return {"Wmax must not be 0."};
  return {};
}

PlasticityVariant prepare(const ParameterValues& p) {
  PlasticityVariant variant;
  variant.tau_plus = p["tau_plus"];
  variant.tau_minus = p["tau_minus"];
  variant.lowest = std::min(0.0, p["Wmax"]);
  variant.highest = std::max(0.0, p["Wmax"]);
  variant.bound_by = "Wmax";
  const double most = std::abs(p["Wmax"]);
  variant.constants.resize(kConstants);
  variant.constants[step_plus] = p["lambda"] * most;
  variant.constants[step_minus] = p["alpha"] * p["lambda"] * most;
  variant.constants[mu_plus] = p["mu_plus"];
  variant.constants[mu_minus] = p["mu_minus"];
  variant.constants[highest] = most;
  variant.constants[per_highest] = 1.0 / most;
  return variant;
}

}  // namespace tessera::guetig
