// What a device draws rows from: tables of bundles and delay groups, and how many synapses each source has
// in each.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/thread_team.hpp"
#include "engine/device_map.hpp"
#include "kernels/cuda/machine.hpp"

namespace tessera {

class DeviceDraws {
 public:
  /// Projections that the context stores are not drawn: their rows are copied from the tiles. Throws InputError where a
  /// device cannot number the sources.
  DeviceDraws(const TileContext& context, std::span<const std::unique_ptr<Tile>> tiles, std::span<const TileLayout> layouts,
              DeviceMap& map, ThreadTeam& team);

  /// Writes what a block looks up into its image.
  void write(std::uint32_t* image) const;
  /// Allocates and fills what launches look at, but for images.
  void upload(gpu::Machine& machine, gpu::Network& network) const;

  /// Of rows that are written down.
  [[nodiscard]] std::uint64_t written_bytes() const {
    return written_.size() * sizeof(std::uint32_t) + written_begin_.size() * sizeof(std::uint64_t);
  }
  /// Of the counts.
  [[nodiscard]] std::uint64_t bytes() const { return counts_.size() * sizeof(std::uint16_t); }
  /// The name that blocks know a row by; kNoRow: its population has no synapses.
  [[nodiscard]] std::uint32_t row(std::uint32_t population, std::uint32_t source) const {
    return populations_[population].stride == 0 ? gpu::kNoRow : population << gpu::kSourceBits | source;
  }

 private:
  class Writer;
  void add_fan(const Fan& fan, const TileLayout& layout);
  void copy_rows(std::span<const std::unique_ptr<Tile>> tiles, std::span<const TileLayout> layouts, ThreadTeam& team);

  const TileContext* context_;
  const DeviceMap* map_;
  std::vector<gpu::DrawnPopulation> populations_;
  std::vector<gpu::DrawnEntry> entries_;
  std::vector<std::uint16_t> counts_;
  std::vector<std::uint64_t> written_begin_;  ///< [global id], and behind the last; empty: nothing is written down
  std::vector<std::uint32_t> written_;
  std::uint32_t entries_per_block_ = 0;
};

}  // namespace tessera
