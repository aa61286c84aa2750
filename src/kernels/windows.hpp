// The windows of a convolution: where a source's weights meet the neurons that see it.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace tessera {

/// `filters` weights from `row` on belong to the neurons from `target` on.
struct Window {
  std::uint32_t target;
  std::uint32_t row;
};

/// Rows are padded with zeros to a multiple of 16 weights, `current` and g have room for 16 floats
/// behind their last neuron (it is read; adding a row adds zeros there).
///   current[target + f] += scale * weights[row + f]
void add_windows(const float* weights, std::uint32_t filters, const Window* windows, std::size_t n,
                 float scale, float* current);
/// Returns the sum over windows and filters of weights[row + f] g[target + f].
[[nodiscard]] float window_dots(const float* weights, std::uint32_t filters, const Window* windows,
                                std::size_t n, const float* g);
/// gradient[row + f] += scale * g[target + f] for f < filters.
void window_gradients(float* gradient, std::uint32_t filters, const Window* windows, std::size_t n,
                      float scale, const float* g);

}  // namespace tessera
