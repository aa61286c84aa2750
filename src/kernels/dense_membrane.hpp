// One time step of a row of neurons (those of one sample) in training with dense matrices: forward
// from the input current, backward to it. Rows are stored over time, so a step reads its state from
// the row before. All rows are padded to a multiple of 16 neurons; padding neurons have no input
// and stay silent.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/membrane.hpp"

namespace tessera {

struct DenseStep {
  const float* before_u = nullptr;       ///< u[t-1] before its reset; zeros in the first step
  const float* before_second = nullptr;  ///< adaptive: a[t-1]; synaptic: i[t-1]
  float* u = nullptr;                    ///< holds I[t], becomes u[t] before its reset
  float* second = nullptr;               ///< becomes a[t] or i[t]; may be before_second
  std::uint8_t* spikes = nullptr;        ///< becomes 0 or 1
  float* float_spikes = nullptr;         ///< the same as floats, when not null
  std::uint32_t* counts = nullptr;       ///< of every neuron, raised by its spike
};

/// Returns how many of the first `neurons` spike or pass the second threshold.
std::uint32_t dense_membrane_step(const Membrane& membrane, const DenseStep& row,
                                  std::uint32_t neurons);

struct DenseFlow {
  const float* ds = nullptr;  ///< d loss / d s[t], what later steps of this neuron add left out
  const float* regulariser = nullptr;    ///< added to ds, when not null
  const float* second = nullptr;         ///< adaptive: a[t]
  const float* before_u = nullptr;       ///< u[t-1] before its reset; read for alpha_sum only
  const float* before_second = nullptr;  ///< a[t-1] or i[t-1]; read for decay_sum only
  float* u = nullptr;                    ///< holds u[t] before its reset, becomes d loss / d I[t]
  float* gu = nullptr;                   ///< d loss / d u, from step t+1 to step t
  float* gsecond = nullptr;              ///< d loss / d a or d i, from step t+1 to step t
  float* bias_sum = nullptr;             ///< += d loss / d I[t], when not null
  float* alpha_sum = nullptr;            ///< += d loss / d alpha, when not null
  float* decay_sum = nullptr;  ///< += d loss / d rho or d kappa, when there is one and not null
};

void dense_membrane_back(const Membrane& membrane, const DenseFlow& row, std::uint32_t neurons);

/// u[t] = alpha u[t-1] + I[t] / C of a readout; `u` holds I[t].
void dense_readout_step(const float* alpha, float inverse_capacitance, const float* before_u,
                        float* u, std::uint32_t neurons);
/// `ds` is d loss / d u[t]; of the rest `before_u`, `u`, `gu`, `bias_sum` and `alpha_sum` are used.
void dense_readout_back(const float* alpha, float inverse_capacitance, const DenseFlow& row,
                        std::uint32_t neurons);

/// floats[k] = bytes[k] for `n` bytes, a multiple of 16.
void expand_spikes(const std::uint8_t* bytes, std::size_t n, float* floats);

}  // namespace tessera
