// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "engine/tile.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "connectivity/in_flight.hpp"
#include "kernels/draw_rows.hpp"
#include "network/state_names.hpp"

namespace tessera {
namespace {

/// What both precisions share: blocks, sources, and the ring as [slot of time][input slot].
template <class Real>
class BlockTile : public Tile {
 public:
  using Input = typename InputOf<Real>::type;

  BlockTile(const TileContext& context, const TileLayout& layout, std::uint32_t ring_steps,
            std::size_t ring_stride)
      : dt_ms_(context.wiring->network().dt_ms), ring_steps_(ring_steps), ring_stride_(ring_stride), ring_(ring_steps * ring_stride) {
    const Network& network = context.wiring->network();
    std::uint32_t largest = 1;
    for (const BlockLayout& at : layout.blocks) {
      const Chunk& chunk = context.wiring->chunks()[at.chunk];
      const std::uint32_t first = context.first_id[chunk.population] + chunk.begin;
      largest = std::max(largest, chunk.size);
      if (network.populations[chunk.population].kind != Population::Kind::neurons) {
        sources_.emplace_back(network, chunk, at.chunk, first, context.wiring->key());
        continue;
      }
      if (context.circuit_kernel) {
        add_circuits(context, at, first);
        continue;
      }
      blocks_.emplace_back(network, context.kernels[chunk.population], chunk, at.places, at.chunk, first,
                           context.wiring->key());
      blocks_.back().set_noise(context.noise);
      places_.push_back(at);
      share_input(at, chunk);
    }
    spiked_.resize(largest + kNeuronPadding);
    if (!context.memories.empty()) {
      memories_ = std::make_unique<NeuronMemories>(context.memories, context.wiring->chunks(), layout, context.first_id, network.dt_ms);
    }
    const auto plastic = [&](const Bundle& b) { return is_plastic(*context.wiring, b) && layout.has(b.chunk); };
    const std::vector<Bundle>& bundles = context.wiring->bundles();
    if (std::any_of(bundles.begin(), bundles.end(), plastic)) {
      plastic_ = std::make_unique<PlasticRows<Real>>(
          PlasticRowsInput{context.wiring, context.units, &layout, context.rules, context.structural, context.first_id});
    }
  }

  void update(std::int64_t step, std::vector<std::uint32_t>& spikes) override {
    Input* slot = slot_of(step);
    const std::size_t before = spikes.size();
    for (std::size_t b = 0; b < blocks_.size(); ++b) {
      Input* input[2] = {slot + places_[b].positive_slot, slot + places_[b].negative_slot};
      const std::size_t n = blocks_[b].update(step, input, spiked_.data());
      for (std::size_t i = 0; i < n; ++i) spikes.push_back(blocks_[b].first_id() + spiked_[i]);
    }
    for (const SharedInput& shared : shared_) std::fill_n(slot + shared.slot, shared.size, Input{0});
    if (plastic_) plastic_->spiked(step, std::span(spikes).subspan(before));
    if (memories_) memories_->spiked(step, std::span(spikes).subspan(before));
    for (SpikeSource& source : sources_) source.emit(step, spikes);
  }

  void begin(std::vector<std::uint32_t>& spikes) override {
    for (SpikeSource& source : sources_) source.emit(kFirstSpikeStep, spikes);
  }

  void read_state(std::uint32_t chunk, const std::string& name, std::uint32_t count, double* values) const override {
    for (std::size_t b = 0; b < blocks_.size(); ++b) {
      if (places_[b].chunk != chunk) continue;
      if (name == kRefractoryState) {
        for (std::uint32_t i = 0; i < count; ++i) values[i] = blocks_[b].refractory_steps(i) * dt_ms_;
        return;
      }
      const auto& states = blocks_[b].variant().states;
      const auto state = std::find_if(states.begin(), states.end(), [&](const StateInfo& s) { return s.name == name; });
      if (state == states.end()) return;
      const auto column = static_cast<std::size_t>(state - states.begin());
      const std::uint32_t here = std::min(count, blocks_[b].count());
      for (std::uint32_t i = 0; i < here; ++i) *values++ = blocks_[b].value(column, i);
      count -= here;
    }
  }

