// Surrogate derivatives of the spike function, and the smooth spike functions they are derivatives
// of.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

#include "tessera/training.hpp"

namespace tessera::training {

/// ds/du at x = u - threshold; the table is in training.hpp (enum Surrogate).
template <class Real>
[[nodiscard]] Real surrogate(Surrogate kind, Real beta, Real x) {
  const Real distance = beta * std::abs(x);
  switch (kind) {
    case Surrogate::superspike:
      return 1 / ((1 + distance) * (1 + distance));
    case Surrogate::arctan:
      return 1 / (1 + distance * distance);
    case Surrogate::sigmoid: {
      // q (1 - q) is even in x: the negative argument never overflows.
      const Real tail = std::exp(-distance);
      return 4 * tail / ((1 + tail) * (1 + tail));
    }
    case Surrogate::triangular:
      return distance < 1 ? 1 - distance : Real{0};
    case Surrogate::piecewise_linear:
      break;
  }
  return distance < Real(0.5) ? Real{1} : Real{0};
}

/// The integral of the surrogate from 0 to x: a smooth step around 1/2 (up to its height, which is
/// not 1).
template <class Real>
[[nodiscard]] Real smooth_spike(Surrogate kind, Real beta, Real x) {
  const Real distance = beta * std::abs(x);
  Real half = 0;  // of the positive side
  switch (kind) {
    case Surrogate::superspike:
      half = distance / (1 + distance);
      break;
    case Surrogate::arctan:
      half = std::atan(distance);
      break;
    case Surrogate::sigmoid:
      half = 2 * std::tanh(distance / 2);
      break;
    case Surrogate::triangular:
      half = distance < 1 ? distance - distance * distance / 2 : Real(0.5);
      break;
    case Surrogate::piecewise_linear:
      half = distance < Real(0.5) ? distance : Real(0.5);
      break;
  }
  return Real(0.5) + (x < 0 ? -half : half) / beta;
}

}  // namespace tessera::training
