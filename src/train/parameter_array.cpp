// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "train/parameter_array.hpp"

#include <utility>

namespace tessera::training {
ArrayLayout ArrayLayout::tiled(std::size_t rows, std::size_t columns, std::size_t width) {
  const std::size_t tiles = (columns + width - 1) / width;
  return {rows, columns, width, {}, tiles * rows * width, {}, false, 0, {}};
}

ArrayLayout ArrayLayout::all_tiles(std::size_t rows, std::size_t columns, std::size_t width) {
  ArrayLayout layout = some_tiles(rows, columns, width, 0, (columns + width - 1) / width);
  layout.some = false;
  return layout;
}

ArrayLayout ArrayLayout::some_tiles(std::size_t rows, std::size_t columns, std::size_t width, std::size_t begin,
                                    std::size_t end) {
  ArrayLayout layout{rows, columns, width, {}, (end - begin) * rows * width, {}, true, begin, {}};
  for (std::size_t tile = begin; tile <= end; ++tile) layout.bounds.push_back((tile - begin) * rows * width);
  return layout;
}

ArrayLayout ArrayLayout::placed(std::vector<std::uint32_t> place) {
  const std::size_t n = place.size();
  return {1, n, n, std::move(place), padded(n), {}, false, 0, {}};
}

ArrayLayout ArrayLayout::flat(std::size_t n) { return {1, n, padded(n), {}, padded(n), {}, false, 0, {}}; }

ParameterArray::ParameterArray(std::string its_name, std::vector<std::uint64_t> its_shape,
                               ArrayLayout its_layout)
    : name(std::move(its_name)),
      shape(std::move(its_shape)),
      layout(std::move(its_layout)),
      value(layout.size),
      gradient(layout.size) {
  elements = 1;
  for (const std::uint64_t extent : shape) elements *= extent;
}

Tensor ParameterArray::tensor(const AlignedArray<float>& array, const std::string& suffix) const {
  Tensor result{name + suffix, shape, std::vector<float>(elements)};
  if (store) {
    store->for_each([&](std::size_t i, std::size_t slot) { result.values[i] = array[slot]; });
    return result;
  }
  layout.each(elements, [&](std::size_t i, std::size_t at) { result.values[i] = array[at]; });
  return result;
}

void ParameterArray::assign(AlignedArray<float>& array, const std::vector<float>& values) const {
  if (store) return store->for_each([&](std::size_t i, std::size_t slot) { array[slot] = values[i]; });
  layout.each(elements, [&](std::size_t i, std::size_t at) { array[at] = values[i]; });
}

}  // namespace tessera::training
