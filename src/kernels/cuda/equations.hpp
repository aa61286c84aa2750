// The neuron equations that run on a device, from the files of the models.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#define TESSERA_EQUATIONS_ONLY
#include "neurons/iaf_psc_exp.cpp"
#undef TESSERA_EQUATIONS_ONLY

#include "kernels/cuda/layout.hpp"
#include "kernels/cuda/on_device.hpp"

namespace tessera::gpu {

static_assert(iaf_psc_exp::kConstants <= static_cast<int>(kMostConstants));

TESSERA_PHASE constexpr std::uint32_t columns_of(Equation equation) { return equation == Equation::iaf_psc_exp_two ? 3 : 2; }
TESSERA_PHASE constexpr std::uint32_t ports_of(Equation equation) { return equation == Equation::iaf_psc_exp_two ? 2 : 1; }

/// Advances the state of a neuron; says whether it crossed the threshold.
TESSERA_PHASE bool advance(Equation equation, const float* constants, float* state, const float* input, float current,
                           bool refractory) {
  return equation == Equation::iaf_psc_exp_two
             ? iaf_psc_exp::equation_two(state, constants, input, current, refractory)
             : iaf_psc_exp::equation_one(state, constants, input, current, refractory);
}

}  // namespace tessera::gpu
