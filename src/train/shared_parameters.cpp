// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "train/shared_parameters.hpp"

#include <algorithm>
#include <cstring>
#include <span>

namespace tessera::training {
namespace {

[[noreturn]] void refuse() { throw RunError("The ranks do not train the same network."); }

// Calls visit(element of the tensor, k) for the k-th value that a rank has sent.
template <class Visit>
void each_sent(const ParameterArray& array, const std::uint64_t* tiles, std::span<const std::byte> elements,
               const Visit& visit) {
  std::size_t k = 0;
  const ArrayLayout& own = array.layout;
  if (own.width > 0) {
    ArrayLayout::some_tiles(own.rows, own.columns, own.width, tiles[0], tiles[1])
        .each(array.elements, [&](std::size_t i, std::size_t) { visit(i, k++); });
    return;
  }
  for (; k < elements.size() / sizeof(std::uint32_t); ++k) {
    std::uint32_t element = 0;
    std::memcpy(&element, elements.data() + k * sizeof element, sizeof element);
    if (element >= array.elements) refuse();
    visit(element, k);
  }
}

}  // namespace

// Pieces of shared arrays follow each other in the order of the ranks, which is that of the tiles.
std::vector<Updater::ArraySquares> SharedParameters::all_squares(const Updater& updater,
                                                                 const std::vector<ParameterArray*>& arrays) const {
  std::vector<Updater::ArraySquares> all = updater.array_squares();
  if (ranks_.alone()) return all;
  for (Updater::ArraySquares& array : all) {
    const auto found = std::find_if(arrays.begin(), arrays.end(),
                                    [&](const ParameterArray* a) { return a->name == array.name; });
    if ((*found)->layout.partial()) array.pieces = ranks_.all_of(array.pieces);
  }
  return all;
}

void SharedParameters::update(Worker& worker, Updater& updater, const std::vector<ParameterArray*>& arrays,
                              double rate_factor) {
  const std::size_t pieces = updater.pieces().size();
  worker.each(pieces, [&](std::size_t k) {
    updater.penalise(k);
    if (updater.clips()) updater.measure(k);
  });
  worker.on_caller([&] {
    ranks_.enter("training: update");
    if (updater.clips()) {
      updater.begin_step(all_squares(updater, arrays));
    } else {
      updater.begin_step();
    }
  });
  worker.each(pieces, [&](std::size_t k) { updater.update_piece(k, rate_factor); });
}

Tensor SharedParameters::gather(const ParameterArray& array, AlignedArray<float> ParameterArray::* which,
                                const std::string& suffix) const {
  if (ranks_.alone() || !array.layout.partial()) return array.tensor(array.*which, suffix);
  ranks_.enter("training: collecting parameters");
  const ArrayLayout& own = array.layout;
  const std::uint64_t tiles[2] = {own.first_tile, own.first_tile + own.bounds.size() - 1};
  std::vector<float> values;
  own.each(array.elements, [&](std::size_t, std::size_t at) { values.push_back((array.*which)[at]); });
  Gathered ranges, elements, sent;
  ranks_.gather(std::as_bytes(std::span(tiles)), ranges);
  ranks_.gather(std::as_bytes(std::span(own.element)), elements);
  ranks_.gather(std::as_bytes(std::span(values)), sent);
  if (!ranks_.first()) return {array.name + suffix, array.shape, {}};
  Tensor tensor{array.name + suffix, array.shape, std::vector<float>(array.elements)};
  std::size_t found = 0;
  for (int r = 0; r < ranks_.size(); ++r) {
    const std::span<const std::byte> bytes = sent.of(r);
    std::uint64_t of_rank[2] = {};
    if (ranges.of(r).size() != sizeof of_rank) refuse();
    std::memcpy(of_rank, ranges.of(r).data(), sizeof of_rank);
    each_sent(array, of_rank, elements.of(r), [&](std::size_t i, std::size_t k) {
      if ((k + 1) * sizeof(float) > bytes.size()) refuse();
      std::memcpy(&tensor.values[i], bytes.data() + k * sizeof(float), sizeof(float));
      ++found;
    });
  }
  if (found != array.elements) refuse();
  return tensor;
}

void SharedParameters::spread(const Tensor* on_first, ParameterArray& array) const {
  ranks_.enter("training: spreading parameters");
  std::vector<std::byte> bytes;
  if (on_first != nullptr) {
    const auto values = std::as_bytes(std::span(on_first->values));
    bytes.assign(values.begin(), values.end());
  }
  if (!ranks_.alone()) ranks_.communicator()->broadcast(bytes, 0);
  if (bytes.size() != array.elements * sizeof(float)) refuse();
  array.layout.each(array.elements, [&](std::size_t i, std::size_t at) {
    std::memcpy(&array.value[at], bytes.data() + i * sizeof(float), sizeof(float));
  });
}

}  // namespace tessera::training
