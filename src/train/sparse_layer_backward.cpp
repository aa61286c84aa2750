// The backward pass of a layer: g = d loss / d I flows from step to step, gets what the lists
// bring, and goes into the gradients of the weights and back to the sources.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "train/sparse_layer_parts.hpp"

namespace tessera::training {
namespace {

// A block of g and the rows of weights of a tile stay in the second-level cache together.
constexpr std::size_t kBlockBytes = 900 << 10;
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

const float* SparseLayer::derivative_row(std::size_t q) const {
  return flow_->derivative + q * padded(topology_.neurons);
}

void SparseLayer::prepare_flow(SpikeLists& input, const float* derivative, bool sources,
                               std::vector<VisitBlock>& visits, int workers) {
  Flow& f = *flow_;
  f.samples = input.samples;
  f.steps = input.steps;
  f.derivative = derivative;
  // A group for every sample where one takes all steps: then the sums are those of steps that all samples take.
  const bool own_groups = recurrent_ && !convolution_;
  f.groups = own_groups ? f.samples : std::min(f.samples, Flow::kMostGroups);
  f.parts = sources && !convolution_ ? share_.own_parts() : 1;
  f.sections = input_ && input_->projection().pooled_index.empty() ? input.sections : 1;
  const std::uint32_t delay =
      std::max(input_ ? input_->max_delay() : 0, recurrent_ ? recurrent_->max_delay() : 0);
  const std::size_t fitting = kBlockBytes / (sizeof(float) * f.samples * width_);
  f.block_steps = delay > 0
                      ? f.steps
                      : std::clamp<std::uint32_t>(static_cast<std::uint32_t>(fitting), 1, f.steps);
  f.blocks = (f.steps + f.block_steps - 1) / f.block_steps;
  f.sample_rows =
      f.block_steps + 1 + delay;  // the next block's first, or zeros after the last step
  if (visits.size() < f.blocks * f.sections) visits.resize(f.blocks * f.sections);
  f.visits = &visits;
  f.recurrent.resize(f.blocks);
  f.fronts.resize(order_ == Order::tiles ? static_cast<std::size_t>(workers) : 1);
  f.resets.resize(static_cast<std::size_t>(workers));
  // A step of a sample, or its block where all steps flow at once; bits are read in whole words.
  const std::size_t reset_steps = order_ == Order::tiles ? f.block_steps : 1;
  for (auto& resets : f.resets) resets.resize(reset_steps * width_ / 8 + 8);
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
  const auto room_for_ds = [](SpikeLists& lists, const LayerShare* share) {
    for (std::uint32_t s = 0; s < lists.sections; ++s) {
      for (std::uint32_t part = 0; part < lists.parts && (share == nullptr || share->owns(s)); ++part) {
        Recording& r = lists.recording(s, part);
        grow(r.spikes.ds, r.spikes.size);
        grow(r.others.ds, r.others.size);
      }
    }
  };
  if (sources) room_for_ds(input, f.below);
  if (derivative == nullptr || is_readout()) return;
  room_for_ds(lists_, nullptr);
  output_ds();
}

// A spiking output gets its ds from the loss.
void SparseLayer::output_ds() {
  for (std::uint32_t s = 0; s < lists_.sections; ++s) {
    for (std::uint32_t b = 0; b < lists_.samples; ++b) {
      const std::uint32_t part = lists_.part_of(b), local = b - lists_.part_begin(part);
      Recording& r = lists_.recording(s, part);
      for (Stream* stream : {&r.spikes, &r.others}) {
        for (std::size_t e = stream->first[local]; e < stream->first[local + 1]; ++e) {
          const std::size_t q = std::size_t{b} * lists_.steps + stream->step[e];
          stream->ds[e] = derivative_row(q)[stream->id[e]];
        }
      }
    }
  }
}

// Memory of a worker's own tiles (who touches it first), or of the tiles that all share.
void SparseLayer::prepare_front(std::size_t k) {
  Flow& f = *flow_;
  Flow::Front& front = f.fronts[k];
  const std::size_t neurons = order_ == Order::tiles ? width_ : own_stride();
  if (order_ == Order::convolution) {
    resize(front.g, f.groups * 2 * std::size_t{width_} + 16);  // a step and the one after it
  } else {
    const std::size_t tiles = order_ == Order::tiles ? 1 : share_.own_tiles();
    resize(front.g, f.row(tiles, 0, 0) * width_);
    for (std::size_t tile = 0; tile < tiles; ++tile) {
      std::fill_n(front.g.data() + (f.row(tile, 0, 0) + f.zero_row()) * width_, width_, 0.0f);
    }
  }
  if (second_) resize(front.gu, f.samples * neurons);
  if (second_) resize(front.second, f.samples * neurons);
}

VisitRange SparseLayer::visit_range(std::uint32_t block, std::uint32_t section,
                                    bool sources) const {
  const Flow& f = *flow_;
  VisitRange range;
  if (input_->projection().pooled_index.empty()) range.section = section;
  range.first = f.block_begin(block);
  range.end = f.block_end(block);
  range.sample_stride = f.sample_rows;
  range.others = sources;
  range.padded = sources && input_->in_fours();
  range.zero_row = f.zero_row();
  return range;
}

void SparseLayer::build_visits(Worker& worker, const SpikeLists& input, bool sources) {
  Flow& f = *flow_;
  worker.each(input_ ? f.blocks * f.sections : 0, [&](std::size_t k) {
    const auto block = static_cast<std::uint32_t>(k / f.sections),
               section = static_cast<std::uint32_t>(k % f.sections);
    (*f.visits)[k].build(input, input_->projection().pooled_index, input_->rows(),
                         visit_range(block, section, sources), f.parts);
  });
  if (!recurrent_) return;
  worker.each(f.blocks, [&](std::size_t k) {
    // Spikes of the step before the block's first arrive in it.
    VisitRange range;
    range.first = std::max(f.block_begin(k), 1u) - 1;
    range.end = std::max(range.first, f.block_end(k) - 1);
    range.sample_stride = f.sample_rows;
    f.recurrent[k].build(lists_, {}, topology_.neurons, range);
  });
}

// Rows begin .. end of a section's visits, from the tile's rows of g.
void SparseLayer::row_gradients_of(const float* g, std::uint32_t tile, std::uint32_t block,
                                   std::uint32_t section, std::uint32_t begin, std::uint32_t end,
                                   bool sources) {
  Flow& f = *flow_;
  VisitBlock& visits = (*f.visits)[std::size_t{block} * f.sections + section];
  // The first tile of a part writes ds, the others add to it.
  const std::uint32_t part = share_.part_of(tile);
  const bool first_of_part = tile == share_.first_tile(part);
  float* ds = sources ? visits.ds.data() + std::size_t{part - share_.first_part(share_.rank)} * visits.visits() : nullptr;
  input_->gradients(tile, begin, end, visits, g,
                    {block + 1 == f.blocks, first_of_part}, ds);
}

// A part of the tiles belongs to one worker, from g to the gradients: no worker waits for another,
// and g stays in its cache. The parts that cannot be dealt out evenly are shared, tile by tile.
void SparseLayer::backward_tiles(Worker& worker, bool sources) {
  Flow& f = *flow_;
  const std::uint32_t parts = share_.own_parts(), first_part = share_.first_part(share_.rank);
  const auto workers = static_cast<std::uint32_t>(worker.workers());
  const std::uint32_t dealt = parts - parts % workers;
  const auto front = static_cast<std::size_t>(worker.id());
  worker.each_at_home(dealt, [&](std::size_t job) {
    const std::uint32_t part = first_part + static_cast<std::uint32_t>(job);
    for (std::uint32_t tile = share_.first_tile(part); tile < share_.first_tile(part + 1); ++tile) {
      for (std::uint32_t k = f.blocks; k-- > 0;) {
        for (std::uint32_t group = 0; group < f.groups; ++group)
          flow_group(worker, front, tile, group, k);
        for (std::uint32_t s = 0; s < f.sections; ++s) {
          row_gradients_of(f.fronts[front].g.data(), tile, k, s, 0, (*f.visits)[s].rows(), sources);
        }
      }
    }
  });
  const std::uint32_t pieces = (kRowJobs + f.sections - 1) / f.sections;
  for (std::uint32_t tile = share_.first_tile(first_part + dealt); tile < share_.end(); ++tile) {
    for (std::uint32_t k = f.blocks; k-- > 0;) {
      worker.each_at_home(f.groups, [&](std::size_t group) {
        flow_group(worker, 0, tile, static_cast<std::uint32_t>(group), k);
      });
      worker.each_at_home(std::size_t{f.sections} * pieces, [&](std::size_t job) {
        const auto s = static_cast<std::uint32_t>(job / pieces),
                   piece = static_cast<std::uint32_t>(job % pieces);
        const std::uint32_t rows = (*f.visits)[s].rows();
        row_gradients_of(f.fronts[0].g.data(), tile, k, s, piece * rows / pieces, (piece + 1) * rows / pieces,
                         sources);
      });
    }
  }
}

// What step t + 1 (and later ones, over delays) brings back to this layer's own entries of step t.
void SparseLayer::recurrent_sources(std::uint32_t b, std::uint32_t t, std::uint32_t block_begin,
                                    const StepEntries& in, std::vector<float>& sums) {
  Recording& r = lists_.recording(0, b);
  // A part is summed for itself, as a rank does that has it.
  for (std::uint32_t part = 0; part < share_.parts; ++part) {
    const auto project = [&](Stream& s, std::uint32_t begin, std::uint32_t end) {
      sums.assign(end - begin, 0.0f);
      project_part(part, b, t + 1 - block_begin, s.id.data() + begin, sums.size(), sums.data());
      for (std::size_t k = 0; k < sums.size(); ++k) s.ds[begin + k] += sums[k];
    };
    project(r.spikes, in.spike0, in.spike1);
    project(r.others, in.other0, in.other1);
  }
}

// sums[k] += what the tiles of a part bring back to source ids[k] from a row of g.
void SparseLayer::project_part(std::uint32_t part, std::uint32_t b, std::uint32_t row, const std::uint16_t* ids,
                               std::size_t n, float* sums) const {
  const Flow& f = *flow_;
  for (std::uint32_t tile = share_.first_tile(part); tile < share_.first_tile(part + 1); ++tile) {
    const float* g = f.fronts[0].g.data() + f.row(tile - share_.begin(), b, row) * width_;
    recurrent_->back_project(tile, ids, n, g, sums);
  }
}

namespace {

// The entries of every section of one sample, behind step end - 1.
void start_sample(const SpikeLists& lists, std::uint32_t b, std::uint32_t end,
                  std::vector<StepEntries>& entries) {
  const std::uint32_t part = lists.part_of(b), local = b - lists.part_begin(part);
  entries.clear();
  for (std::uint32_t s = 0; s < lists.sections; ++s)
    entries.push_back(StepEntries::behind(lists.recording(s, part), local, end));
}

// The entries with ids below `end` of those that `rest` has left; they leave it.
StepEntries take_below(const Recording& r, std::uint32_t end, StepEntries& rest) {
  StepEntries taken;
  taken.spike0 = taken.spike1 = rest.spike0;
  taken.other0 = taken.other1 = rest.other0;
  while (taken.spike1 < rest.spike1 && r.spikes.id[taken.spike1] < end) ++taken.spike1;
  while (taken.other1 < rest.other1 && r.others.id[taken.other1] < end) ++taken.other1;
  rest.spike0 = taken.spike1;
  rest.other0 = taken.other1;
  return taken;
}

}  // namespace

void SparseLayer::backward_samples(Worker& worker, SpikeLists& input, bool sources) {
  Flow& f = *flow_;
  float* all_g = f.fronts[0].g.data();
  const auto run_block = [&](std::uint32_t group, std::uint32_t k) {
    const std::uint32_t begin = f.block_begin(k), end = f.block_end(k);
    std::vector<StepEntries> inputs;
    std::vector<float> sums;
    for (std::uint32_t b = f.group_begin(group); b < f.group_begin(group + 1); ++b) {
      for (std::uint32_t tile = 0; tile < tiles_; ++tile)
        carry_row(all_g + f.row(tile, b, 0) * width_, k);
      Recording& own = lists_.recording(0, b);
      StepEntries entries = StepEntries::behind(own, 0, end - lag_);
      if (convolution_) start_sample(input, b, end, inputs);
      for (std::uint32_t t = end; t-- > begin;) {
        if (t >= lag_) entries.back_to(own, 0, t - lag_);
        if (t < lag_) entries = {};
        if (!local_ && t + 1 < f.steps) recurrent_sources(b, t, begin, entries, sums);
        StepEntries rest = entries;
        for (std::uint32_t tile = 0; tile < tiles_; ++tile) {
          float* row = all_g + f.row(tile, b, t - begin) * width_;
          flow_step(worker, 0, tile, b, t, group, own, take_below(own, (tile + 1) * width_, rest),
                    row);
          if (convolution_) convolution_step(inputs, b, t, group, input, row, sources);
        }
      }
    }
  };
  for (std::uint32_t k = f.blocks; k-- > 0;) {
    worker.each(f.groups,
                [&](std::size_t group) { run_block(static_cast<std::uint32_t>(group), k); });
    block_gradients(worker, k, sources);
  }
}

// Of a recurrent layer, from g of all own tiles in a block.
void SparseLayer::block_gradients(Worker& worker, std::uint32_t k, bool sources) {
  Flow& f = *flow_;
  const std::uint32_t own = topology_.neurons, pieces = (kRowJobs + f.sections - 1) / f.sections;
  const std::uint32_t input_jobs = input_ ? f.sections * pieces : 0,
                      own_jobs = std::min(kRowJobs, own);
  for (std::uint32_t tile = share_.begin(); tile < share_.end(); ++tile) {
    const float* g = f.fronts[0].g.data() + f.row(tile - share_.begin(), 0, 0) * width_;
    worker.each(input_jobs + own_jobs, [&](std::size_t job) {
      if (job < input_jobs) {
        const auto section = static_cast<std::uint32_t>(job / pieces), piece = static_cast<std::uint32_t>(job % pieces);
        const std::uint32_t rows = (*f.visits)[std::size_t{k} * f.sections + section].rows();
        row_gradients_of(g, tile, k, section, piece * rows / pieces, (piece + 1) * rows / pieces, sources);
        return;
      }
      const auto at = static_cast<std::uint32_t>(job - input_jobs);
      // A spike of the layer itself arrives a step later; the block's first step has no spikes
      // before step 0.
      const std::size_t shift = f.block_begin(k) == 0 ? width_ : 0;
      recurrent_->gradients(tile, at * own / own_jobs, (at + 1) * own / own_jobs, f.recurrent[k],
                            g + shift, {k + 1 == f.blocks, false}, nullptr);
    });
  }
}

// One row of g goes into the kernel's gradient, and back to the entries of the input in this step.
void SparseLayer::convolution_step(std::vector<StepEntries>& entries, std::uint32_t b,
                                   std::uint32_t t, std::uint32_t group, SpikeLists& input,
                                   const float* row, bool sources) {
  float* kernel = flow_->kernel.data() + group * convolution_->gradient_size();
  const std::uint32_t part = input.part_of(b), local = b - input.part_begin(part);
  for (std::uint32_t s = 0; s < input.sections; ++s) {
    Recording& r = input.recording(s, part);
    StepEntries& in = entries[s];
    in.back_to(r, local, t);
    const std::uint32_t spikes = in.spike1 - in.spike0, others = in.other1 - in.other0;
    convolution_->backward(r.spikes.id.data() + in.spike0, spikes, spikes, row,
                           sources ? r.spikes.ds.data() + in.spike0 : nullptr, kernel);
    if (!sources) continue;
    convolution_->backward(r.others.id.data() + in.other0, 0, others, row,
                           r.others.ds.data() + in.other0, kernel);
  }
}

void SparseLayer::backward_convolution(Worker& worker, SpikeLists& input, bool sources) {
  Flow& f = *flow_;
  worker.each(f.groups, [&](std::size_t job) {
    const auto group = static_cast<std::uint32_t>(job);
    float* row = f.fronts[0].g.data() + group * 2 * std::size_t{width_};
    std::vector<StepEntries> inputs;
    for (std::uint32_t b = f.group_begin(group); b < f.group_begin(group + 1); ++b) {
      std::fill_n(row + width_, width_, 0.0f);
      Recording& own = lists_.recording(0, b);
      StepEntries entries = StepEntries::behind(own, 0, f.steps);
      start_sample(input, b, f.steps, inputs);
      for (std::uint32_t t = f.steps; t-- > 0;) {
        entries.back_to(own, 0, t);
        flow_step(worker, 0, 0, b, t, group, own, entries, row);
        convolution_step(inputs, b, t, group, input, row, sources);
        std::copy_n(row, width_, row + width_);
      }
    }
  });
}

void SparseLayer::scatter_sources(Worker& worker, SpikeLists& input) {
  Flow& f = *flow_;
  if (exchange_ != nullptr) {
    return exchange_->return_ds(worker, share_, *f.below, f.blocks, *f.visits, input, [&](std::uint32_t k, std::uint32_t s) {
      return visit_range(k, s, true);
    });
  }
  const float scale = input_->projection().scale;
  worker.each(f.blocks * f.sections, [&](std::size_t k) {
    const auto block = static_cast<std::uint32_t>(k / f.sections),
               section = static_cast<std::uint32_t>(k % f.sections);
    (*f.visits)[k].scatter(input, visit_range(block, section, true), scale);
  });
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
        f.alpha[j] += derivative_row(q)[j] * p;
      }
    }
  }
}

