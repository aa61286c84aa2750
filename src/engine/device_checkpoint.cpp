// Checkpoints of a device are those of the processor: chunks with the processor's rings, and the spikes of the last
// steps. What these spikes bring is drawn again on the host, into the tiles' rings or, when a run goes on, into the
// device's, which hold all that is in flight. A few steps of deliveries; nothing is kept for them while time passes.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>

#include "base/aligned_array.hpp"
#include "connectivity/in_flight.hpp"
#include "engine/device_loop.hpp"

namespace tessera {
namespace {

/// What spikes in flight bring to a tile.
class Replay {
 public:
  Replay(const TileContext& context, const TileLayout& layout)
      : context_(&context), shape_(context.wiring->ring_shape()),
        rows_(make_procedural_rows({context.wiring, context.units, &layout, context.exchange_steps}, false)),
        ring_(std::size_t{shape_.steps()} * shape_.slots()) {}

  void receive(std::int64_t step, const std::vector<std::uint32_t>& spikes) {
    const std::span<const std::uint32_t> list(spikes);
    rows_->receive(step, {&list, 1});
  }
  void receive_again(std::int64_t step, std::int64_t now, const std::vector<std::uint32_t>& spikes) {
    const std::span<const std::uint32_t> list(spikes);
    rows_->receive_again(step, now, {&list, 1});
  }
  void deliver(std::int64_t step) { rows_->deliver(step, ring_.data()); }
  /// The input of a step, [input slot].
  [[nodiscard]] std::int32_t* input(std::int64_t step) {
    return ring_.data() + static_cast<std::size_t>(step % shape_.steps()) * shape_.slots();
  }
  void clear(std::int64_t step) { std::fill_n(input(step), shape_.slots(), 0); }

  /// The ring of a chunk into the bytes that its tile saves (Tile::save_chunk), or from there.
  void write_ring(const BlockLayout& at, std::vector<std::uint8_t>& bytes) {
    each_part(at, [&](std::int32_t* slots, std::size_t place, std::size_t n) { std::memcpy(bytes.data() + place, slots, n); });
  }
  void read_ring(const BlockLayout& at, const std::vector<std::uint8_t>& bytes) {
    each_part(at, [&](std::int32_t* slots, std::size_t place, std::size_t n) { std::memcpy(slots, bytes.data() + place, n); });
  }

 private:
  template <class Visit>
  void each_part(const BlockLayout& at, const Visit& visit) {
    const Chunk& chunk = context_->wiring->chunks()[at.chunk];
    const NeuronVariant& variant = context_->kernels[chunk.population].variant;
    std::size_t place = chunk.size * (variant.states.size() * sizeof(float) + sizeof(std::uint16_t));
    const std::size_t n = chunk.size * sizeof(std::int32_t);
    for (std::uint32_t t = 0; t < shape_.steps(); ++t) {
      visit(input(t) + at.positive_slot, place, n);
      place += n;
      if (variant.ports != 2) continue;
      visit(input(t) + at.negative_slot, place, n);
      place += n;
    }
  }

  const TileContext* context_;
  RingShape shape_;
  std::unique_ptr<RowStore> rows_;
  AlignedArray<std::int32_t> ring_;
};

/// What rows are drawn from, while this lives: tables of rows that are written down were released.
class Prepared {
 public:
  Prepared(Wiring& wiring, const TileContext& context) : wiring_(&wiring), context_(&context) {
    for (std::uint32_t c = 0; c < wiring.chunks().size(); ++c) wiring.prepare_chunk(c);
  }
  ~Prepared() {
    for (const Bundle& bundle : wiring_->bundles()) {
      if (context_->writes_down(bundle) || context_->units->corrected_by_group(bundle)) wiring_->release_exceptions(bundle);
    }
  }
  Prepared(const Prepared&) = delete;
  Prepared& operator=(const Prepared&) = delete;

