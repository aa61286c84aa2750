// The kernels of kernels/dense_membrane.hpp as their equations read.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/dense_membrane.hpp"

namespace tessera::reference {

std::uint32_t dense_membrane_step(const Membrane& membrane, const DenseStep& row,
                                  std::uint32_t neurons);
void dense_membrane_back(const Membrane& membrane, const DenseFlow& row, std::uint32_t neurons);
void dense_readout_step(const float* alpha, float inverse_capacitance, const float* before_u,
                        float* u, std::uint32_t neurons);
void dense_readout_back(const float* alpha, float inverse_capacitance, const DenseFlow& row,
                        std::uint32_t neurons);
void expand_spikes(const std::uint8_t* bytes, std::size_t n, float* floats);

}  // namespace tessera::reference
