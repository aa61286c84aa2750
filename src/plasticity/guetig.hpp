// The weight dependence of Guetig et al. (2003), with u = w / Wmax:
//   at a postsynaptic spike   u <- min(1, u + lambda (1 - u)^mu_plus x)
//   at a presynaptic spike    u <- max(0, u - alpha lambda u^mu_minus y)
// What stdp.cpp and its nearest-neighbour forms share; their vector code is in guetig-inl.hpp.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>

#include "plasticity/reference_row.hpp"

namespace tessera {

/// An exponent of the weight: additive (0), multiplicative (1) or in between.
enum class Exponent { zero, one, any };

namespace guetig {

enum Constant { step_plus, step_minus, mu_plus, mu_minus, highest, per_highest, kConstants };

template <Pairing kPairing>
struct Reference {
  static constexpr Pairing pairing = kPairing;
  static double potentiate(const double* k, double w, double x, double) {
    return std::min(k[highest], w + k[step_plus] * std::pow(1.0 - w / k[highest], k[mu_plus]) * x);
  }
  static double depress(const double* k, double w, double y, double) {
    return std::max(0.0, w - k[step_minus] * std::pow(w / k[highest], k[mu_minus]) * y);
  }
};

[[nodiscard]] std::vector<ParameterInfo> parameters();
[[nodiscard]] std::vector<std::string> check(const ParameterValues& p);
/// All but the kernels.
[[nodiscard]] PlasticityVariant prepare(const ParameterValues& p);

}  // namespace guetig
}  // namespace tessera