  bool write_state(std::uint32_t chunk, const std::string& name, const double* values) override {
    bool known = false;
    for (std::size_t b = 0; b < blocks_.size(); ++b) {
      if (places_[b].chunk != chunk) continue;
      NeuronBlock<Real>& block = blocks_[b];
      const auto& states = block.variant().states;
      const auto state = std::find_if(states.begin(), states.end(), [&](const StateInfo& s) { return s.name == name; });
      known = name == kRefractoryState || state != states.end();
      if (!known) return false;
      for (std::uint32_t i = 0; i < block.count(); ++i) {
        const double value = values[block.place_of(i)];
        if (state == states.end()) {
          block.refractory()[i] = static_cast<std::uint16_t>(nearest_step(value, dt_ms_));
        } else {
          block.set_value(static_cast<std::size_t>(state - states.begin()), i, value);
        }
      }
      block.forget_time();
    }
    return known;
  }
  void renew_inputs(const Network& network) override {
    for (NeuronBlock<Real>& block : blocks_) block.renew_stimuli(network);
    for (SpikeSource& source : sources_) source.set_rate(network.populations[source.chunk().population].rate_hz);
  }

  NotFinite find_not_finite() const override {
    NotFinite first;
    for (const NeuronBlock<Real>& block : blocks_) {
      const auto& found = block.not_finite();
      if (found.step < 0 || (first.step >= 0 && first.step <= found.step)) continue;
      first = {found.step, block.chunk().population, block.chunk().begin + found.neuron, NotFinite::kNoProjection};
    }
    if (!plastic_ || plastic_->not_finite().step < 0) return first;
    const auto& weight = plastic_->not_finite();
    if (first.step >= 0 && first.step <= weight.step) return first;
    return {weight.step, plastic_->source_population(weight.projection), weight.source, weight.projection};
  }

  void read_synapses(std::uint32_t projection, std::int64_t now, const std::vector<std::uint32_t>* sources,
                     const ShowSynapses& show) const override {
    if (plastic_) plastic_->read(projection, now, sources, show);
  }
  void write_weights(std::uint32_t projection, std::int64_t now, std::span<const double> weights) override {
    if (plastic_) plastic_->write(projection, now, weights);
  }

  RewiringCounts rewired(std::uint32_t projection) const override {
    return plastic_ ? plastic_->rewired(projection) : RewiringCounts{};
  }
  double rewiring_seconds() const override { return plastic_ ? plastic_->rewiring_seconds() : 0.0; }
  StructuralRows* structural() override { return plastic_.get(); }
  NeuronMemories* memories() override { return memories_.get(); }

  std::vector<std::uint32_t> chunks() const override {
    std::vector<std::uint32_t> indices;
    for (const BlockLayout& place : places_) indices.push_back(place.chunk);
    return indices;
  }

  std::size_t chunk_bytes(std::uint32_t chunk) const override {
    std::size_t bytes = 0;
    const_cast<BlockTile*>(this)->each_array(chunk, [&](void*, std::size_t n) { bytes += n; });
    return bytes + (plastic_ ? plastic_->chunk_bytes(chunk) : 0);
  }
  void save_chunk(std::uint32_t chunk, std::vector<std::uint8_t>& bytes) const override {
    const_cast<BlockTile*>(this)->each_array(chunk, [&](void* data, std::size_t n) {
      const auto* begin = static_cast<const std::uint8_t*>(data);
      bytes.insert(bytes.end(), begin, begin + n);
    });
    if (plastic_) plastic_->save_chunk(chunk, bytes);
  }
  bool load_chunk(std::uint32_t chunk, std::span<const std::uint8_t> bytes) override {
    std::size_t at = 0;
    each_array(chunk, [&](void* data, std::size_t n) {
      if (at + n <= bytes.size()) std::memcpy(data, bytes.data() + at, n);
      at += n;
    });
    for (NeuronBlock<Real>& block : blocks_) block.forget_time();
    if (at > bytes.size()) return false;
    return plastic_ ? plastic_->load_chunk(chunk, bytes.subspan(at)) : at == bytes.size();
  }