 private:
  Wiring* wiring_;
  const TileContext* context_;
};

bool has_neurons(const TileContext& context, const BlockLayout& at) {
  const Chunk& chunk = context.wiring->chunks()[at.chunk];
  return context.wiring->network().populations[chunk.population].kind == Population::Kind::neurons;
}

}  // namespace

std::vector<std::uint32_t> DeviceLoop::history(std::int64_t step) const {
  const auto stamp = static_cast<std::uint32_t>(step + 1);
  std::vector<std::uint32_t> neurons;
  auto spike = std::lower_bound(recent_.begin(), recent_.end(), stamp, [](const Spike& s, std::uint32_t value) { return s.step < value; });
  for (; spike != recent_.end() && spike->step == stamp; ++spike) neurons.push_back(spike->neuron);
  return neurons;
}

void DeviceLoop::write_tiles(Wiring& wiring, std::int64_t now) {
  read_state();
  if (now == 0) return;
  const Prepared prepared(wiring, *context_);
  const std::int64_t oldest = std::max(kFirstSpikeStep, now - static_cast<std::int64_t>(wiring.max_delay_steps()));
  for (std::size_t t = 0; t < tiles_.size(); ++t) {
    Replay replay(*context_, layouts_[t]);
    for (std::int64_t step = oldest; step < now; ++step) {
      if (step >= 0) {
        replay.deliver(step);
        replay.clear(step);
      }
      replay.receive(step, history(step));
    }
    for (const BlockLayout& at : layouts_[t].blocks) {
      if (!has_neurons(*context_, at)) continue;
      std::vector<std::uint8_t> bytes;
      tiles_[t]->save_chunk(at.chunk, bytes);
      replay.write_ring(at, bytes);
      (void)tiles_[t]->load_chunk(at.chunk, bytes);  // as many bytes as it gave
    }
  }
}

void DeviceLoop::take_over(Wiring& wiring, std::int64_t now, std::span<const std::vector<std::uint32_t>> history) {
  const gpu::Layout& layout = map_.layout();
  const bool drawn = network_.kind == gpu::Rows::drawn;
  const std::size_t width = std::size_t{layout.words} * sizeof(std::uint32_t);
  machine_->download(images_.data(), network_.images, width, width, layout.blocks);
  put_state();
  std::vector<std::int32_t> ring(drawn ? std::size_t{layout.slots} * layout.ring_steps : 0);
  for (std::uint32_t b = 0; !drawn && b < layout.blocks; ++b) {
    std::fill_n(images_.data() + std::size_t{b} * layout.words + layout.ring_at, std::size_t{layout.slots} * layout.ring_steps, 0u);
  }
  const auto put = [&](std::int64_t step, std::uint32_t block, std::uint32_t slot, std::int32_t units) {
    const std::size_t place = static_cast<std::size_t>(step % layout.ring_steps) * layout.slots + slot;
    if (drawn) {
      ring[place] = units;
    } else {
      images_[std::size_t{block} * layout.words + layout.ring_at + place] = static_cast<std::uint32_t>(units);
    }
  };
  const auto put_step = [&](const BlockLayout& at, std::int64_t step, const std::int32_t* input) {
    const Chunk& chunk = wiring.chunks()[at.chunk];
    for (std::uint32_t i = 0; i < chunk.size; ++i) {
      const DeviceMap::Place place = map_.place(chunk.population, chunk.begin + i);
      const gpu::Slice& slice = map_.slice(place.block, chunk.population);
      const std::uint32_t in_slice = place.neuron - slice.begin;
      put(step, place.block, slice.positive + in_slice, input[at.positive_slot + i]);
      put(step, place.block, slice.negative + in_slice, input[at.negative_slot + i]);
    }
  };
  const Prepared prepared(wiring, *context_);
  const std::int64_t oldest = now - static_cast<std::int64_t>(history.size());
  for (std::size_t t = 0; t < tiles_.size(); ++t) {
    Replay replay(*context_, layouts_[t]);
    for (const BlockLayout& at : layouts_[t].blocks) {
      if (!has_neurons(*context_, at)) continue;
      std::vector<std::uint8_t> bytes;
      tiles_[t]->save_chunk(at.chunk, bytes);
      replay.read_ring(at, bytes);
    }
    for (std::size_t k = 0; k < history.size(); ++k) replay.receive_again(oldest + static_cast<std::int64_t>(k), now, history[k]);
    for (std::int64_t step = now; step < now + static_cast<std::int64_t>(wiring.max_delay_steps()); ++step) {
      replay.deliver(step);
      for (const BlockLayout& at : layouts_[t].blocks) {
        if (has_neurons(*context_, at)) put_step(at, step, replay.input(step));
      }
      replay.clear(step);
      replay.receive(step, {});
    }
  }
  upload_images();
  if (drawn) machine_->upload(network_.ring, ring.data(), ring.size() * sizeof ring[0]);
  forget_time(now, history);
}

/// The ring has what all spikes before `now` bring, so that nobody needs to be told of them.
void DeviceLoop::forget_time(std::int64_t now, std::span<const std::vector<std::uint32_t>> history) {
  reset_records(now);
  sources_.restart(now);
  recent_.clear();
  const std::int64_t oldest = now - static_cast<std::int64_t>(history.size());
  for (std::size_t k = 0; k < history.size(); ++k) {
    for (const std::uint32_t id : history[k]) recent_.push_back({static_cast<std::uint32_t>(oldest + static_cast<std::int64_t>(k) + 1), id});
  }
  for (gpu::BlockTotals& totals : totals_) totals.not_finite = ~std::uint64_t{0};
  machine_->upload(network_.totals, totals_.data(), totals_.size() * sizeof(gpu::BlockTotals));
  next_current_change_ = -1;
}

}  // namespace tessera
