// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "train/tile_width.hpp"

#include <algorithm>

#include "train/parameter_array.hpp"

namespace tessera::training {
namespace {

// A tile's weights should fit the second-level cache: tiles are narrower where sources are many,
// but not so narrow that a visit of a row is not worth it.
constexpr std::uint32_t kDenseTile = 128, kNarrowTile = 64, kTileStep = 32;
constexpr std::size_t kTileBytes = 1500 << 10;
// Sparse rows are short: wider tiles keep them worth a visit.
constexpr std::uint32_t kSparseTile = 512;

}  // namespace

std::uint32_t tile_width(const Layer& layer, std::uint64_t sources, std::uint32_t neurons) {
  const auto whole = [](std::uint32_t n) { return static_cast<std::uint32_t>(padded(n)); };
  if (layer.input.kind == ConnectionKind::convolution) return whole(neurons);
  const bool sparse = layer.input.kind == ConnectionKind::sparse &&
                      (!layer.recurrent || layer.recurrent->kind == ConnectionKind::sparse);
  const std::size_t rows = std::max<std::size_t>(sources, layer.recurrent ? neurons : 0);
  const auto fitting = static_cast<std::uint32_t>(kTileBytes / (sizeof(float) * rows));
  const std::uint32_t dense = std::clamp(fitting / kTileStep * kTileStep, kNarrowTile, kDenseTile);
  const std::uint32_t most = sparse ? kSparseTile : dense;
  const std::uint32_t tiles = (neurons + most - 1) / most;
  return whole((neurons + tiles - 1) / tiles);
}

}  // namespace tessera::training
