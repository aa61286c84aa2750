// How wide the tiles of a layer are.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "tessera/training.hpp"

namespace tessera::training {

/// Neurons of a tile of a layer with so many sources (after pooling) and neurons; a convolution is one tile.
[[nodiscard]] std::uint32_t tile_width(const Layer& layer, std::uint64_t sources, std::uint32_t neurons);

}  // namespace tessera::training
