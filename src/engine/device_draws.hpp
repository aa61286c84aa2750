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
  /// Throws InputError where a row cannot be drawn on a device.
  DeviceDraws(const TileContext& context, std::span<const TileLayout> layouts, DeviceMap& map, ThreadTeam& team);

  /// Writes what a block looks up into its image.
  void write(std::uint32_t* image) const;
  /// Allocates and fills what launches look at, but for images.
  void upload(gpu::Machine& machine, gpu::Network& network) const;

  [[nodiscard]] std::uint64_t bytes() const;
  /// The name that blocks know a row by; kNoRow: its population has no synapses.
  [[nodiscard]] std::uint32_t row(std::uint32_t population, std::uint32_t source) const {
    return populations_[population].entries == 0 ? gpu::kNoRow : population << gpu::kSourceBits | source;
  }

 private:
  void add_fan(const Fan& fan, const TileLayout& layout);

  const TileContext* context_;
  const DeviceMap* map_;
  std::vector<gpu::DrawnPopulation> populations_;
  std::vector<gpu::DrawnEntry> entries_;
  std::vector<std::uint16_t> counts_;
  std::uint32_t entries_per_block_ = 0;
};

}  // namespace tessera
