// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "engine/device_draws.hpp"

#include <algorithm>
#include <cstring>

#include "kernels/cuda/phases.hpp"
#include "tessera/errors.hpp"

namespace tessera {

/// Collects the synapses of rows that tiles have written down.
class DeviceDraws::Writer final : public RowVisitor {
 public:
  Writer(const DeviceDraws& draws, std::span<const std::unique_ptr<Tile>> tiles, std::span<const TileLayout> layouts)
      : shape_(draws.context_->wiring->ring_shape()), slots_in_all_(draws.map_->layout().slots) {
    const TileContext& context = *draws.context_;
    const Network& network = context.wiring->network();
    for (std::size_t t = 0; t < tiles.size(); ++t) {
      const RowStoreInput input{context.wiring, context.units, &layouts[t], context.exchange_steps};
      if (!lands_on(input, [&](const Bundle& b) { return context.writes_down(b); })) continue;
      stores_.push_back(tiles[t]->rows());
      std::vector<std::uint32_t>& slots = slots_.emplace_back(shape_.slots());
      for (const BlockLayout& at : layouts[t].blocks) {
        const Chunk& chunk = context.wiring->chunks()[at.chunk];
        if (network.populations[chunk.population].kind != Population::Kind::neurons) continue;
        const gpu::Slice& slice = draws.map_->slice(0, chunk.population);  // of block 0: it begins with neuron 0
        for (std::uint32_t i = 0; i < chunk.size; ++i) {
          slots[at.positive_slot + i] = slice.positive + chunk.begin + i;
          slots[at.negative_slot + i] = slice.negative + chunk.begin + i;
        }
      }
    }
  }
  /// Counts the synapses of a source or, with `to`, writes them there.
  std::uint64_t visit_all(std::uint32_t source, std::uint32_t* to) {
    to_ = to;
    synapses_ = 0;
    for (tile_ = 0; tile_ < stores_.size(); ++tile_) stores_[tile_]->visit_row(source, *this);
    return synapses_;
  }
  void visit(std::uint32_t group, std::span<const std::uint32_t> packed) override {
    for (const std::uint32_t word : packed) put(group, word & kRingMask, static_cast<std::int32_t>(word) >> kWeightShift);
  }
  void visit(std::uint32_t group, std::span<const WideWord> words) override {
    for (const WideWord& word : words) put(group, word.place, word.weight);
  }

 private:
  void put(std::uint32_t group, std::uint32_t place, std::int32_t weight) {
    ++synapses_;
    if (to_ == nullptr) return;
    const std::uint32_t delay = group * shape_.steps() + (place >> shape_.slot_bits());  // less one
    *to_++ = delay * slots_in_all_ + slots_[tile_][place & (shape_.slots() - 1)];
    *to_++ = static_cast<std::uint32_t>(weight);
  }

  RingShape shape_;
  std::uint32_t slots_in_all_;
  std::vector<RowStore*> stores_;
  std::vector<std::vector<std::uint32_t>> slots_;  ///< [tile][input slot]
  std::size_t tile_ = 0;
  std::uint32_t* to_ = nullptr;
  std::uint64_t synapses_ = 0;
};

void DeviceDraws::copy_rows(std::span<const std::unique_ptr<Tile>> tiles, std::span<const TileLayout> layouts, ThreadTeam& team) {
  std::uint32_t sources = 0;
  for (const Population& population : context_->wiring->network().populations) sources += population.size;
  written_begin_.assign(sources + 1, 0);
  const auto each_source = [&](const auto& visit) {
    team.run([&](int worker) {
      Writer writer(*this, tiles, layouts);
      for (auto s = static_cast<std::uint32_t>(worker); s < sources; s += static_cast<std::uint32_t>(team.size())) visit(writer, s);
    });
  };
  each_source([&](Writer& writer, std::uint32_t s) { written_begin_[s + 1] = writer.visit_all(s, nullptr); });
  for (std::uint32_t s = 0; s < sources; ++s) written_begin_[s + 1] += written_begin_[s];
  written_.resize(2 * written_begin_.back());
  each_source([&](Writer& writer, std::uint32_t s) { (void)writer.visit_all(s, written_.data() + 2 * written_begin_[s]); });
}

DeviceDraws::DeviceDraws(const TileContext& context, std::span<const std::unique_ptr<Tile>> tiles, std::span<const TileLayout> layouts,
                         DeviceMap& map, ThreadTeam& team)
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
    for (Fan& fan : make_fans(*context.wiring, *context.units, layout, [&](const Bundle& b) { return !context.writes_down(b); })) {
      fans[fan.population()].push_back({std::move(fan), &layout});
    }
  }
  std::vector<bool> has_written(populations.size(), false);
  for (const Bundle& b : context.wiring->bundles()) {
    if (context.writes_down(b)) has_written[b.source_population] = true;
  }
  if (std::find(has_written.begin(), has_written.end(), true) != has_written.end()) copy_rows(tiles, layouts, team);
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
    if (has_written[p]) drawn.stride = std::max(drawn.stride, 8u);  // so that there is something to ask memory for
    drawn.written_at = context.first_id[p];
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
        const Population& population = wiring.network().populations[wiring.chunks()[block.chunk].population];
        return population.kind == Population::Kind::neurons &&  // a source has no slots, and begins where the next one does
               (block.positive_slot == first_slot || block.negative_slot == first_slot);
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
  if (!written_begin_.empty()) {
    network.written_begin = put(written_begin_);
    network.written = put(written_);
  }
  if (!context_->wiring->step_tables().empty()) network.step_tables = put(context_->wiring->step_tables());
  network.slot_bits = context_->wiring->ring_shape().slot_bits();
  network.ring = machine.allocate_array<std::int32_t>(std::size_t{map_->layout().slots} * map_->layout().ring_steps);
  network.arrived = machine.allocate_array<std::uint32_t>(1);
}

}  // namespace tessera
