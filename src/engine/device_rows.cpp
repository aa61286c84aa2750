// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "engine/device_rows.hpp"

#include <algorithm>
#include <atomic>

#include "tessera/errors.hpp"

namespace tessera {

/// How many synapses a row has, and whether any of them is wide.
class DeviceRows::Counter final : public RowVisitor {
 public:
  void visit(std::uint32_t, std::span<const std::uint32_t> packed) override { synapses += packed.size(); }
  void visit(std::uint32_t, std::span<const WideWord> words) override {
    synapses += words.size();
    wide = wide || !words.empty();
  }
  std::uint64_t synapses = 0;
  bool wide = false;
};

/// Writes one row after the other, each in two passes: how many words every block gets, then the words.
class DeviceRows::Writer final : public RowVisitor {
 public:
  explicit Writer(const DeviceRows& rows) : rows_(&rows), at_(rows.map_->layout().blocks + 1) {}

  void write(std::uint32_t source, std::uint32_t* row) {
    const std::uint32_t blocks = rows_->map_->layout().blocks, per_word = rows_->wide_ ? 2 : 1;
    std::fill(at_.begin(), at_.end(), 0u);
    row_ = nullptr;
    visit_all(source);
    std::uint32_t begin = (blocks + 1 + per_word - 1) / per_word;
    for (std::uint32_t b = 0; b < blocks; ++b) {
      row[b] = begin;
      begin += at_[b];
      at_[b] = row[b];
    }
    row[blocks] = begin;
    row_ = row;
    visit_all(source);
  }

  void visit(std::uint32_t group, std::span<const std::uint32_t> packed) override {
    for (const std::uint32_t word : packed) {
      put(group, word & kRingMask, static_cast<std::int32_t>(word) >> kWeightShift);
    }
  }
  void visit(std::uint32_t group, std::span<const WideWord> words) override {
    for (const WideWord& word : words) put(group, word.place, word.weight);
  }

 private:
  void visit_all(std::uint32_t source) {
    for (tile_ = 0; tile_ < rows_->stores_.size(); ++tile_) rows_->stores_[tile_]->visit_row(source, *this);
  }
  void put(std::uint32_t group, std::uint32_t place, std::int32_t weight) {
    const RingShape shape = rows_->shape_;
    const Slot slot = rows_->slots_[tile_][place & (shape.slots() - 1)];
    if (row_ == nullptr) {
      ++at_[slot.block];
      return;
    }
    const std::uint32_t delay = group * shape.steps() + (place >> shape.slot_bits());  // less one
    const std::uint32_t there = delay * rows_->map_->layout().slots + slot.slot;
    const std::uint32_t at = at_[slot.block]++;
    if (rows_->wide_) {
      row_[2 * std::size_t{at}] = there;
      row_[2 * std::size_t{at} + 1] = static_cast<std::uint32_t>(weight);
    } else {
      row_[at] = there | static_cast<std::uint32_t>(weight) << gpu::kPlaceBits;
    }
  }

  const DeviceRows* rows_;
  std::vector<std::uint32_t> at_;  ///< per block: words, then where the next one goes
  std::uint32_t* row_ = nullptr;
  std::size_t tile_ = 0;
};

DeviceRows::DeviceRows(const TileContext& context, std::span<const std::unique_ptr<Tile>> tiles,
                       std::span<const TileLayout> layouts, const DeviceMap& map, ThreadTeam& team)
    : map_(&map), shape_(context.wiring->ring_shape()) {
  static_assert(gpu::kPlaceBits == kWeightShift);
  const gpu::Layout& layout = map.layout();
  std::uint32_t sources = 0;
  for (const Population& population : context.wiring->network().populations) sources += population.size;
  for (std::size_t t = 0; t < tiles.size(); ++t) {
    stores_.push_back(tiles[t]->rows());
    slots_.emplace_back(shape_.slots());
    for (const BlockLayout& at : layouts[t].blocks) {
      const Chunk& chunk = context.wiring->chunks()[at.chunk];
      if (context.wiring->network().populations[chunk.population].kind != Population::Kind::neurons) continue;
      for (std::uint32_t i = 0; i < chunk.size; ++i) {
        const DeviceMap::Place place = map.place(chunk.population, chunk.begin + i);
        const gpu::Slice& slice = map.slice(place.block, chunk.population);
        const std::uint32_t in_slice = place.neuron - slice.begin;
        slots_[t][at.positive_slot + i] = {place.block, slice.positive + in_slice};
        slots_[t][at.negative_slot + i] = {place.block, slice.negative + in_slice};
      }
    }
  }
  std::vector<std::uint64_t> synapses(sources);
  std::atomic<bool> any_wide{std::uint64_t{layout.slots} * layout.ring_steps > gpu::kMostPlaces};
  team.run([&](int worker) {
    for (auto s = static_cast<std::uint32_t>(worker); s < sources; s += static_cast<std::uint32_t>(team.size())) {
      Counter counter;
      for (const RowStore* store : stores_) store->visit_row(s, counter);
      synapses[s] = counter.synapses;
      if (counter.wide) any_wide = true;
    }
  });
  wide_ = any_wide;
  std::uint64_t line = 0;
  for (std::uint32_t s = 0; s < sources; ++s) {
    first_line_.push_back(static_cast<std::uint32_t>(line));
    if (synapses[s] > 0) {
      const std::uint64_t words = layout.blocks + 2 + synapses[s] * (wide_ ? 2 : 1);
      line += (words + gpu::kLine - 1) / gpu::kLine;
    }
  }
  if (line >= gpu::kNoRow) throw InputError("The rows of this network are longer than a GPU's rows can be numbered.");
  first_line_.push_back(static_cast<std::uint32_t>(line));
}

void DeviceRows::upload(gpu::Machine& machine, std::uint32_t* rows, ThreadTeam& team) const {
  constexpr std::uint32_t kBatch = (1u << 25) / gpu::kLine;  // lines: 128 MB
  const auto sources = static_cast<std::uint32_t>(first_line_.size() - 1);
  std::vector<std::uint32_t> batch;
  for (std::uint32_t begin = 0, end = 0; begin < sources; begin = end) {
    do ++end;
    while (end < sources && first_line_[end + 1] - first_line_[begin] <= kBatch);
    const std::size_t first = std::size_t{first_line_[begin]} * gpu::kLine;
    batch.resize(std::size_t{first_line_[end]} * gpu::kLine - first);
    team.run([&](int worker) {
      Writer writer(*this);
      for (std::uint32_t s = begin + static_cast<std::uint32_t>(worker); s < end; s += static_cast<std::uint32_t>(team.size())) {
        if (words(s) > 0) writer.write(s, batch.data() + std::size_t{first_line_[s]} * gpu::kLine - first);
      }
    });
    if (!batch.empty()) machine.upload(rows + first, batch.data(), batch.size() * sizeof(std::uint32_t));
  }
}

}  // namespace tessera
