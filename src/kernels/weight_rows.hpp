// Dense weight rows of one tile: adding the rows of spiking sources, and the gradients that flow
// back. Widths are multiples of 16 floats; a row holds the weights from one source to the tile's
// neurons.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace tessera {

/// current[j] += sum over k of weights[ids[k] * width + j], in the order of the list.
void add_rows(const float* weights, std::uint32_t width, const std::uint16_t* ids, std::size_t n,
              float* current);

/// The visits of source rows within a block of time: those of row k are visit[first[k] .. first[k +
/// 1]), indices of rows of g. The first spikes[k] of them are spikes, the others pass gradients
/// only.
struct RowVisits {
  const std::uint32_t* visit = nullptr;
  const std::uint32_t* first = nullptr;
  const std::uint32_t* spikes = nullptr;
  std::uint32_t rows = 0;
};

/// For every row k, with g_v = g[visit[v] * width ...]:
///   dw[k][j] (+)= sum over spikes v of k of g_v[j]
///   ds[v] (+)= sum over j of w[k][j] g_v[j]         for all visits v of k (not when ds is null)
/// What is fresh is overwritten, else added to.
struct Fresh {
  bool dw = false;
  bool ds = false;
};
void row_gradients(const float* w, const float* g, std::uint32_t width, const RowVisits& visits,
                   Fresh fresh, float* dw, float* ds);

/// ds[k] += sum over j of weights[ids[k] * width + j] g[j]: what n sources get back from one row of
/// g. The bits of a sum do not depend on its place in the list.
void back_project(const float* weights, std::uint32_t width, const std::uint16_t* ids,
                  std::size_t n, const float* g, float* ds);

}  // namespace tessera
