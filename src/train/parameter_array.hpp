// One trainable array in the layout of the engine that uses it, with gradient and optimiser state,
// and its way from and to the layout that users see (Tensor).
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/aligned_array.hpp"
#include "tessera/training.hpp"
#include "train/synapse_store.hpp"

namespace tessera::training {

/// Arrays of neurons and weights are padded to whole vectors of every instruction set.
[[nodiscard]] constexpr std::size_t padded(std::size_t n) { return (n + 15) / 16 * 16; }

/// Where element i of the tensor lies: a matrix [rows][columns] cut into tiles of `width` columns,
/// each [rows][width] and padded with zeros; or an explicit place for every element; or the same
/// place.
struct ArrayLayout {
  std::size_t rows = 1;
  std::size_t columns = 0;
  std::size_t width = 0;
  std::vector<std::uint32_t> place;  ///< when not empty: place[i]
  std::size_t size = 0;              ///< floats, with padding

  static ArrayLayout tiled(std::size_t rows, std::size_t columns, std::size_t width);
  static ArrayLayout placed(std::vector<std::uint32_t> place);
  static ArrayLayout flat(std::size_t n);  ///< padded to a multiple of 16

  [[nodiscard]] std::size_t of(std::size_t i) const {
    if (!place.empty()) return place[i];
    if (width >= columns) return i / columns * width + i % columns;
    const std::size_t column = i % columns;
    return (column / width * rows + i / columns) * width + column % width;
  }
};

struct ParameterArray {
  ParameterArray(std::string name, std::vector<std::uint64_t> shape, ArrayLayout layout);

  std::string name;
  std::vector<std::uint64_t> shape;
  ArrayLayout layout;
  std::size_t elements = 0;  ///< of the tensor
  bool decays = false;       ///< weight decay applies
  bool trainable = true;
  AlignedArray<float> value;
  AlignedArray<float> gradient;
  AlignedArray<float> first;   ///< optimiser: mean gradient, or velocity
  AlignedArray<float> second;  ///< optimiser: mean squared gradient
  /// Of a connection that rewires: which synapse lies where. The tensor is in the order of its for_each().
  std::unique_ptr<SynapseStore> store;

  [[nodiscard]] Tensor tensor(const AlignedArray<float>& array, const std::string& suffix) const;
  void assign(AlignedArray<float>& array, const std::vector<float>& values) const;
};

}  // namespace tessera::training
