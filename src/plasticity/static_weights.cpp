// Weights that stay as they are, for projections whose synapses come and go.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <limits>

#include "plasticity/transmit_row.hpp"

namespace tessera::static_weights {
namespace {

PlasticityVariant prepare(const ParameterValues&, double) {
  PlasticityVariant variant;
  variant.lowest = -std::numeric_limits<double>::infinity();
  variant.highest = std::numeric_limits<double>::infinity();
  variant.reference = transmit_row;
  variant.fast = transmit_row;
  variant.efficacy = [](const double*, ShortTermState&, double) { return 1.0; };
  return variant;
}

}  // namespace

PlasticityModel rule() {
  return {.name = "static",
          .summary = "Weights stay as they are; for projections whose synapses come and go (rewiring).",
          .equations = "w' = 0",
          .source = "-",
          .parameters = {},
          .check = nullptr,
          .prepare = prepare};
}

}  // namespace tessera::static_weights
