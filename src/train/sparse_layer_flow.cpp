// How g = d loss / d I flows from step to step backwards inside a layer's neurons.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "train/sparse_layer_parts.hpp"

namespace tessera::training {

// What the entries begin .. end of a stream bring to a tile: rows[step - first_step] += ds slope /
// C. `resets`: marks them in a bit per neuron (spikes), or null.
void SparseLayer::inject(std::uint32_t tile, std::uint32_t group, const Stream& s,
                         std::uint32_t begin, std::uint32_t end, std::uint32_t first_step,
                         float* rows, std::uint8_t* resets) {
  Flow& f = *flow_;
  const float scale = tile_membranes_[tile].inverse_capacitance;
  const std::uint32_t first_id = tile * width_;
  float* alpha = membrane_.trained() ? f.alpha.data() + std::size_t{group} * stride() : nullptr;
  for (std::uint32_t e = begin; e < end; ++e) {
    const float du = (s.ds[e] + f.regulariser[s.id[e]]) * s.slope[e];
    const std::size_t at = std::size_t{s.step[e] - first_step} * width_ + (s.id[e] - first_id);
    rows[at] += scale * du;
    if (resets != nullptr)
      resets[at / 8] = static_cast<std::uint8_t>(resets[at / 8] | 1u << at % 8);
    if (alpha != nullptr) alpha[s.id[e]] += du * s.by_alpha[e];
  }
}

// g of neurons with a second state: `second` is dL/da[t+1] (adaptive) or dL/di (synaptic).
void SparseLayer::two_state_flow(std::uint32_t tile, std::uint32_t group, Recording& recording,
                                 const StepEntries& entries, float* gu, float* second, float* row) {
  Flow& f = *flow_;
  const Membrane& m = tile_membranes_[tile];
  const std::uint32_t begin = tile * width_;
  const bool adaptive = m.kind == MembraneKind::adaptive;
  const auto each_entry = [&](const auto& visit) {
    Stream &spikes = recording.spikes, &others = recording.others;
    for (std::uint32_t e = entries.spike0; e < entries.spike1; ++e) visit(spikes, e, spikes.id[e]);
    for (std::uint32_t e = entries.other0; e < entries.other1; ++e) visit(others, e, others.id[e]);
  };
  each_entry([&](Stream& s, std::uint32_t e, std::uint32_t id) {
    // a spike raises the adaptation
    s.ds[e] += f.regulariser[id] + (adaptive ? second[id - begin] : 0.0f);
  });
  for (std::uint32_t e = entries.spike0; m.reset_to_zero && e < entries.spike1; ++e)
    gu[recording.spikes.id[e] - begin] = 0.0f;
  membrane_decay(m, width_, gu, second);

  const float scale = adaptive ? m.inverse_capacitance : 1.0f;
  const float rise = adaptation_ * m.adaptation;
  const bool alpha = membrane_.trained(), decay = second_->trained();
  each_entry([&](Stream& s, std::uint32_t e, std::uint32_t id) {
    const float du = s.ds[e] * s.slope[e];
    gu[id - begin] += scale * du;
    if (adaptive) second[id - begin] -= rise * du;
    const std::size_t sum = std::size_t{group} * stride() + id;
    if (alpha) f.alpha[sum] += du * s.by_alpha[e];
    if (decay) f.decay[sum] += (adaptive ? -rise * du : du) * s.by_second[e];
  });
  membrane_output(m, width_, gu, second, row);
}

// Where a group's rows of g are summed for the gradient of the bias; null without one.
float* SparseLayer::bias_sum(std::uint32_t tile, std::uint32_t group) {
  if (!bias_) return nullptr;
  return flow_->bias.data() + std::size_t{group} * stride() + std::size_t{tile} * width_;
}

// g of one tile, sample and step into `row`; that of the step after it lies behind.
void SparseLayer::flow_step(const Worker& worker, std::size_t front, std::uint32_t tile,
                            std::uint32_t b, std::uint32_t t, std::uint32_t group,
                            Recording& recording, const StepEntries& entries, float* row) {
  Flow& f = *flow_;
  Flow::Front& own = f.fronts[front];
  std::uint8_t* resets = f.resets[static_cast<std::size_t>(worker.id())].data();
  float* sum = bias_sum(tile, group);
  const Membrane& m = tile_membranes_[tile];
  if (!second_) {
    std::fill_n(row, width_, 0.0f);
    std::fill_n(resets, width_ / 8, std::uint8_t{0});
    if (is_readout()) {
      const float* derivative =
          derivative_row(std::size_t{b} * f.steps + t) + std::size_t{tile} * width_;
      for (std::uint32_t j = 0; j < neurons_of(tile); ++j)
        row[j] = m.inverse_capacitance * derivative[j];
    } else {
      inject(tile, group, recording.spikes, entries.spike0, entries.spike1, t - lag_, row, resets);
      inject(tile, group, recording.others, entries.other0, entries.other1, t - lag_, row, nullptr);
    }
    membrane_flow(m.alpha, width_, 1, m.reset_to_zero ? resets : nullptr, row, sum);
    return;
  }
  const std::size_t neurons = order_ == Order::tiles ? width_ : own_stride();
  const std::size_t at = b * neurons + (order_ == Order::tiles ? 0 : std::size_t{tile - share_.begin()} * width_);
  if (t + 1 == f.steps) {
    std::fill_n(own.gu.data() + at, width_, 0.0f);
    std::fill_n(own.second.data() + at, width_, 0.0f);
  }
  two_state_flow(tile, group, recording, entries, own.gu.data() + at, own.second.data() + at, row);
  for (std::uint32_t j = 0; sum != nullptr && j < width_; ++j) sum[j] += row[j];
}

// Behind a block lies g of the first step of the block after it; behind the last one zeros, which
// the tile before this one has overwritten.
void SparseLayer::carry_row(float* rows, std::uint32_t block) const {
  const Flow& f = *flow_;
  float* behind = rows + std::size_t{f.block_end(block) - f.block_begin(block)} * width_;
  if (block + 1 == f.blocks) {
    std::fill_n(behind, (f.sample_rows - f.block_steps) * width_, 0.0f);
  } else {
    std::copy_n(rows, width_, behind);
  }
}

// g of a tile, a group of samples and a block of steps.
void SparseLayer::flow_group(const Worker& worker, std::size_t front, std::uint32_t tile,
                             std::uint32_t group, std::uint32_t k) {
  Flow& f = *flow_;
  std::uint8_t* resets = f.resets[static_cast<std::size_t>(worker.id())].data();
  const Membrane& m = tile_membranes_[tile];
  const std::uint32_t begin = f.block_begin(k), end = f.block_end(k), steps = end - begin;
  for (std::uint32_t b = f.group_begin(group); b < f.group_begin(group + 1); ++b) {
    float* rows = f.fronts[front].g.data() + f.row(0, b, 0) * width_;
    carry_row(rows, k);
    const std::uint32_t part = lists_.part_of(b), local = b - lists_.part_begin(part);
    Recording& recording = lists_.recording(tile, part);
    if (second_ || is_readout()) {
      StepEntries entries = StepEntries::behind(recording, local, end - lag_);
      for (std::uint32_t t = steps; t-- > 0;) {
        if (begin + t >= lag_) entries.back_to(recording, local, begin + t - lag_);
        if (begin + t < lag_) entries = {};
        flow_step(worker, front, tile, b, begin + t, group, recording, entries,
                  rows + std::size_t{t} * width_);
      }
      continue;
    }
    // First what is listed, then all steps at once: nothing waits for a value just written.
    std::fill_n(rows, std::size_t{steps} * width_, 0.0f);
    std::fill_n(resets, steps * width_ / 8, std::uint8_t{0});
    const Stream &spikes = recording.spikes, &others = recording.others;
    // Late entries are those of steps begin - lag .. end - lag; there are none before step 0.
    const std::uint32_t first = std::max(begin, lag_) - lag_;
    float* const from = rows + std::size_t{first + lag_ - begin} * width_;
    inject(tile, group, spikes, spikes.at(local, first), spikes.at(local, end - lag_), first, from, resets);
    inject(tile, group, others, others.at(local, first), others.at(local, end - lag_), first, from, nullptr);
    membrane_flow(m.alpha, width_, steps, m.reset_to_zero ? resets : nullptr, rows,
                  bias_sum(tile, group));
  }
}

}  // namespace tessera::training
