// The backward pass of a dense layer: d loss / d s from the layer above, d loss / d I in the place
// of u, and from these the gradients.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "train/dense_layer.hpp"

namespace tessera::training {
namespace {

// A block of a weight matrix's gradient sums over blocks of rows.
constexpr std::size_t kGradientRows = 800;
constexpr std::size_t kFewestSources = 64, kMostSources = 384, kTargets = 768;

void zeroed(AlignedArray<float>& array, std::size_t n) {
  make_room(array, n);
  std::fill_n(array.data(), n, 0.0f);
}

// Sums [group][n] are added in the order of the groups, into the first.
const float* add_groups(AlignedArray<float>& sums, std::size_t groups, std::size_t n) {
  for (std::size_t k = 1; k < groups; ++k) {
    for (std::size_t j = 0; j < n; ++j) sums[j] += sums[k * n + j];
  }
  return sums.data();
}

EvenCut source_cut(std::size_t rows) {
  return {rows, std::clamp(padded(rows / 8), kFewestSources, kMostSources)};
}

}  // namespace

void DenseLayer::prepare_backward() {
  make_room(gu_, cut_.samples * stride_);
  if (second_decay_) make_room(gsecond_, cut_.samples * stride_);
  if (recurrent_) make_room(ds_, cut_.rows() * stride_);
  const std::size_t sums = (recurrent_ ? 1 : cut_.groups) * stride_;
  if (bias_) zeroed(bias_sums_, sums);
  if (membrane_.trained()) zeroed(alpha_sums_, sums);
  if (second_decay_ && second_decay_->trained()) zeroed(decay_sums_, sums);

  // d/ds of strength / N * (max(0, low - z)^2 + max(0, z - high)^2), z = spikes / (samples * steps)
  const ActivityRegulariser& r = layer_.regulariser;
  if (r.strength == 0.0 || is_readout()) return;
  zeroed(regulariser_, stride_);
  const auto rows = static_cast<double>(cut_.rows());
  for (std::uint32_t j = 0; j < neurons_; ++j) {
    const double z = count_[j] / rows;
    const double slope = -2.0 * std::max(0.0, r.low - z) + 2.0 * std::max(0.0, z - r.high);
    regulariser_[j] = static_cast<float>(r.strength / neurons_ * slope / rows);
  }
}

// What flows from this layer's rows back to some of the spikes of the layer below.
void DenseLayer::source_flow(Span rows, Span columns, MatrixOut out, DenseScratch& scratch) const {
  const MatrixIn g{u_.data() + rows.begin * stride_, stride_};
  if (!pools()) return input_.back(rows.size(), g, columns, out, false);
  const std::size_t width = input_.rows();
  const Projection& p = topology_.input;
  make_room(scratch.pooled, rows.size() * width);
  input_.back(rows.size(), g, {0, width}, {scratch.pooled.data(), width}, false);
  for (std::size_t q = 0; q < rows.size(); ++q) {
    const float* pooled = scratch.pooled.data() + q * width;
    for (std::size_t j = columns.begin; j < columns.end; ++j) {
      const std::uint32_t from = j < p.sources ? p.pooled_index[j] : not_pooled;
      out.data[q * out.stride + j - columns.begin] =
          from == not_pooled ? 0.0f : p.scale * pooled[from];
    }
  }
}

void DenseLayer::flow_from_above(Span rows, Span columns, const DenseLayer* above,
                                 const float* derivative, MatrixOut out,
                                 DenseScratch& scratch) const {
  if (above != nullptr) return above->source_flow(rows, columns, out, scratch);
  for (std::size_t q = rows.begin; q < rows.end; ++q) {
    const float* from = derivative + q * padded(neurons_);
    float* to = out.data + (q - rows.begin) * out.stride;
    const std::size_t end = std::min<std::size_t>(columns.end, neurons_);
    std::copy(from + columns.begin, from + end, to);
    std::fill(to + (end - columns.begin), to + columns.size(), 0.0f);
  }
}

void DenseLayer::back(std::size_t sample, std::size_t t, Span columns, const float* ds) {
  const std::size_t at = (sample * cut_.steps + t) * stride_ + columns.begin;
  const std::size_t carried = sample * stride_ + columns.begin;
  const std::size_t group = recurrent_ ? 0 : sample / cut_.group_samples;
  const float* zeros = zeros_.data() + columns.begin;
  const auto neurons = static_cast<std::uint32_t>(columns.size());
  const auto before = [&](const AlignedArray<float>& rows) {
    return t > 0 ? rows.data() + at - stride_ : zeros;
  };
  const auto sums = [&](AlignedArray<float>& array) {
    return array.data() + group * stride_ + columns.begin;
  };
  DenseFlow row;
  row.ds = ds;
  row.before_u = before(u_);
  row.u = u_.data() + at;
  row.gu = gu_.data() + carried;
  if (second_decay_) row.gsecond = gsecond_.data() + carried;
  if (t + 1 == cut_.steps) {
    std::fill_n(row.gu, neurons, 0.0f);
    if (second_decay_) std::fill_n(row.gsecond, neurons, 0.0f);
  }
  if (bias_) row.bias_sum = sums(bias_sums_);
  if (membrane_.trained()) row.alpha_sum = sums(alpha_sums_);
  const Membrane m = membrane(columns.begin);
  if (is_readout()) return dense_readout_back(m.alpha, m.inverse_capacitance, row, neurons);
  if (layer_.regulariser.strength != 0.0) row.regulariser = regulariser_.data() + columns.begin;
  if (keeps_second()) {
    row.second = second_.data() + at;
    row.before_second = before(second_);
  }
  if (second_decay_ && second_decay_->trained()) row.decay_sum = sums(decay_sums_);
  dense_membrane_back(m, row, neurons);
}

void DenseLayer::backward_group(std::size_t group, const DenseLayer* above, const float* derivative,
                                DenseScratch& scratch) {
  // Pooled sources of the layer above have no order that a block of columns could use.
  const EvenCut cut(stride_, above != nullptr && above->pools() ? stride_ : kColumnsPerJob);
  const Span samples = cut_.samples_of(group);
  for (std::size_t block = cut_.blocks; block-- > 0;) {
    const Span rows = cut_.rows_of(group, block), steps = cut_.steps_of(block);
    for (std::size_t k = 0; k < cut.parts; ++k) {
      const Span columns = cut.part(k);
      const std::size_t width = columns.size();
      if (recurrent_) {
        float* out = ds_.data() + rows.begin * stride_ + columns.begin;
        flow_from_above(rows, columns, above, derivative, {out, stride_}, scratch);
        continue;
      }
      make_room(scratch.ds, rows.size() * width);
      flow_from_above(rows, columns, above, derivative, {scratch.ds.data(), width}, scratch);
      for (std::size_t b = samples.begin; b < samples.end; ++b) {
        for (std::size_t t = steps.end; t-- > steps.begin;) {
          back(b, t, columns, scratch.ds.data() + (b * cut_.steps + t - rows.begin) * width);
        }
      }
    }
  }
}

// A step at a time, of all samples: d loss / d s[t] gets its part from d loss / d I[t+1].
void DenseLayer::backward_steps(Worker& worker) {
  const EvenCut cut = step_columns(stride_);
  const std::size_t apart = cut_.steps * stride_;  // rows of a step
  for (std::size_t t = cut_.steps; t-- > 0;) {
    worker.each_at_home(cut.parts, [&](std::size_t k) {
      const Span columns = cut.part(k);
      float* ds = ds_.data() + t * stride_ + columns.begin;
      if (t + 1 < cut_.steps) {
        recurrent_->back(cut_.samples, {u_.data() + (t + 1) * stride_, apart}, columns, {ds, apart},
                         true);
      }
      for (std::size_t b = 0; b < cut_.samples; ++b) back(b, t, columns, ds + b * apart);
    });
  }
}

void DenseLayer::backward(Worker& worker, const DenseLayer* above, const float* derivative,
                          std::vector<DenseScratch>& scratch) {
  worker.once([&] { prepare_backward(); });
  worker.each(cut_.groups, [&](std::size_t group) {
    backward_group(group, above, derivative, scratch[static_cast<std::size_t>(worker.id())]);
  });
  if (recurrent_) backward_steps(worker);
}

// The layer's own spikes of the step before.
MatrixIn DenseLayer::own_sources(Span rows, Span columns, DenseScratch& scratch) const {
  make_room(scratch.x, rows.size() * columns.size());
  for (std::size_t q = rows.begin; q < rows.end; ++q) {
    float* x = scratch.x.data() + (q - rows.begin) * columns.size();
    if (q % cut_.steps == 0) {
      std::fill_n(x, columns.size(), 0.0f);
    } else {
      expand_spikes(spikes_.spike.data() + (q - 1) * stride_ + columns.begin, columns.size(), x);
    }
  }
  return {scratch.x.data(), columns.size()};
}

// One block of the gradient of the input weights, or with `below` null of the recurrent ones.
void DenseLayer::weight_gradients(DenseWeights& weights, const SpikeMatrix* below, Span rows,
                                  Span columns, DenseScratch& scratch) const {
  for (std::size_t q = 0; q < cut_.rows(); q += kGradientRows) {
    const Span block{q, std::min(cut_.rows(), q + kGradientRows)};
    const MatrixIn x = below != nullptr ? sources(block, rows, *below, scratch)
                                        : own_sources(block, rows, scratch);
    weights.gradients(block.size(), x, {u_.data() + q * stride_, stride_}, rows, columns, q > 0);
  }
  weights.mask_gradients(rows, columns);
}

void DenseLayer::finish_gradients(Worker& worker, const SpikeMatrix& below,
                                  std::vector<DenseScratch>& scratch) {
  const EvenCut columns(stride_, kTargets);
  const EvenCut input_rows = source_cut(input_.rows()),
                own_rows = source_cut(recurrent_ ? stride_ : 0);
  const std::size_t input_jobs = input_rows.parts * columns.parts;
  const std::size_t own_jobs = recurrent_ ? own_rows.parts * columns.parts : 0;
  worker.each(input_jobs + own_jobs, [&](std::size_t job) {
    DenseScratch& mine = scratch[static_cast<std::size_t>(worker.id())];
    const bool own = job >= input_jobs;
    const std::size_t k = own ? job - input_jobs : job;
    const Span rows = (own ? own_rows : input_rows).part(k / columns.parts);
    weight_gradients(own ? *recurrent_ : input_, own ? nullptr : &below, rows,
                     columns.part(k % columns.parts), mine);
  });
  worker.once([&] { finish_sums(); });
}

void DenseLayer::finish_sums() {
  const std::size_t groups = recurrent_ ? 1 : cut_.groups;
  if (bias_) std::copy_n(add_groups(bias_sums_, groups, stride_), stride_, bias_->gradient.data());
  if (membrane_.trained()) membrane_.set_gradient(add_groups(alpha_sums_, groups, stride_));
  if (second_decay_ && second_decay_->trained()) {
    second_decay_->set_gradient(add_groups(decay_sums_, groups, stride_));
  }
}

}  // namespace tessera::training
