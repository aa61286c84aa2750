// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "kernels/reference/dense_membrane.hpp"

#include "kernels/reference/training.hpp"

namespace tessera::reference {
namespace {

// theta, or theta + beta a for a neuron that adapts.
float level_of(const Membrane& m, const float* second, std::uint32_t j) {
  return m.kind == MembraneKind::adaptive ? m.threshold + m.adaptation * second[j] : m.threshold;
}

float after_reset(const Membrane& m, float u, bool spiking) {
  if (!spiking) return u;
  return m.reset_to_zero ? 0.0f : u - m.threshold;
}

}  // namespace

std::uint32_t dense_membrane_step(const Membrane& m, const DenseStep& row, std::uint32_t neurons) {
  std::uint32_t listed = 0;
  for (std::uint32_t j = 0; j < neurons; ++j) {
    const float before = row.before_u[j];
    const bool spiked = before > level_of(m, row.before_second, j);
    float input = row.u[j];
    if (m.kind == MembraneKind::synaptic) {
      input = row.second[j] = m.second[j] * row.before_second[j] + input;
    } else if (m.kind == MembraneKind::adaptive) {
      row.second[j] = m.second[j] * row.before_second[j] + (spiked ? 1.0f : 0.0f);
    }
    const float u = m.alpha[j] * after_reset(m, before, spiked) + input * m.inverse_capacitance;
    const float level = level_of(m, row.second, j);
    const bool spiking = u > level;
    row.u[j] = u;
    row.spikes[j] = spiking ? 1 : 0;
    if (row.float_spikes != nullptr) row.float_spikes[j] = spiking ? 1.0f : 0.0f;
    row.counts[j] += spiking ? 1 : 0;
    listed += spiking || u > m.second_threshold * level ? 1 : 0;
  }
  return listed;
}

void dense_membrane_back(const Membrane& m, const DenseFlow& row, std::uint32_t neurons) {
  const bool adaptive = m.kind == MembraneKind::adaptive;
  for (std::uint32_t j = 0; j < neurons; ++j) {
    const float u = row.u[j], level = level_of(m, row.second, j);
    const bool spiking = u > level, listed = spiking || u > m.second_threshold * level;
    float ds = row.ds[j];
    if (row.regulariser != nullptr) ds += row.regulariser[j];
    if (adaptive) ds += row.gsecond[j];  // a[t+1] = rho a[t] + s[t]
    const float du = listed ? ds * slope_of(m, u - level) : 0.0f;
    if (adaptive) row.gsecond[j] = m.second[j] * row.gsecond[j] - m.adaptation * du;
    const float kept = m.reset_to_zero && spiking ? 0.0f : row.gu[j];
    const float gu = row.gu[j] = m.alpha[j] * kept + du;
    float g = gu * m.inverse_capacitance;
    if (m.kind == MembraneKind::synaptic) g = row.gsecond[j] = m.second[j] * row.gsecond[j] + g;
    if (row.bias_sum != nullptr) row.bias_sum[j] += g;
    if (row.alpha_sum != nullptr) {
      const float before = row.before_u[j];
      row.alpha_sum[j] += gu * after_reset(m, before, before > level_of(m, row.before_second, j));
    }
    if (row.decay_sum != nullptr && m.kind != MembraneKind::lif) {
      row.decay_sum[j] += row.gsecond[j] * row.before_second[j];
    }
    row.u[j] = g;
  }
}

void dense_readout_step(const float* alpha, float inverse_capacitance, const float* before_u,
                        float* u, std::uint32_t neurons) {
  for (std::uint32_t j = 0; j < neurons; ++j)
    u[j] = alpha[j] * before_u[j] + u[j] * inverse_capacitance;
}

void dense_readout_back(const float* alpha, float inverse_capacitance, const DenseFlow& row,
                        std::uint32_t neurons) {
  for (std::uint32_t j = 0; j < neurons; ++j) {
    const float gu = row.gu[j] = alpha[j] * row.gu[j] + row.ds[j];
    const float g = gu * inverse_capacitance;
    if (row.bias_sum != nullptr) row.bias_sum[j] += g;
    if (row.alpha_sum != nullptr) row.alpha_sum[j] += gu * row.before_u[j];
    row.u[j] = g;
  }
}

void expand_spikes(const std::uint8_t* bytes, std::size_t n, float* floats) {
  for (std::size_t k = 0; k < n; ++k) floats[k] = bytes[k];
}

}  // namespace tessera::reference
