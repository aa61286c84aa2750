// The backward pass of a layer: g = d loss / d I flows from step to step, gets what the lists
// bring, and goes into the gradients of the weights and back to the sources. Copyright 2026 The
// Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "train/sparse_layer_parts.hpp"

namespace tessera::training {
namespace {

// A block of g and the rows of weights of a tile stay in the second-level cache together.
constexpr std::size_t kBlockBytes = 600 << 10;
constexpr std::uint32_t kRowJobs = 64;

void resize(AlignedArray<float>& array, std::size_t n) {
  if (array.size() < n) array = AlignedArray<float>(n);
}

// Sums [group][n] are added in the order of the groups.
void add_groups(const float* sums, std::size_t groups, std::size_t n, float* into) {
  std::copy_n(sums, n, into);
  for (std::size_t k = 1; k < groups; ++k) {
    for (std::size_t j = 0; j < n; ++j) into[j] += sums[k * n + j];
  }
}

}  // namespace

// The derivative of the loss is ordered by steps, then samples.
std::size_t SparseLayer::derivative_row(std::size_t q) const {
  return q % lists_.steps * lists_.samples + q / lists_.steps;
}

void SparseLayer::prepare_flow(const SpikeLists& input, const float* derivative) {
  if (!flow_) flow_ = std::make_unique<Flow>();
  Flow& f = *flow_;
  f.samples = input.samples;
  f.steps = input.steps;
  f.derivative = derivative;
  f.groups = std::min(f.samples, Flow::kMostGroups);
  const std::uint32_t delay =
      std::max(input_ ? input_->max_delay() : 0, recurrent_ ? recurrent_->max_delay() : 0);
  const std::size_t neurons = order_ == Order::tiles ? width_ : stride();  // in progress at a time
  const std::size_t fitting = kBlockBytes / (sizeof(float) * f.samples * neurons);
  f.block_steps = delay > 0
                      ? f.steps
                      : std::clamp<std::uint32_t>(static_cast<std::uint32_t>(fitting), 1, f.steps);
  if (order_ == Order::samples) f.block_steps = std::min(std::max(f.block_steps, 8u), f.steps);
  f.blocks = (f.steps + f.block_steps - 1) / f.block_steps;
  f.visits.resize(f.blocks);
  f.recurrent.resize(f.blocks);
  if (order_ == Order::convolution) {
    resize(f.g, f.groups * (stride() + 16));
  } else {
    const std::uint32_t behind =
        1 + delay;  // steps: the next block's first, and zeros after the last step
    f.sample_rows = f.block_steps + behind;
    const std::size_t tiles = order_ == Order::tiles ? 1 : tiles_;
    resize(f.g, f.row(tiles, 0, 0) * width_);
    const std::uint32_t last = f.block_end(f.blocks - 1) - f.block_begin(f.blocks - 1);
    for (std::size_t k = 0; k < tiles * f.samples; ++k) {
      const std::size_t row = k * f.sample_rows + last;
      std::fill_n(f.g.data() + row * width_, std::size_t{f.sample_rows - last} * width_, 0.0f);
    }
  }
  if (second_) resize(f.gu, f.samples * neurons);
  if (second_) resize(f.second, f.samples * neurons);
  f.spike_at.resize(lists_.lists());
  f.other_at.resize(lists_.lists());
  const auto zeroed = [&](AlignedArray<float>& sums, std::size_t n) {
    resize(sums, f.groups * n);
    std::fill_n(sums.data(), f.groups * n, 0.0f);
  };
  if (bias_) zeroed(f.bias, stride());
  if (membrane_.trained()) zeroed(f.alpha, stride());
  if (second_ && second_->trained()) zeroed(f.decay, stride());
  if (convolution_) zeroed(f.kernel, convolution_->gradient_size());

  // d/ds of strength / N * (max(0, low - z)^2 + max(0, z - high)^2), z = spikes / (samples * steps)
  const ActivityRegulariser& r = layer_.regulariser;
  f.regulariser.assign(topology_.neurons, 0.0f);
  for (std::uint32_t j = 0; r.strength != 0.0 && !is_readout() && j < topology_.neurons; ++j) {
    const double lists = static_cast<double>(lists_.lists());
    const double z = counts_[j] / lists;
    const double slope = -2.0 * std::max(0.0, r.low - z) + 2.0 * std::max(0.0, z - r.high);
    f.regulariser[j] = static_cast<float>(r.strength / topology_.neurons * slope / lists);
  }
  if (derivative == nullptr || is_readout()) return;
  // A spiking output gets its ds from the loss.
  if (ds_.size() < lists_.entries()) ds_.resize(lists_.entries());
  for (std::size_t q = 0; q < lists_.lists(); ++q) {
    for (std::size_t e = lists_.first[q]; e < lists_.first[q + 1]; ++e) {
      ds_[e] = derivative[derivative_row(q) * topology_.neurons + lists_.id[e]];
    }
  }
}

void SparseLayer::build_visits(Worker& worker, const SpikeLists& input, bool sources) {
  Flow& f = *flow_;
  worker.each(f.blocks, [&](std::size_t k) {
    if (input_) {
      f.visits[k].build(input, input_->projection().pooled_index, input_->rows(), f.block_begin(k),
                        f.block_end(k), f.sample_rows, sources);
    }
    if (!recurrent_) return;
    // Spikes of the step before the block's first arrive in it.
    const std::uint32_t begin = std::max(f.block_begin(k), 1u) - 1, end = f.block_end(k) - 1;
    f.recurrent[k].build(lists_, {}, topology_.neurons, begin, std::max(begin, end), f.sample_rows,
                         false);
  });
}

// The entries of a list that belong to a tile. Tiles ask in ascending order, so every list
// remembers how far it got.
SparseLayer::Entries SparseLayer::entries_of(std::uint32_t tile, std::size_t q) {
  Flow& f = *flow_;
  const std::uint32_t middle = lists_.first[q] + lists_.spikes[q], last = lists_.first[q + 1];
  Entries e{};
  e.spike0 = e.spike1 = tile == 0 ? lists_.first[q] : f.spike_at[q];
  e.other0 = e.other1 = tile == 0 ? middle : f.other_at[q];
  if (tile + 1 == tiles_) {
    e.spike1 = middle;
    e.other1 = last;
    return e;
  }
  const std::uint32_t end = (tile + 1) * width_;
  while (e.spike1 < middle && lists_.id[e.spike1] < end) ++e.spike1;
  while (e.other1 < last && lists_.id[e.other1] < end) ++e.other1;
  f.spike_at[q] = e.spike1;
  f.other_at[q] = e.other1;
  return e;
}

// g[t] = alpha g[t+1] (1 - s[t]) + ds[t] slope / C, the last part for listed neurons only.
void SparseLayer::lif_flow(std::uint32_t tile, std::size_t q, std::uint32_t group,
                           const float* next, float* row) {
  Flow& f = *flow_;
  const Membrane& m = tile_membranes_[tile];
  const Entries part = entries_of(tile, q);
  membrane_flow(m.alpha, width_, next, row);
  const std::uint16_t* id = lists_.id.data();
  const std::uint32_t begin = tile * width_;
  float* alpha = membrane_.trained() ? f.alpha.data() + std::size_t{group} * stride() : nullptr;
  const auto inject = [&](std::uint32_t e, float* at) {
    const float du = (ds_[e] + f.regulariser[id[e]]) * lists_.slope[e];
    *at += m.inverse_capacitance * du;
    if (alpha != nullptr) alpha[id[e]] += du * lists_.by_alpha[e];
  };
  for (std::uint32_t e = part.spike0; e < part.spike1; ++e) {
    float* at = row + (id[e] - begin);
    if (m.reset_to_zero) *at = 0.0f;
    inject(e, at);
  }
  for (std::uint32_t e = part.other0; e < part.other1; ++e) inject(e, row + (id[e] - begin));
}

// The same for neurons with a second state: `second` is dL/da[t+1] (adaptive) or dL/di (synaptic).
void SparseLayer::two_state_flow(std::uint32_t tile, std::size_t q, std::uint32_t group, float* gu,
                                 float* second, float* row) {
  Flow& f = *flow_;
  const Membrane& m = tile_membranes_[tile];
  const Entries part = entries_of(tile, q);
  const std::uint16_t* id = lists_.id.data();
  const std::uint32_t begin = tile * width_;
  const bool adaptive = m.kind == MembraneKind::adaptive;
  const auto each_entry = [&](const auto& visit) {
    for (std::uint32_t e = part.spike0; e < part.spike1; ++e) visit(e, id[e] - begin);
    for (std::uint32_t e = part.other0; e < part.other1; ++e) visit(e, id[e] - begin);
  };
  each_entry([&](std::uint32_t e, std::uint32_t j) {
    ds_[e] +=
        f.regulariser[id[e]] + (adaptive ? second[j] : 0.0f);  // a spike raises the adaptation
  });
  for (std::uint32_t e = part.spike0; m.reset_to_zero && e < part.spike1; ++e)
    gu[id[e] - begin] = 0.0f;
  membrane_decay(m, width_, gu, second);

  const float scale = adaptive ? m.inverse_capacitance : 1.0f;
  const bool alpha = membrane_.trained(), decay = second_->trained();
  each_entry([&](std::uint32_t e, std::uint32_t j) {
    const float du = ds_[e] * lists_.slope[e];
    gu[j] += scale * du;
    if (adaptive) second[j] -= m.adaptation * du;
    const std::size_t sum = std::size_t{group} * stride() + id[e];
    if (alpha) f.alpha[sum] += du * lists_.by_alpha[e];
    if (decay) f.decay[sum] += (adaptive ? -m.adaptation * du : du) * lists_.by_second[e];
  });
  membrane_output(m, width_, gu, second, row);
}

// g of one tile, sample and step into `row`; `next` is that of the step after it.
void SparseLayer::flow_step(std::uint32_t tile, std::uint32_t b, std::uint32_t t,
                            std::uint32_t group, const float* next, float* row) {
  Flow& f = *flow_;
  const std::size_t q = std::size_t{b} * f.steps + t;
  if (is_readout()) {
    const Membrane& m = tile_membranes_[tile];
    const float* derivative =
        f.derivative + derivative_row(q) * topology_.neurons + std::size_t{tile} * width_;
    membrane_flow(m.alpha, width_, next, row);
    for (std::uint32_t j = 0; j < neurons_of(tile); ++j)
      row[j] += m.inverse_capacitance * derivative[j];
  } else if (!second_) {
    lif_flow(tile, q, group, next, row);
  } else {
    const std::size_t neurons = order_ == Order::tiles ? width_ : stride();
    const std::size_t at = b * neurons + (order_ == Order::tiles ? 0 : std::size_t{tile} * width_);
    if (t + 1 == f.steps) {
      std::fill_n(f.gu.data() + at, width_, 0.0f);
      std::fill_n(f.second.data() + at, width_, 0.0f);
    }
    two_state_flow(tile, q, group, f.gu.data() + at, f.second.data() + at, row);
  }
  if (!bias_) return;
  float* sum = f.bias.data() + std::size_t{group} * stride() + std::size_t{tile} * width_;
  for (std::uint32_t j = 0; j < width_; ++j) sum[j] += row[j];
}

// Behind a block lies g of the first step of the block after it; behind the last one zeros, which
// the tile before this one has overwritten.
void SparseLayer::carry_row(std::uint32_t tile_in_progress, std::uint32_t b, std::uint32_t block) {
  Flow& f = *flow_;
  float* g = f.g.data() + f.row(tile_in_progress, b, 0) * width_;
  float* behind = g + std::size_t{f.block_end(block) - f.block_begin(block)} * width_;
  if (block + 1 == f.blocks) {
    std::fill_n(behind, width_, 0.0f);
  } else {
    std::copy_n(g, width_, behind);
  }
}

void SparseLayer::backward_tiles(Worker& worker, bool sources) {
  Flow& f = *flow_;
  const std::uint32_t rows = input_->rows(), jobs = std::min(kRowJobs, rows);
  for (std::uint32_t tile = 0; tile < tiles_; ++tile) {
    for (std::uint32_t k = f.blocks; k-- > 0;) {
      worker.each_at_home(f.groups, [&](std::size_t group) {
        for (std::uint32_t b = f.group_begin(group); b < f.group_begin(group + 1); ++b) {
          carry_row(0, b, k);
          for (std::uint32_t t = f.block_end(k); t-- > f.block_begin(k);) {
            float* row = f.g.data() + f.row(0, b, t - f.block_begin(k)) * width_;
            flow_step(tile, b, t, static_cast<std::uint32_t>(group), row + width_, row);
          }
        }
      });
      worker.each_at_home(jobs, [&](std::size_t job) {
        const auto begin = static_cast<std::uint32_t>(job * rows / jobs);
        const auto end = static_cast<std::uint32_t>((job + 1) * rows / jobs);
        input_->gradients(tile, begin, end, f.visits[k], f.g.data(), k + 1 == f.blocks, sources);
      });
    }
  }
}

// What step t + 1 (and later ones, over delays) brings back to this layer's own entries of step t.
void SparseLayer::recurrent_sources(std::uint32_t b, std::uint32_t t, std::uint32_t block_begin) {
  Flow& f = *flow_;
  const std::size_t q = std::size_t{b} * f.steps + t;
  const std::uint32_t begin = lists_.first[q], n = lists_.first[q + 1] - begin;
  for (std::uint32_t tile = 0; tile < tiles_; ++tile) {
    recurrent_->back_project(tile, lists_.id.data() + begin, n,
                             f.g.data() + f.row(tile, b, t + 1 - block_begin) * width_,
                             ds_.data() + begin);
  }
}

void SparseLayer::backward_samples(Worker& worker, const SpikeLists& input, float* input_ds) {
  Flow& f = *flow_;
  const bool sources = input_ds != nullptr;
  const auto run_block = [&](std::uint32_t group, std::uint32_t k) {
    const std::uint32_t begin = f.block_begin(k), end = f.block_end(k);
    for (std::uint32_t b = f.group_begin(group); b < f.group_begin(group + 1); ++b) {
      for (std::uint32_t tile = 0; tile < tiles_; ++tile) carry_row(tile, b, k);
      for (std::uint32_t t = end; t-- > begin;) {
        if (t + 1 < f.steps) recurrent_sources(b, t, begin);
        for (std::uint32_t tile = 0; tile < tiles_; ++tile) {
          float* row = f.g.data() + f.row(tile, b, t - begin) * width_;
          flow_step(tile, b, t, group, row + width_, row);
          if (convolution_)
            convolution_step(std::size_t{b} * f.steps + t, group, input, row, input_ds);
        }
      }
    }
  };
  const std::uint32_t rows = input_ ? input_->rows() : 0, own = topology_.neurons;
  const std::uint32_t input_jobs = std::min(kRowJobs, rows), own_jobs = std::min(kRowJobs, own);
  for (std::uint32_t k = f.blocks; k-- > 0;) {
    const bool fresh = k + 1 == f.blocks;
    worker.each(f.groups,
                [&](std::size_t group) { run_block(static_cast<std::uint32_t>(group), k); });
    worker.each(input_jobs + own_jobs, [&](std::size_t job) {
      const bool of_input = job < input_jobs;
      const std::size_t jobs = of_input ? input_jobs : own_jobs, n = of_input ? rows : own;
      const std::size_t at = of_input ? job : job - input_jobs;
      const auto begin = static_cast<std::uint32_t>(at * n / jobs);
      const auto end = static_cast<std::uint32_t>((at + 1) * n / jobs);
      // A spike of the layer itself arrives a step later; the block's first step has no spikes
      // before step 0.
      const std::size_t shift = f.block_begin(k) == 0 ? width_ : 0;
      for (std::uint32_t tile = 0; tile < tiles_; ++tile) {
        const float* g = f.g.data() + f.row(tile, 0, 0) * width_;
        if (of_input) {
          input_->gradients(tile, begin, end, f.visits[k], g, fresh, sources);
        } else {
          recurrent_->gradients(tile, begin, end, f.recurrent[k], g + shift, fresh, false);
        }
      }
    });
  }
}

// One row of g goes into the kernel's gradient, and back to the entries of the input's list.
void SparseLayer::convolution_step(std::size_t q, std::uint32_t group, const SpikeLists& input,
                                   const float* row, float* input_ds) {
  float* kernel = flow_->kernel.data() + group * convolution_->gradient_size();
  const std::uint32_t begin = input.first[q];
  const std::uint32_t n = input_ds != nullptr ? input.first[q + 1] - begin : input.spikes[q];
  convolution_->backward(input.id.data() + begin, input.spikes[q], n, row,
                         input_ds != nullptr ? input_ds + begin : nullptr, kernel);
}

void SparseLayer::backward_convolution(Worker& worker, const SpikeLists& input, float* input_ds) {
  Flow& f = *flow_;
  worker.each(f.groups, [&](std::size_t group) {
    float* row = f.g.data() + group * (stride() + 16);
    for (std::uint32_t b = f.group_begin(group); b < f.group_begin(group + 1); ++b) {
      std::fill_n(row, width_, 0.0f);
      for (std::uint32_t t = f.steps; t-- > 0;) {
        flow_step(0, b, t, static_cast<std::uint32_t>(group), row, row);
        convolution_step(std::size_t{b} * f.steps + t, static_cast<std::uint32_t>(group), input,
                         row, input_ds);
      }
    }
  });
}

void SparseLayer::scatter_sources(Worker& worker, const SpikeLists& input,
                                  std::vector<float>& input_ds) {
  Flow& f = *flow_;
  const float scale = input_->projection().scale;
  worker.each(f.blocks, [&](std::size_t k) {
    f.visits[k].scatter(input, f.block_begin(k), f.block_end(k), scale, input_ds);
  });
}

void SparseLayer::decay_gradient(DecayFactor& factor, const AlignedArray<float>& sums) {
  std::vector<float> by_factor(stride());
  add_groups(sums.data(), flow_->groups, stride(), by_factor.data());
  factor.set_gradient(by_factor.data());
}

// u[t] by alpha of a readout: p[t] = u[t-1] + alpha p[t-1].
void SparseLayer::readout_decay_sums() {
  Flow& f = *flow_;
  for (std::uint32_t b = 0; b < f.samples; ++b) {
    for (std::uint32_t j = 0; j < topology_.neurons; ++j) {
      float before = 0.0f, p = 0.0f;
      for (std::uint32_t t = 0; t < f.steps; ++t) {
        const std::size_t q = std::size_t{b} * f.steps + t;
        p = before + membrane_.value()[j] * p;
        before = trace_[q * stride() + j];
        f.alpha[j] += f.derivative[derivative_row(q) * topology_.neurons + j] * p;
      }
    }
  }
}

void SparseLayer::finish_gradients(Worker& worker) {
  worker.once([&] {
    Flow& f = *flow_;
    if (convolution_) {
      add_groups(f.kernel.data(), f.groups, convolution_->gradient_size(),
                 convolution_->array().gradient.data());
    }
    if (input_ && input_->projection().scale != 1.0f) {
      for (float& x : input_->array().gradient) x *= input_->projection().scale;
    }
    if (bias_) add_groups(f.bias.data(), f.groups, stride(), bias_->gradient.data());
    if (is_readout() && membrane_.trained()) readout_decay_sums();
    if (membrane_.trained()) decay_gradient(membrane_, f.alpha);
    if (second_ && second_->trained()) decay_gradient(*second_, f.decay);
  });
}

void SparseLayer::backward(Worker& worker, const SpikeLists& input, const float* derivative,
                           std::vector<float>* input_ds) {
  const bool sources = input_ds != nullptr;
  worker.once([&] {
    prepare_flow(input, derivative);
    if (!sources) return;
    if (input_ds->size() < input.entries()) input_ds->resize(input.entries() + input.entries() / 8);
  });
  if (order_ == Order::convolution) {
    backward_convolution(worker, input, sources ? input_ds->data() : nullptr);
  } else {
    build_visits(worker, input, sources);
    if (order_ == Order::tiles) {
      backward_tiles(worker, sources);
    } else {
      backward_samples(worker, input, sources ? input_ds->data() : nullptr);
    }
    if (sources && input_) scatter_sources(worker, input, *input_ds);
  }
  finish_gradients(worker);
}

}  // namespace tessera::training
