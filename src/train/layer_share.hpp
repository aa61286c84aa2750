// Which tiles of a layer a rank owns when the tiles are dealt out to ranks. The tiles of a layer make parts: what
// flows back to a source is summed over the tiles of each part in order, then over the parts, and a part is
// never divided. How many parts there are depends on the tiles and on `slices` alone. So the sums have the same bits
// on any number of ranks, and where ranks share samples instead.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

namespace tessera::training {

struct LayerShare {
  std::uint32_t tiles = 0;
  std::uint32_t parts = 1;  ///< of the tiles; 1 .. tiles
  int rank = 0, ranks = 1;
  bool divided = false;  ///< arrays are kept tile by tile, and hold those of the rank only

  /// Parts enough for as many ranks as there may be, and else few, which take little memory; of a handful of tiles
  /// every one is a part, so that threads have even shares.
  static std::uint32_t parts_for(std::uint32_t tiles, std::uint32_t slices) {
    return std::min(tiles, std::max(slices, tiles <= 6 ? 6u : 4u));
  }
  /// Everything on one rank.
  static LayerShare whole(std::uint32_t tiles, std::uint32_t slices) { return {tiles, parts_for(tiles, slices), 0, 1, false}; }
  static LayerShare of_rank(std::uint32_t tiles, std::uint32_t slices, int rank, int ranks) {
    return {tiles, parts_for(tiles, slices), rank, ranks, true};
  }

  [[nodiscard]] std::uint32_t part_of(std::uint32_t tile) const {
    return static_cast<std::uint32_t>(std::uint64_t{tile} * parts / tiles);
  }
  [[nodiscard]] std::uint32_t first_tile(std::uint32_t part) const {
    return static_cast<std::uint32_t>((std::uint64_t{part} * tiles + parts - 1) / parts);
  }
  /// The first part of a rank; those of rank r end where those of r + 1 begin. With fewer parts than ranks some
  /// ranks have none.
  [[nodiscard]] std::uint32_t first_part(int of_rank) const {
    return static_cast<std::uint32_t>(static_cast<std::uint64_t>(of_rank) * parts / static_cast<std::uint64_t>(ranks));
  }
  [[nodiscard]] std::uint32_t first_tile_of(int of_rank) const { return first_tile(first_part(of_rank)); }

  [[nodiscard]] std::uint32_t own_parts() const { return first_part(rank + 1) - first_part(rank); }
  [[nodiscard]] std::uint32_t begin() const { return first_tile_of(rank); }  ///< own tiles
  [[nodiscard]] std::uint32_t end() const { return first_tile_of(rank + 1); }
  [[nodiscard]] std::uint32_t own_tiles() const { return end() - begin(); }
  [[nodiscard]] bool owns(std::uint32_t tile) const { return tile >= begin() && tile < end(); }
};

/// How layers are dealt out to the ranks of a training.
struct ShareRule {
  std::uint32_t slices = 1;
  bool divides = false;  ///< else every rank has all of a layer
  int rank = 0, ranks = 1;
  [[nodiscard]] LayerShare of(std::uint32_t tiles) const {
    return divides ? LayerShare::of_rank(tiles, slices, rank, ranks) : LayerShare::whole(tiles, slices);
  }
};

}  // namespace tessera::training
