// A 2-D convolution of spikes: every spike adds the kernel around its pixel, gradients flow back
// the same way.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "kernels/windows.hpp"
#include "train/parameter_array.hpp"
#include "train/topology.hpp"

namespace tessera::training {

/// Weights [channel][dy][dx][filter], filters padded to a multiple of 16. Currents and g have room
/// for 16 floats behind the last neuron.
class Convolution {
 public:
  Convolution(const Projection& projection, std::string name);

  [[nodiscard]] ParameterArray& array() noexcept { return array_; }
  [[nodiscard]] std::size_t gradient_size() const { return array_.layout.size; }

  /// current[target] += scale * weights, for every spike.
  void add(const std::uint16_t* ids, std::size_t n, float* current) const;
  /// For the entries of one list, the first `spikes` of them spikes: ds[k] = scale * (what flows
  /// back), and gradient += scale * g for spikes. ds may be null.
  void backward(const std::uint16_t* ids, std::size_t spikes, std::size_t n, const float* g,
                float* ds, float* gradient) const;

 private:
  void find_windows();

  Projection projection_;
  std::uint32_t stride_;  ///< filters, padded
  ParameterArray array_;
  std::vector<std::uint32_t> first_;  ///< of a pooled source's windows; sources + 1
  std::vector<Window> windows_;
};

}  // namespace tessera::training
