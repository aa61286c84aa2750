// The training kernels as their definitions read; see kernels/{weight_rows,membrane,update}.hpp.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "kernels/cross_entropy.hpp"
#include "kernels/membrane.hpp"
#include "kernels/tile_run.hpp"
#include "kernels/update.hpp"
#include "kernels/weight_rows.hpp"
#include "kernels/windows.hpp"

namespace tessera::reference {

void add_rows(const float* weights, std::uint32_t width, const std::uint16_t* ids, std::size_t n,
              float* current);
void row_gradients(const float* w, const float* g, std::uint32_t width, const RowVisits& visits,
                   Fresh fresh, float* dw, float* ds);
void back_project(const float* weights, std::uint32_t width, const std::uint16_t* ids,
                  std::size_t n, const float* g, float* ds);

/// ds/du as a function of x = u - threshold (tessera/training.hpp has the table).
inline float slope_of(const Membrane& m, float x) {
  const float bx = m.steepness * x;
  switch (m.slope) {
    case SlopeKind::superspike:
      return 1.0f / ((std::abs(bx) + 1.0f) * (std::abs(bx) + 1.0f));
    case SlopeKind::arctan:
      return 1.0f / (1.0f + bx * bx);
    case SlopeKind::sigmoid: {
      const float q = 1.0f / (1.0f + std::exp(-bx));
      return 4.0f * (q * (1.0f - q));
    }
    case SlopeKind::triangular:
      return std::fmax(0.0f, 1.0f - std::abs(bx));
    case SlopeKind::boxcar:
      return std::abs(bx) < 0.5f ? 1.0f : 0.0f;
  }
  return 0.0f;
}

void membrane_step(const Membrane& membrane, const MembraneState& state, const float* current,
                   std::uint32_t neurons, std::uint32_t first, bool gradients,
                   Candidates& candidates);
void list_candidates(const Membrane& membrane, const Candidates& candidates,
                              const ListEnd& spikes, const ListEnd& others);
void run_tile(const TileRun& run, Candidates& candidates, StepCounts* counts);
void membrane_flow(const float* alpha, std::uint32_t neurons, std::uint32_t steps,
                   const std::uint8_t* resets, float* rows, float* sum);
void membrane_decay(const Membrane& membrane, std::uint32_t neurons, float* gu, float* second);
void membrane_output(const Membrane& membrane, std::uint32_t neurons, const float* gu, float* gi,
                     float* out);
void readout_step(const float* alpha, float inverse_capacitance, const float* current,
                  std::uint32_t neurons, float* u, float* trace);

double cross_entropy_rows(const LogitRows& logits, std::uint32_t label, float scale, float* d,
                          std::uint32_t* votes);

void add_windows(const float* weights, std::uint32_t filters, const Window* windows, std::size_t n,
                 float scale, float* current);
float window_dots(const float* weights, std::uint32_t filters, const Window* windows, std::size_t n,
                  const float* g);
void window_gradients(float* gradient, std::uint32_t filters, const Window* windows, std::size_t n,
                      float scale, const float* g);

void adamw(const AdamwStep& step, std::size_t n, float* w, const float* gradient, float* first,
           float* second);
void sgd(const SgdStep& step, std::size_t n, float* w, const float* gradient, float* velocity);

}  // namespace tessera::reference
