// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "train/weight_tiles.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <memory>
#include <utility>

#include "kernels/weight_rows.hpp"

namespace tessera::training {
namespace {

std::vector<std::uint64_t> shape_of(const Projection& p) {
  if (p.spec.kind == ConnectionKind::sparse) return {p.weights};
  return {p.pooled.size(), p.targets};
}

// Sparse weights in the order of tiles, then sources, then as in the tensor.
ArrayLayout sparse_layout(const Projection& p, std::uint32_t width, const LayerShare& share) {
  const std::uint32_t begin = share.begin(), tiles = share.own_tiles();
  std::vector<std::uint32_t> next(tiles + 1, 0), place(p.target_of.size());
  for (const std::uint32_t target : p.target_of) ++next[target / width - begin + 1];
  for (std::uint32_t t = 0; t < tiles; ++t) next[t + 1] += next[t];
  const std::vector<std::size_t> bounds(next.begin(), next.end());
  for (std::size_t i = 0; i < place.size(); ++i) place[i] = next[p.target_of[i] / width - begin]++;
  ArrayLayout layout = ArrayLayout::placed(std::move(place));
  layout.bounds = bounds;
  if (!share.divided) return layout;
  layout.some = true;
  layout.width = 0;
  for (std::size_t row = 0; row + 1 < p.row_first.size(); ++row) {
    for (std::uint32_t i = p.row_first[row]; i < p.row_first[row + 1]; ++i)
      layout.element.push_back(p.row_weight[row] + i - p.row_first[row]);
  }
  return layout;
}

ArrayLayout layout_of(const Projection& p, std::uint32_t width, const LayerShare& share) {
  if (p.rewires()) return ArrayLayout::flat(0);  // until the store has its synapses
  if (p.spec.kind == ConnectionKind::sparse) return sparse_layout(p, width, share);
  if (!share.divided) return ArrayLayout::all_tiles(p.pooled.size(), p.targets, width);
  return ArrayLayout::some_tiles(p.pooled.size(), p.targets, width, share.begin(), share.end());
}

// Where the g that a synapse sees lies: in the row of g of the visit, or as many rows further as it is delayed.
struct Undelayed {
  std::size_t operator()(SynapseSlot s) const { return s.target; }
};
struct Delayed {
  std::size_t width;
  std::size_t operator()(SynapseSlot s) const { return s.delay() * width + s.target; }
};

// sum of w g over a row, with its gradient += g where kGradient. Four sums side by side: one would wait for itself.
template <bool kGradient, class Place>
float visit_row(std::uint32_t n, const SynapseSlot* synapse, const float* w, const float* g, const Place& place,
                float* gradient) {
  float sum[4] = {};
  std::uint32_t i = 0;
  for (; i + 4 <= n; i += 4) {
    for (std::uint32_t l = 0; l < 4; ++l) {
      const float x = g[place(synapse[i + l])];
      sum[l] += w[i + l] * x;
      if (kGradient) gradient[i + l] += x;
    }
  }
  for (; i < n; ++i) {
    const float x = g[place(synapse[i])];
    sum[i % 4] += w[i] * x;
    if (kGradient) gradient[i] += x;
  }
  return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

}  // namespace

WeightTiles::WeightTiles(const Projection& projection, std::string name, std::uint32_t width, const LayerShare& share)
    : projection_(&projection),
      width_(width),
      first_tile_(share.begin()),
      tiles_(share.own_tiles()),
      rows_(static_cast<std::uint32_t>(projection.pooled.size())),
      array_(std::move(name), shape_of(projection), layout_of(projection, width, share)) {
  array_.decays = true;
  if (projection.rewires()) {
    array_.store = std::make_unique<SynapseStore>(projection.spec, rows_, projection.targets, width,
                                                  projection.seed, projection.number);
  } else if (sparse()) {
    place_synapses();
  }
  if (max_delay() > 0) ring_steps_ = std::bit_ceil(max_delay() + 1);
}

void WeightTiles::place_synapses() {
  const Projection& p = *projection_;
  const std::uint32_t per_source = p.rows_per_source();
  synapses_.resize(p.target_of.size());
  spans_.assign(std::size_t{tiles_} * rows_, {});
  for (std::uint32_t row = 0; row < rows_; ++row) {
    for (std::uint32_t delay = 0; delay < per_source; ++delay) {
      const std::size_t list = std::size_t{row} * per_source + delay;
      for (std::uint32_t i = p.row_first[list]; i < p.row_first[list + 1]; ++i) {
        const std::uint32_t tile = p.target_of[i] / width_;
        synapses_[array_.layout.place[i]] = {static_cast<std::uint16_t>(p.target_of[i] % width_),
                                             static_cast<std::uint16_t>(delay)};
        ++spans_[std::size_t{tile - first_tile_} * rows_ + row].end;  // for now the length
      }
    }
  }
  std::uint32_t begin = 0;
  for (RowSpan& row : spans_) {
    row = {begin, begin + row.end};
    begin = row.end;
  }
}

DelayRing WeightTiles::make_ring() const {
  DelayRing ring;
  if (max_delay() > 0) ring.slots.assign(std::size_t{ring_steps_} * width_, 0.0f);
  return ring;
}

const float* WeightTiles::plain_rows(std::uint32_t tile) const {
  const bool plain = !sparse() && projection_->pooled_index.empty() && projection_->scale == 1.0f;
  return plain ? array_.value.data() + matrix_place(tile) : nullptr;
}

void WeightTiles::add(std::uint32_t tile, const std::uint16_t* ids, std::size_t n,
                      std::uint32_t step, DelayRing& ring, float* current) const {
  // Pooled ids a piece at a time; without pooling the list itself.
  constexpr std::size_t kPiece = 256;
  std::array<std::uint16_t, kPiece> pooled;
  std::array<float, 1024> partial;
  const bool scaled = projection_->scale != 1.0f;
  const bool delayed = max_delay() > 0;
  float* into = current;
  if (delayed) into = ring.slots.data();
  std::vector<float> large;
  if (scaled && !delayed) {
    if (width_ > partial.size()) large.resize(width_);
    into = large.empty() ? partial.data() : large.data();
    std::fill_n(into, width_, 0.0f);
  }
  const float* weights = array_.value.data();
  const RowSpan* rows_of = sparse() ? spans(tile) : nullptr;
  const SynapseSlot* synapse = synapses();
  const auto add_piece = [&](const std::uint16_t* rows, std::size_t count) {
    if (!sparse()) {
      add_rows(weights + matrix_place(tile), width_, rows, count, into);
      return;
    }
    if (!delayed) {
      for (std::size_t k = 0; k < count; ++k) {
        const RowSpan row = rows_of[rows[k]];
        for (std::uint32_t i = row.begin; i < row.end; ++i) into[synapse[i].target] += weights[i];
      }
      return;
    }
    for (std::size_t k = 0; k < count; ++k) {
      const RowSpan row = rows_of[rows[k]];
      for (std::uint32_t i = row.begin; i < row.end; ++i) {
        const std::size_t slot = (step + synapse[i].delay()) & (ring_steps_ - 1);
        into[slot * width_ + synapse[i].target] += weights[i] * projection_->scale;
      }
    }
  };
  if (projection_->pooled_index.empty()) {
    add_piece(ids, n);
  } else {
    for (std::size_t k = 0; k < n;) {
      std::size_t count = 0;
      for (; k < n && count < kPiece; ++k) {
        const std::uint32_t row = projection_->pooled_index[ids[k]];
        if (row != not_pooled) pooled[count++] = static_cast<std::uint16_t>(row);
      }
      add_piece(pooled.data(), count);
    }
  }
  if (delayed) {
    float* now = ring.slots.data() + (step & (ring_steps_ - 1)) * std::size_t{width_};
    for (std::uint32_t j = 0; j < width_; ++j) current[j] += now[j];
    std::fill_n(now, width_, 0.0f);
  } else if (scaled) {
    for (std::uint32_t j = 0; j < width_; ++j) current[j] += projection_->scale * into[j];
  }
}

void WeightTiles::back_project(std::uint32_t tile, const std::uint16_t* ids, std::size_t n,
                               const float* g, float* ds) const {
  const float* weights = array_.value.data();
  if (!sparse()) {
    tessera::back_project(weights + matrix_place(tile), width_, ids, n, g, ds);
    return;
  }
  const auto project = [&](const auto& place) {
    const RowSpan* rows = spans(tile);
    for (std::size_t k = 0; k < n; ++k) {
      const RowSpan row = rows[ids[k]];
      ds[k] += visit_row<false>(row.end - row.begin, synapses() + row.begin, weights + row.begin, g, place, nullptr);
    }
  };
  if (max_delay() > 0) return project(Delayed{width_});
  project(Undelayed{});
}

template <class Place>
void WeightTiles::sparse_gradients(std::uint32_t tile, std::uint32_t first_row,
                                   const RowVisits& visits, const float* g, Fresh fresh,
                                   float* ds, const Place& place) {
  const RowSpan* rows = spans(tile) + first_row;
  for (std::uint32_t k = 0; k < visits.rows; ++k) {
    const RowSpan row = rows[k];
    const std::uint32_t n = row.end - row.begin;
    const SynapseSlot* synapse = synapses() + row.begin;
    const float* weights = array_.value.data() + row.begin;
    float* gradient = array_.gradient.data() + row.begin;
    if (fresh.dw) std::fill_n(gradient, n, 0.0f);
    for (std::uint32_t v = visits.first[k]; v < visits.first[k + 1]; ++v) {
      const float* base = g + std::size_t{visits.visit[v]} * width_;
      const bool spike = v < visits.first[k] + visits.spikes[k];
      if (ds == nullptr) {
        for (std::uint32_t i = 0; spike && i < n; ++i) gradient[i] += base[place(synapse[i])];
        continue;
      }
      const float sum = spike ? visit_row<true>(n, synapse, weights, base, place, gradient)
                              : visit_row<false>(n, synapse, weights, base, place, gradient);
      ds[v] = fresh.ds ? sum : ds[v] + sum;
    }
  }
}

void WeightTiles::gradients(std::uint32_t tile, std::uint32_t begin, std::uint32_t end,
                            const VisitBlock& block, const float* g, Fresh fresh, float* ds) {
  const RowVisits visits{block.visit.data(), block.row_first.data() + begin,
                         block.row_spikes.data() + begin, end - begin};
  const std::uint32_t row = block.first_row + begin;
  if (sparse() && max_delay() > 0) return sparse_gradients(tile, row, visits, g, fresh, ds, Delayed{width_});
  if (sparse()) return sparse_gradients(tile, row, visits, g, fresh, ds, Undelayed{});
  const std::size_t place = matrix_place(tile) + std::size_t{row} * width_;
  row_gradients(array_.value.data() + place, g, width_, visits, fresh,
                array_.gradient.data() + place, ds);
}

}  // namespace tessera::training
