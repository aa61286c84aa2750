// Which neurons live on which block of a device. Every block gets an even share of every population, so
// all blocks have the same neurons to advance and, on average, the same rows to add.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/tile.hpp"
#include "kernels/cuda/layout.hpp"

namespace tessera {

class DeviceMap {
 public:
  /// `longest` is the longest delay. `drawn`: rows are drawn, so that blocks add to each other's neurons and
  /// the ring belongs to all. It has one row more then: what a block clears may still be on its way when
  /// others add to the row behind it.
  DeviceMap(const Network& network, const TileContext& context, std::uint32_t blocks, std::uint32_t longest, bool drawn = false);

  struct Place {
    std::uint32_t block = 0;
    std::uint32_t neuron = 0;  ///< of the block
  };
  [[nodiscard]] Place place(std::uint32_t population, std::uint32_t neuron) const {
    const std::uint64_t size = sizes_[population];
    const auto block = static_cast<std::uint32_t>(((neuron + 1ull) * layout_.blocks - 1) / size);
    const auto first = static_cast<std::uint32_t>(size * block / layout_.blocks);
    return {block, slice(block, population).begin + neuron - first};
  }
  [[nodiscard]] const gpu::Slice& slice(std::uint32_t block, std::uint32_t population) const {
    return slices_[std::size_t{block} * layout_.slices + population];
  }
  [[nodiscard]] const gpu::Layout& layout() const { return layout_; }
  /// That of all neurons; none: they differ.
  [[nodiscard]] gpu::Equation common_equation() const;
  /// Images then hold so many entries and weights of drawn rows.
  void make_room_for_draws(std::uint32_t entries, std::uint32_t weights);
  /// Poisson inputs in the order of their populations, and the thresholds of all their tables.
  [[nodiscard]] const std::vector<gpu::PoissonInput>& poisson() const { return poisson_; }
  [[nodiscard]] const std::vector<std::uint32_t>& thresholds() const { return thresholds_; }

 private:
  void add_poisson(const Network& network, const TileContext& context);

  std::vector<std::uint64_t> sizes_;
  std::vector<gpu::PoissonInput> poisson_;
  std::vector<std::uint32_t> thresholds_;
  std::vector<std::uint32_t> poisson_begin_;  ///< [population], and behind the last
  std::vector<gpu::Slice> slices_;  ///< [block][population]
  gpu::Layout layout_;
};

/// The equation of a population's model on a device; none where there is no such.
[[nodiscard]] gpu::Equation device_equation(const Population& population, const NeuronVariant& variant);

/// What keeps a simulation from running on a device, a sentence each; empty: nothing.
[[nodiscard]] std::vector<std::string> device_obstacles(const Network& network, const NeuronCatalogue& models,
                                                        const SimulationOptions& options);

}  // namespace tessera
