// The weights of a dense or sparse projection, cut into tiles of target neurons: the rows of
// spiking sources are added to a tile's input current, gradients flow back through them.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "kernels/weight_rows.hpp"
#include "train/parameter_array.hpp"
#include "train/topology.hpp"
#include "train/visit_block.hpp"

namespace tessera::training {

/// Input that is still on its way to the neurons of one tile of one sample: a ring of steps.
struct DelayRing {
  std::vector<float> slots;  ///< [steps in the ring][width]
  void clear() { slots.assign(slots.size(), 0.0f); }
};

class WeightTiles {
 public:
  /// `width`: neurons of a tile, a multiple of 16; a tile of `targets` neurons at most 65,536. `share`: of the
  /// tiles; tiles that are not own may not be asked for. The projection must outlive this.
  WeightTiles(const Projection& projection, std::string name, std::uint32_t width, const LayerShare& share);

  [[nodiscard]] ParameterArray& array() noexcept { return array_; }
  [[nodiscard]] const Projection& projection() const noexcept { return *projection_; }
  [[nodiscard]] std::uint32_t rows() const noexcept { return rows_; }
  [[nodiscard]] std::uint32_t max_delay() const noexcept {
    return projection_->rows_per_source() - 1;
  }
  [[nodiscard]] DelayRing make_ring() const;

  /// The tile's rows [source][width], where add() does nothing but add them: dense, not pooled, not
  /// scaled, not delayed. Else null.
  [[nodiscard]] const float* plain_rows(std::uint32_t tile) const;

  /// Adds what the spikes ids[0 .. n) of step `step` bring to current[0 .. width) in this step;
  /// what arrives later waits in `ring`.
  void add(std::uint32_t tile, const std::uint16_t* ids, std::size_t n, std::uint32_t step,
           DelayRing& ring, float* current) const;

  /// ds[k] += what flows back to source ids[k]; `g`: the tile's row of this sample in the step in
  /// which undelayed spikes arrive; that of the next step lies behind it.
  void back_project(std::uint32_t tile, const std::uint16_t* ids, std::size_t n, const float* g,
                    float* ds) const;

  /// Gradients of the rows begin .. end of a block of visits (see row_gradients). `g`: the tile's
  /// rows of the block, steps of a sample one after the other. `ds`: a part of block.ds, or null.
  void gradients(std::uint32_t tile, std::uint32_t begin, std::uint32_t end,
                 const VisitBlock& block, const float* g, Fresh fresh, float* ds);
  /// Calls f(source, target, weight) for every synapse, sources before pooling.
  template <class F>
  void for_each(const F& f) const {
    if (!array_.store) {
      return for_each_synapse(*projection_, [&](std::uint32_t source, std::uint32_t target, std::uint32_t,
                                                std::size_t i) { f(source, target, array_.value[array_.layout.of(i)]); });
    }
    for (std::uint32_t source = 0; source < projection_->sources; ++source) {
      const std::uint32_t row = projection_->pooled_of(source);
      if (row == not_pooled) continue;
      for (std::uint32_t tile = 0; tile * width_ < projection_->targets; ++tile) {
        const RowSpan span = array_.store->spans(tile)[row];
        for (std::uint32_t i = span.begin; i < span.end; ++i)
          f(source, tile * width_ + array_.store->slots()[i].target, array_.value[i]);
      }
    }
  }
  /// Whether gradients() takes visits in fours.
  [[nodiscard]] bool in_fours() const { return !sparse(); }

 private:
  [[nodiscard]] bool sparse() const { return projection_->spec.kind == ConnectionKind::sparse; }
  [[nodiscard]] const RowSpan* spans(std::uint32_t tile) const {
    return array_.store ? array_.store->spans(tile) : spans_.data() + std::size_t{tile - first_tile_} * rows_;
  }
  [[nodiscard]] const SynapseSlot* synapses() const {
    return array_.store ? array_.store->slots().data() : synapses_.data();
  }
  [[nodiscard]] std::size_t matrix_place(std::uint32_t tile) const {
    return std::size_t{tile - first_tile_} * rows_ * width_;
  }
  void place_synapses();
  template <class Place>
  void sparse_gradients(std::uint32_t tile, std::uint32_t first_row, const RowVisits& visits,
                        const float* g, Fresh fresh, float* ds, const Place& place);

  const Projection* projection_;
  std::uint32_t width_;
  std::uint32_t first_tile_, tiles_;      ///< own
  std::uint32_t rows_;                    ///< sources after pooling
  // Sparse, where nothing rewires: [own tile][row], into synapses_ and the array.
  std::vector<RowSpan> spans_;
  std::vector<SynapseSlot> synapses_;
  std::uint32_t ring_steps_ = 1;  ///< a power of two
  ParameterArray array_;
};

}  // namespace tessera::training
