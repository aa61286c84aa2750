// The neuron equations that run on a device, from the files of the models.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#define TESSERA_EQUATIONS_ONLY
#include "neurons/aeif_cond_exp.cpp"
#include "neurons/iaf_cond_exp.cpp"
#include "neurons/iaf_psc_alpha.cpp"
#include "neurons/iaf_psc_delta.cpp"
#include "neurons/iaf_psc_exp.cpp"
#include "neurons/izhikevich.cpp"
#undef TESSERA_EQUATIONS_ONLY

#include "kernels/cuda/layout.hpp"
#include "kernels/cuda/on_device.hpp"

namespace tessera::gpu {

static_assert(iaf_psc_exp::kConstants <= static_cast<int>(kMostConstants));
static_assert(iaf_psc_alpha::kConstants <= static_cast<int>(kMostConstants));
static_assert(iaf_cond_exp::kConstants <= static_cast<int>(kMostConstants));
static_assert(aeif_cond_exp::kConstants <= static_cast<int>(kMostConstants));

TESSERA_PHASE constexpr std::uint32_t columns_of(Equation equation) {
  switch (equation) {
    case Equation::iaf_psc_delta: return 1;
    case Equation::iaf_psc_exp_two:
    case Equation::iaf_psc_alpha_one:
    case Equation::iaf_cond_exp: return 3;
    case Equation::aeif_cond_exp: return 4;
    case Equation::iaf_psc_alpha_two: return 5;
    default: return 2;
  }
}
TESSERA_PHASE constexpr std::uint32_t ports_of(Equation equation) {
  return equation == Equation::iaf_psc_exp_two || equation == Equation::iaf_psc_alpha_two || equation == Equation::iaf_cond_exp ||
                 equation == Equation::aeif_cond_exp
             ? 2
             : 1;
}

// The long equations are functions of their own: their registers are no burden to who does not call them.
TESSERA_APART bool advance_iaf_cond_exp(float* state, const float* constants, const float* input, float current, bool refractory) {
  return iaf_cond_exp::equation(state, constants, input, current, refractory);
}
TESSERA_APART bool advance_aeif_cond_exp(float* state, const float* constants, const float* input, float current, bool refractory) {
  return aeif_cond_exp::equation(state, constants, input, current, refractory);
}
/// Calls one of them with copies: what has an address is not in registers.
template <int kColumns, class Function>
TESSERA_PHASE bool advance_apart(Function function, const float* constants, float* state, const float* input, float current,
                                 bool refractory) {
  float there[kColumns];
  const float inputs[2] = {input[0], input[1]};
  for (int c = 0; c < kColumns; ++c) there[c] = state[c];
  const bool spiked = function(there, constants, inputs, current, refractory);
  for (int c = 0; c < kColumns; ++c) state[c] = there[c];
  return spiked;
}

/// Advances the state of a neuron; says whether it crossed the threshold.
TESSERA_PHASE bool advance(Equation equation, const float* constants, float* state, const float* input, float current,
                           bool refractory) {
  switch (equation) {
    case Equation::iaf_psc_exp_two: return iaf_psc_exp::equation_two(state, constants, input, current, refractory);
    case Equation::iaf_psc_delta: return iaf_psc_delta::equation(state, constants, input, current, refractory);
    case Equation::iaf_psc_alpha_one: return iaf_psc_alpha::equation_one(state, constants, input, current, refractory);
    case Equation::iaf_psc_alpha_two: return iaf_psc_alpha::equation_two(state, constants, input, current, refractory);
    case Equation::izhikevich: return izhikevich::equation(state, constants, input, current, refractory);
    case Equation::iaf_cond_exp:
      return advance_apart<3>(advance_iaf_cond_exp, constants, state, input, current, refractory);
    case Equation::aeif_cond_exp:
      return advance_apart<4>(advance_aeif_cond_exp, constants, state, input, current, refractory);
    default: return iaf_psc_exp::equation_one(state, constants, input, current, refractory);
  }
}

}  // namespace tessera::gpu