 protected:
  /// Plastic synapses; null where none land here.
  [[nodiscard]] PlasticRows<Real>* plastic() const { return plastic_.get(); }
  [[nodiscard]] RowCounters with_plastic(RowCounters counters) const {
    if (!plastic_) return counters;
    counters.synaptic_events += plastic_->counters().synaptic_events;
    counters.row_visits += plastic_->counters().row_visits;
    return counters;
  }
  Input* ring() { return ring_.data(); }
  /// The input of a step in a ring that goes by steps.
  [[nodiscard]] Input* slot_of(std::int64_t step) {
    return ring_.data() + static_cast<std::size_t>(step % ring_steps_) * ring_stride_;
  }
  [[nodiscard]] std::size_t ring_stride() const { return ring_stride_; }
  [[nodiscard]] std::uint32_t ring_steps() const { return ring_steps_; }

 private:
  /// A block for every neuron of the chunk here, with its own constants.
  void add_circuits(const TileContext& context, const BlockLayout& at, std::uint32_t first) {
    const Chunk& chunk = context.wiring->chunks()[at.chunk];
    for (std::uint32_t i = 0; i < at.count(chunk); ++i) {
      const std::uint32_t place = at.places.empty() ? i : at.places[i];
      blocks_.emplace_back(context.wiring->network(), *context.circuit_kernel(at.chunk, place), chunk, std::vector<std::uint32_t>{place},
                           at.chunk, first, context.wiring->key());
      if (i > 0) blocks_.back().leave_poisson_to_others();
      blocks_.back().set_noise(context.noise);
      places_.push_back({at.chunk, at.positive_slot, at.negative_slot, {place}});
    }
    share_input(at, chunk);
  }
  /// Rows that are drawn when they are due bring input to all of a chunk; what nobody takes is cleared.
  void share_input(const BlockLayout& at, const Chunk& chunk) {
    if (at.places.empty()) return;
    const auto size = static_cast<std::uint32_t>((chunk.size + kNeuronPadding - 1) / kNeuronPadding * kNeuronPadding);
    shared_.push_back({at.positive_slot, size});
    if (at.negative_slot != at.positive_slot) shared_.push_back({at.negative_slot, size});
  }

  /// All that changes in a chunk while a simulation runs, array by array.
  template <class Visit>
  void each_array(std::uint32_t chunk, const Visit& visit) {
    for (std::size_t b = 0; b < blocks_.size(); ++b) {
      if (places_[b].chunk != chunk) continue;
      const std::size_t n = blocks_[b].count();
      for (AlignedArray<Real>& column : blocks_[b].columns()) visit(column.data(), n * sizeof(Real));
      visit(blocks_[b].refractory().data(), n * sizeof(std::uint16_t));
      for (std::uint32_t t = 0; t < ring_steps_; ++t) {
        Input* slot = ring_.data() + t * ring_stride_;
        visit(slot + places_[b].positive_slot, blocks_[b].chunk().size * sizeof(Input));
        if (blocks_[b].ports() == 2) visit(slot + places_[b].negative_slot, blocks_[b].chunk().size * sizeof(Input));
      }
    }
    if (memories_) memories_->each_array(chunk, visit);
  }