// Sums of all ranks' neurons, as each of them updates all biases and decay factors.
void SparseLayer::sum_groups() {
  Flow& f = *flow_;
  const auto gather = [&](float* sums) {
    if (exchange_ != nullptr) exchange_->gather_columns(share_, {sums, 1, stride(), width_, topology_.neurons});
  };
  if (bias_) {
    add_groups(f.bias.data(), f.groups, stride(), bias_->gradient.data());
    gather(bias_->gradient.data());
  }
  const auto decay = [&](DecayFactor& factor, const AlignedArray<float>& sums) {
    std::vector<float> by_factor(stride());
    add_groups(sums.data(), f.groups, stride(), by_factor.data());
    gather(by_factor.data());
    factor.set_gradient(by_factor.data());
  };
  if (is_readout() && membrane_.trained()) readout_decay_sums();
  if (membrane_.trained()) decay(membrane_, f.alpha);
  if (second_ && second_->trained()) decay(*second_, f.decay);
}

void SparseLayer::finish_gradients(Worker& worker) {
  const auto finish = [&] {
    Flow& f = *flow_;
    if (convolution_) {
      add_groups(f.kernel.data(), f.groups, convolution_->gradient_size(),
                 convolution_->array().gradient.data());
    }
    if (input_ && input_->projection().scale != 1.0f) {
      for (float& x : input_->array().gradient) x *= input_->projection().scale;
    }
    sum_groups();
  };
  exchange_ != nullptr ? worker.on_caller(finish) : worker.once(finish);
}

void SparseLayer::backward(Worker& worker, SpikeLists& input, const float* derivative, bool sources,
                           std::vector<VisitBlock>& visits, const LayerShare* below) {
  worker.once([&] {
    if (!flow_) flow_ = std::make_unique<Flow>();
    flow_->below = exchange_ != nullptr ? below : nullptr;
    prepare_flow(input, derivative, sources, visits, worker.workers());
    if (order_ != Order::tiles) prepare_front(0);
  });
  if (order_ == Order::tiles) prepare_front(static_cast<std::size_t>(worker.id()));
  if (order_ == Order::convolution) {
    backward_convolution(worker, input, sources);
  } else {
    build_visits(worker, input, sources);
    if (order_ == Order::tiles) {
      backward_tiles(worker, sources);
    } else if (order_ == Order::steps) {
      backward_steps(worker, sources);
    } else {
      backward_samples(worker, input, sources);
    }
    if (sources && input_) scatter_sources(worker, input);
  }
  finish_gradients(worker);
}

}  // namespace tessera::training
