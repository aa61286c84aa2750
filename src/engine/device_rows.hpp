// From the packed rows of the host's tiles to the rows of a device (kernels/cuda/layout.hpp).
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

class DeviceRows {
 public:
  /// Looks at the rows of all tiles, which stay as they are.
  DeviceRows(const TileContext& context, std::span<const std::unique_ptr<Tile>> tiles, std::span<const TileLayout> layouts,
             const DeviceMap& map, ThreadTeam& team);

  /// Writes all rows into an array of bytes() on the device.
  void upload(gpu::Machine& machine, std::uint32_t* rows, ThreadTeam& team) const;

  [[nodiscard]] std::uint64_t bytes() const { return std::uint64_t{first_line_.back()} * gpu::kLine * 4; }
  [[nodiscard]] bool wide() const { return wide_; }
  /// Where the row of a source (global id) begins, in lines, and how many words it has; kNoRow: it has no synapse.
  [[nodiscard]] std::uint32_t row(std::uint32_t source) const {
    return words(source) == 0 ? gpu::kNoRow : first_line_[source];
  }
  [[nodiscard]] std::uint32_t words(std::uint32_t source) const {
    return (first_line_[source + 1] - first_line_[source]) * gpu::kLine;
  }

 private:
  class Counter;
  class Writer;
  /// Of a tile's input slot: block and slot there.
  struct Slot {
    std::uint32_t block = 0, slot = 0;
  };

  std::vector<RowStore*> stores_;
  std::vector<std::vector<Slot>> slots_;  ///< [tile][input slot]
  const DeviceMap* map_;
  RingShape shape_;
  bool wide_ = false;
  std::vector<std::uint32_t> first_line_;  ///< [source], and behind the last
};

}  // namespace tessera