  std::vector<NeuronBlock<Real>> blocks_;
  std::vector<BlockLayout> places_;
  struct SharedInput {  ///< slots of chunks of which only some neurons live here
    std::uint32_t slot, size;
  };
  std::vector<SharedInput> shared_;
  std::vector<SpikeSource> sources_;
  double dt_ms_;
  std::uint32_t ring_steps_;
  std::size_t ring_stride_;
  AlignedArray<Input> ring_;
  std::vector<std::uint32_t> spiked_;
  std::unique_ptr<PlasticRows<Real>> plastic_;
  std::unique_ptr<NeuronMemories> memories_;
};

class FastTile final : public BlockTile<float> {
 public:
  FastTile(const TileContext& context, const TileLayout& layout)
      : BlockTile(context, layout, context.wiring->ring_shape().steps(), context.wiring->ring_shape().slots()) {
    const RowStoreInput input{context.wiring, context.units, &layout, context.exchange_steps};
    rows_ = context.connectivity == Connectivity::stored ? make_stored_rows(input)
            : context.stored.empty()                     ? make_procedural_rows(input, context.count_table)
                                                         : make_mixed_rows(input, context.count_table, context.stored);
  }
  void receive(std::int64_t step, SpikeLists spikes) override {
    rows_->receive(step, spikes);
    if (plastic()) plastic()->receive(step, spikes);
  }
  void receive_more(std::int64_t step, SpikeLists spikes) override {
    rows_->receive_more(step, spikes);
    if (plastic()) plastic()->receive(step, spikes);
  }
  void receive_again(std::int64_t step, std::int64_t now, SpikeLists spikes) override {
    rows_->receive_again(step, now, spikes);
    if (plastic()) plastic()->receive_again(step, now, spikes);
  }
  void deliver(std::int64_t step) override {
    rows_->deliver(step, ring());
    if (plastic()) plastic()->deliver(step, ring());
  }
  bool reaches(std::uint32_t source) const override {
    return rows_->reaches(source) || (plastic() && plastic()->reaches(source));
  }
  RowStore* rows() override { return rows_.get(); }
  RowCounters counters() const override { return with_plastic(rows_->counters()); }
  std::uint64_t synapses() const override { return rows_->synapses() + (plastic() ? plastic()->synapses() : 0); }
  std::uint64_t synapse_bytes() const override { return rows_->bytes() + (plastic() ? plastic()->bytes() : 0); }

 private:
  std::unique_ptr<RowStore> rows_;
};

/// Rows of (slot, delay, float64 weight), delivered as soon as they arrive into a ring as long as the
/// longest delay. Spikes are taken in ascending order of their source, so sums do not depend on tiles.
class ExactTile final : public BlockTile<double> {
 public:
  ExactTile(const TileContext& context, const TileLayout& layout)
      : BlockTile(context, layout,
                  std::bit_ceil(context.wiring->max_delay_steps() + context.exchange_steps + 1),
                  std::max<std::size_t>(layout.slots, kNeuronPadding)) {
    const Wiring& wiring = *context.wiring;
    std::vector<std::pair<const Bundle*, const BlockLayout*>> bundles;  // of the tile, by their sources' population
    double expected = 0.0;
    for (const Bundle& b : wiring.bundles()) {
      for (const BlockLayout& block : layout.blocks) {
        if (block.chunk == b.chunk && !is_plastic(wiring, b)) bundles.emplace_back(&b, &block);
      }
    }
    std::stable_sort(bundles.begin(), bundles.end(), [](const auto& a, const auto& b) {
      return a.first->source_population < b.first->source_population;
    });
    for (const auto& [bundle, block] : bundles) expected += wiring.expected_synapses_of(*bundle);
    synapses_.reserve(static_cast<std::size_t>(expected + 8.0 * std::sqrt(expected)));
    for (std::size_t begin = 0, end = 0; begin < bundles.size(); begin = end) {
      const std::uint32_t p = bundles[begin].first->source_population;
      while (end < bundles.size() && bundles[end].first->source_population == p) ++end;
      write_rows(wiring, std::span(bundles).subspan(begin, end - begin), context.first_id[p]);
    }
    row_begin_.push_back(synapses_.size());
  }

