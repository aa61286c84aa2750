// One trainable array in the layout of the engine that uses it, with gradient and optimiser state,
// and its way from and to the layout that users see (Tensor).
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
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
/// place. An array may hold some of the tiles only, in their order.
struct ArrayLayout {
  static constexpr std::size_t kElsewhere = ~std::size_t{0};
  std::size_t rows = 1;
  std::size_t columns = 0;
  std::size_t width = 0;
  std::vector<std::uint32_t> place;  ///< when not empty: place[i]
  std::size_t size = 0;              ///< floats, with padding
  /// Where each of the tiles begins, and the end; empty: not known. An update does not mix numbers of two tiles.
  std::vector<std::size_t> bounds;
  bool some = false;           ///< the array holds some of the tiles only
  std::size_t first_tile = 0;  ///< of a matrix
  /// Some of a list of elements: places are those of the elements `element`, which rise.
  std::vector<std::uint32_t> element;

  static ArrayLayout tiled(std::size_t rows, std::size_t columns, std::size_t width);
  /// The same with bounds.
  static ArrayLayout all_tiles(std::size_t rows, std::size_t columns, std::size_t width);
  static ArrayLayout placed(std::vector<std::uint32_t> place);
  static ArrayLayout flat(std::size_t n);  ///< padded to a multiple of 16
  /// Tiles begin .. end of a matrix.
  static ArrayLayout some_tiles(std::size_t rows, std::size_t columns, std::size_t width, std::size_t begin,
                                std::size_t end);
  [[nodiscard]] bool partial() const { return some; }

  /// For an array that is not partial.
  [[nodiscard]] std::size_t of(std::size_t i) const {
    if (!place.empty()) return place[i];
    if (width >= columns) return i / columns * width + i % columns;
    const std::size_t column = i % columns;
    return (column / width * rows + i / columns) * width + column % width;
  }
  /// visit(element, place) for every element that the array holds, by ascending element.
  template <class Visit>
  void each(std::size_t elements, const Visit& visit) const;
};

template <class Visit>
void ArrayLayout::each(std::size_t elements, const Visit& visit) const {
  if (!partial()) {
    for (std::size_t i = 0; i < elements; ++i) visit(i, of(i));
    return;
  }
  if (width == 0) {
    for (std::size_t k = 0; k < element.size(); ++k) visit(element[k], place[k]);
    return;
  }
  const std::size_t begin = first_tile * width, end = std::min(columns, begin + (bounds.size() - 1) * width);
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t column = begin; column < end; ++column) {
      const std::size_t tile = column / width - first_tile;
      visit(row * columns + column, (tile * rows + row) * width + column % width);
    }
  }
}

struct ParameterArray {
  ParameterArray(std::string name, std::vector<std::uint64_t> shape, ArrayLayout layout);

  std::string name;
  std::vector<std::uint64_t> shape;
  ArrayLayout layout;
  std::size_t elements = 0;  ///< of the tensor
  bool decays = false;       ///< weight decay applies
  float cubic = 0.0F;        ///< the gradient gets this times w^3, the derivative of a penalty of w^4
  bool trainable = true;
  AlignedArray<float> value;
  AlignedArray<float> gradient;
  AlignedArray<float> first;   ///< optimiser: mean gradient, or velocity
  AlignedArray<float> second;  ///< optimiser: mean squared gradient
  /// Of a connection that rewires: which synapse lies where. The tensor is in the order of its for_each().
  std::unique_ptr<SynapseStore> store;

  /// Elements that the array does not hold are 0.
  [[nodiscard]] Tensor tensor(const AlignedArray<float>& array, const std::string& suffix) const;
  /// From all elements of the tensor.
  void assign(AlignedArray<float>& array, const std::vector<float>& values) const;
};

}  // namespace tessera::training
