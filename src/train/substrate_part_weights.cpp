// The weights of a part: gathered from those of the layer, made what the chip has of them, added up when spikes come.
// The sums are those of WeightTiles and Convolution, in the same order: an ideal chip has the same bits.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <bit>

#include "kernels/weight_rows.hpp"
#include "train/substrate_part.hpp"

namespace tessera::training {
namespace {

constexpr std::uint32_t kNotHere = ~std::uint32_t{0};

// Of every neuron of the layer: its number in the part, or kNotHere.
std::vector<std::uint32_t> places_of(const std::vector<PartRange>& ranges, std::uint32_t targets) {
  std::vector<std::uint32_t> place(targets, kNotHere);
  for (const PartRange& r : ranges) {
    for (std::uint32_t j = r.begin; j < r.end; ++j) place[j] = r.place + (j - r.begin);
  }
  return place;
}

}  // namespace

PartWeights::PartWeights(const Projection& projection, const std::vector<PartRange>& ranges, std::uint32_t neurons)
    : projection_(&projection),
      ranges_(ranges),
      neurons_(neurons),
      width_(static_cast<std::uint32_t>(padded(neurons))),
      rows_(projection.pooled.size()) {
  if (projection.spec.max_delay > 0) ring_steps_ = std::bit_ceil(projection.spec.max_delay + 1);
}

// Pooled sums are scaled when they are complete, as in WeightTiles::add; delayed ones and kernels weight by weight.
bool PartWeights::scaled_later() const {
  return projection_->scale != 1.0F && projection_->spec.max_delay == 0 &&
         projection_->spec.kind != ConnectionKind::convolution;
}

// Sorted by source, in the order in which the layer would add them.
void PartWeights::find_synapses(const ParameterArray& array) {
  const std::vector<std::uint32_t> place = places_of(ranges_, projection_->targets);
  first_.assign(rows_ + 1, 0);
  std::uint32_t row = 0;
  // With pooling several sources share a row: the rows are gone through, not the sources.
  Projection one = *projection_;
  one.pooled_index.clear();
  one.source = one.pooled;
  one.sources = static_cast<std::uint32_t>(rows_);
  for_each_synapse(one, [&](std::uint32_t source, std::uint32_t target, std::uint32_t delay, std::size_t weight) {
    while (row < source) first_[++row] = static_cast<std::uint32_t>(synapses_.size());
    if (place[target] == kNotHere) return;
    synapses_.push_back({static_cast<std::uint32_t>(array.layout.of(weight)),
                         static_cast<std::uint16_t>(place[target]), static_cast<std::uint16_t>(delay)});
  });
  while (row < rows_) first_[++row] = static_cast<std::uint32_t>(synapses_.size());
}

void PartWeights::load_dense(const ParameterArray& array, float* values) const {
  const std::size_t width = array.layout.width, rows = array.layout.rows;
  for (std::size_t row = 0; row < rows_; ++row) {
    float* to = values + row * width_;
    for (const PartRange& r : ranges_) {
      for (std::size_t j = r.begin; j < r.end;) {
        const std::size_t tile = j / width, end = std::min<std::size_t>(r.end, (tile + 1) * width);
        std::copy_n(array.value.data() + (tile * rows + row) * width + j % width, end - j, to + r.place + (j - r.begin));
        j = end;
      }
    }
    std::fill(to + neurons_, to + width_, 0.0F);
  }
}

void PartWeights::load(const ParameterArray& array, const substrate::WeightMap& map, float factor,
                       const std::vector<float>& input, AlignedArray<float>& memory) {
  if (!dense() && first_.empty()) find_synapses(array);
  if (memory.size() < values()) memory = AlignedArray<float>(values());
  float* to = memory.data();
  values_ = to;
  const auto on_chip = [&](float w) {
    if (factor == 1.0F) return w;
    return map.steps > 0 ? static_cast<float>(map.chip_weight(w, factor)) * map.step() : w * factor;
  };
  const bool plain = factor == 1.0F && std::all_of(input.begin(), input.end(), [](float x) { return x == 1.0F; });
  if (dense()) {
    load_dense(array, to);
    const float by = map.steps > 0 ? 1.0F : factor;
    if (factor != 1.0F && map.steps > 0) map.to_chip(factor, rows_ * width_, to);
    for (std::size_t row = 0; !plain && row < rows_; ++row, to += width_) {
      for (std::uint32_t j = 0; j < neurons_; ++j) to[j] = to[j] * by * input[j];
    }
    return;
  }
  const float scale = scaled_later() ? 1.0F : projection_->scale;
  for (const Synapse& s : synapses_) *to++ = on_chip(array.value[s.place]) * scale * input[s.target];
}

DelayRing PartWeights::make_ring() const {
  DelayRing ring;
  if (projection_->spec.max_delay > 0) ring.slots.assign(std::size_t{ring_steps_} * width_, 0.0F);
  return ring;
}

void PartWeights::add_pooled(const std::uint16_t* rows, std::size_t n, std::uint32_t step, float* into) const {
  if (dense()) return add_rows(values_, width_, rows, n, into);
  for (std::size_t k = 0; k < n; ++k) {
    for (std::uint32_t i = first_[rows[k]]; i < first_[rows[k] + 1U]; ++i) {
      const Synapse s = synapses_[i];
      const std::size_t slot = (step + s.delay) & (ring_steps_ - 1);
      into[slot * width_ + s.target] += values_[i];
    }
  }
}

void PartWeights::add(const std::uint16_t* ids, std::size_t n, std::uint32_t step, DelayRing& ring,
                      float* current) const {
  constexpr std::size_t kPiece = 256;
  std::array<std::uint16_t, kPiece> pooled;
  const bool delayed = projection_->spec.max_delay > 0, later = scaled_later();
  std::vector<float> sums(later ? width_ : 0, 0.0F);
  float* into = delayed ? ring.slots.data() : later ? sums.data() : current;
  if (projection_->pooled_index.empty()) {
    add_pooled(ids, n, step, into);
  } else {
    for (std::size_t k = 0; k < n;) {
      std::size_t count = 0;
      for (; k < n && count < kPiece; ++k) {
        const std::uint32_t row = projection_->pooled_index[ids[k]];
        if (row != not_pooled) pooled[count++] = static_cast<std::uint16_t>(row);
      }
      add_pooled(pooled.data(), count, step, into);
    }
  }
  if (delayed) {
    float* now = ring.slots.data() + (step & (ring_steps_ - 1)) * std::size_t{width_};
    for (std::uint32_t j = 0; j < neurons_; ++j) current[j] += now[j];
    std::fill_n(now, width_, 0.0F);
  } else if (later) {
    for (std::uint32_t j = 0; j < neurons_; ++j) current[j] += projection_->scale * sums[j];
  }
}

std::vector<bool> PartWeights::reached_by() const {
  std::vector<bool> reached(projection_->sources, false);
  for (std::uint32_t source = 0; source < projection_->sources; ++source) {
    const std::uint32_t row = projection_->pooled_of(source);
    reached[source] = row != not_pooled && (dense() || first_[row] < first_[row + 1U]);
  }
  return reached;
}

}  // namespace tessera::training