  void receive(std::int64_t step, SpikeLists lists) override {
    if (plastic()) plastic()->receive(step, lists);
    arrived_.clear();
    for (const auto spikes : lists) arrived_.insert(arrived_.end(), spikes.begin(), spikes.end());
    std::sort(arrived_.begin(), arrived_.end());
    std::size_t row = 0;
    for (const std::uint32_t source : arrived_) {
      row = row_of(source, row);
      if (row == sources_.size()) break;
      if (sources_[row] != source) continue;
      for (std::size_t k = row_begin_[row]; k < row_begin_[row + 1]; ++k) {
        const WideSynapse& s = synapses_[k];
        const auto slot = static_cast<std::size_t>((step + s.delay) & (ring_steps() - 1));
        ring()[slot * ring_stride() + s.slot] += s.weight;
      }
      counters_.synaptic_events += row_begin_[row + 1] - row_begin_[row];
      ++counters_.row_visits;
    }
  }
  /// Sums of float64 depend on their order: Meetings::in_order lets nothing come later.
  void receive_more(std::int64_t step, SpikeLists lists) override { receive(step, lists); }
  void receive_again(std::int64_t step, std::int64_t now, SpikeLists lists) override {  // the rest is in the ring
    if (plastic()) plastic()->receive_again(step, now, lists);
  }
  void deliver(std::int64_t step) override {
    if (plastic()) plastic()->deliver(step, slot_of(step));
  }
  bool reaches(std::uint32_t source) const override {
    const std::size_t row = row_of(source, 0);
    return (row < sources_.size() && sources_[row] == source) || (plastic() && plastic()->reaches(source));
  }
  RowCounters counters() const override { return with_plastic(counters_); }
  std::uint64_t synapses() const override { return synapses_.size() + (plastic() ? plastic()->synapses() : 0); }
  std::uint64_t synapse_bytes() const override {
    return (plastic() ? plastic()->bytes() : 0) + synapses_.capacity() * sizeof(WideSynapse) + row_begin_.capacity() * sizeof(std::size_t) +
           sources_.capacity() * sizeof(std::uint32_t);
  }

 private:
  struct WideSynapse {
    std::uint32_t slot;
    std::uint32_t delay;
    double weight;
  };

  /// The rows of one population's sources, from the bundles that it has on the tile.
  void write_rows(const Wiring& wiring, std::span<const std::pair<const Bundle*, const BlockLayout*>> bundles,
                  std::uint32_t first_id) {
    std::vector<RowSynapse> row;
    const std::uint32_t sources = wiring.network().populations[bundles.front().first->source_population].size;
    for (std::uint32_t source = 0; source < sources; ++source) {
      const std::size_t begin = synapses_.size();
      for (const auto& [bundle, block] : bundles) {
        row.clear();
        wiring.list_row(*bundle, source, row);
        for (const RowSynapse& s : row) {
          const std::uint32_t base = s.weight < 0.0 ? block->negative_slot : block->positive_slot;
          synapses_.push_back({base + s.target, s.delay_steps, s.weight});
        }
      }
      if (synapses_.size() == begin) continue;
      sources_.push_back(first_id + source);
      row_begin_.push_back(begin);
    }
  }
  /// The row of a source, or of the next one that has a row; looked for from row `from` on.
  [[nodiscard]] std::size_t row_of(std::uint32_t source, std::size_t from) const {
    const auto begin = sources_.begin() + static_cast<std::ptrdiff_t>(from);
    return static_cast<std::size_t>(std::lower_bound(begin, sources_.end(), source) - sources_.begin());
  }

  std::vector<WideSynapse> synapses_;
  std::vector<std::uint32_t> sources_;  ///< those that have synapses here, global ids, ascending
  std::vector<std::size_t> row_begin_;  ///< of their rows, and the end
  std::vector<std::uint32_t> arrived_;
  RowCounters counters_;
};

}  // namespace

std::unique_ptr<Tile> make_fast_tile(const TileContext& context, const TileLayout& layout) {
  return std::make_unique<FastTile>(context, layout);
}

std::unique_ptr<Tile> make_exact_tile(const TileContext& context, const TileLayout& layout) {
  return std::make_unique<ExactTile>(context, layout);
}

}  // namespace tessera
