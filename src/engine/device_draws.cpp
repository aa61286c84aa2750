// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "engine/device_draws.hpp"

#include <algorithm>
#include <cstring>

#include "kernels/cuda/phases.hpp"
#include "tessera/errors.hpp"

namespace tessera {

DeviceDraws::DeviceDraws(const TileContext& context, std::span<const TileLayout> layouts, DeviceMap& map, ThreadTeam& team)
    : context_(&context), map_(&map) {
  static_assert(gpu::kSynapsePurpose == static_cast<std::uint32_t>(Purpose::synapse));
  const std::vector<Population>& populations = context.wiring->network().populations;
  // The fans of a population into all tiles: their entries lie side by side in the record of a source.
  struct TileFan {
    Fan fan;
    const TileLayout* layout;
  };
  std::vector<std::vector<TileFan>> fans(populations.size());
  for (const TileLayout& layout : layouts) {
    for (Fan& fan : make_fans(*context.wiring, *context.units, layout, [](const Bundle&) { return true; })) {
      if (fan.listed().size() > 0) {
        throw InputError("Projection '" + context.wiring->projection(fan.listed().bundle(0)).name +
                         "' is drawn row by row, which a GPU cannot do; use --connectivity stored.");
      }
      const std::uint32_t p = fan.population();
      fans[p].push_back({std::move(fan), &layout});
    }
  }
  std::uint64_t counts = 0;
  for (std::uint32_t p = 0; p < populations.size(); ++p) {
    if (populations[p].size >> gpu::kSourceBits != 0 || p >= 255) {
      throw InputError("Rows are drawn on a GPU for at most 255 populations of at most 16,777,215 neurons.");
    }
    gpu::DrawnPopulation drawn;
    drawn.counts_at = counts;
    drawn.entries_at = static_cast<std::uint32_t>(entries_.size());
    for (const TileFan& part : fans[p]) add_fan(part.fan, *part.layout);
    drawn.entries = static_cast<std::uint32_t>(entries_.size()) - drawn.entries_at;
    drawn.stride = (drawn.entries + 7) / 8 * 8;
    entries_per_block_ = std::max(entries_per_block_, (drawn.entries + map.layout().blocks - 1) / map.layout().blocks);
    populations_.push_back(drawn);
    counts += std::uint64_t{drawn.stride} * populations[p].size;
  }
  map.make_room_for_draws(static_cast<std::uint32_t>(entries_.size()), static_cast<std::uint32_t>(context.units->tables.size()));
  counts_.resize(counts);
  for (std::uint32_t p = 0; p < populations.size(); ++p) {
    team.run([&](int worker) {
      std::vector<std::uint16_t> records;
      const std::uint32_t blocks = (populations[p].size + SourceTree::kBlock - 1) / SourceTree::kBlock;
      std::size_t column = 0;
      for (const auto& [fan, layout] : fans[p]) {
        records.resize(SourceTree::kBlock * fan.record_size() + kBundlePadding);
        for (auto b = static_cast<std::uint32_t>(worker); b < blocks; b += static_cast<std::uint32_t>(team.size())) {
          fan.count_block(b, records.data());
          const std::uint32_t first = b * SourceTree::kBlock, last = std::min(first + SourceTree::kBlock, fan.sources());
          for (std::uint32_t s = first; s < last; ++s) {
            std::copy_n(records.data() + (s - first) * fan.record_size(), fan.record_size(),
                        counts_.data() + populations_[p].counts_at + std::size_t{s} * populations_[p].stride + column);
          }
        }
        column += fan.record_size();
      }
    });
  }
}

void DeviceDraws::add_fan(const Fan& fan, const TileLayout& layout) {
  const Wiring& wiring = *context_->wiring;
  const DrawStreams streams = fan.streams();
  for (std::uint32_t g = fan.first_group(); g < fan.first_group() + fan.groups(); ++g) {
    for (std::size_t b = 0; b < fan.uniform_bundles(); ++b) {
      const std::uint32_t first_slot = streams.place[b] & 0xffff;
      const auto at = std::find_if(layout.blocks.begin(), layout.blocks.end(), [&](const BlockLayout& block) {
        return block.positive_slot == first_slot || block.negative_slot == first_slot;
      });
      const Chunk& chunk = wiring.chunks()[at->chunk];
      const gpu::Slice& slice = map_->slice(0, chunk.population);  // of block 0: it begins with neuron 0
      gpu::DrawnEntry entry;
      entry.stream = streams.stream[b] & ((1u << kTableShift) - 1);
      entry.first_weight = (streams.stream[b] >> kTableShift) * WeightTable::kSize;
      entry.size = streams.place[b] >> 16;
      entry.slot = (first_slot == at->positive_slot ? slice.positive : slice.negative) + chunk.begin;
      entry.group = g << 20;
      entry.delay = g * wiring.ring_shape().steps();
      entry.steps = fan.steps(g)[b];
      entries_.push_back(entry);
    }
  }
}

std::uint64_t DeviceDraws::bytes() const {
  return counts_.size() * sizeof(std::uint16_t) +
         std::uint64_t{map_->layout().slots} * map_->layout().ring_steps * sizeof(std::int32_t);
}

void DeviceDraws::write(std::uint32_t* image) const {
  const gpu::Layout& layout = map_->layout();
  const std::vector<std::int32_t>& weights = context_->units->tables;
  std::memcpy(image + layout.populations_at, populations_.data(), populations_.size() * sizeof(gpu::DrawnPopulation));
  std::memcpy(image + layout.entries_at, entries_.data(), entries_.size() * sizeof(gpu::DrawnEntry));
  std::memcpy(image + layout.weights_at, weights.data(), weights.size() * sizeof(std::int32_t));
}

void DeviceDraws::upload(gpu::Machine& machine, gpu::Network& network) const {
  const auto put = [&machine](const auto& values) {
    using Value = typename std::decay_t<decltype(values)>::value_type;
    auto* there = machine.allocate_array<Value>(values.size());
    if (!values.empty()) machine.upload(there, values.data(), values.size() * sizeof(Value));
    return there;
  };
  network.kind = gpu::Rows::drawn;
  network.counts = put(counts_);
  network.entries_per_block = entries_per_block_;
  if (!context_->wiring->step_tables().empty()) network.step_tables = put(context_->wiring->step_tables());
  network.slot_bits = context_->wiring->ring_shape().slot_bits();
  network.ring = machine.allocate_array<std::int32_t>(std::size_t{map_->layout().slots} * map_->layout().ring_steps);
  network.arrived = machine.allocate_array<std::uint32_t>(1);
}

}  // namespace tessera
