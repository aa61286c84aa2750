// A recurrent layer whose tiles lie on several ranks: all samples of the batch take a step, the ranks tell each other
// who spiked, and so on; backward in the same way. The sums are those of a sample that takes all its steps alone.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "train/sparse_layer_parts.hpp"

namespace tessera::training {
namespace {

// Ranges of samples of a tile: jobs enough for all workers to end at about the same time.
std::uint32_t sample_ranges(const Worker& worker, std::uint32_t samples, std::uint32_t tiles) {
  const auto jobs = 4 * static_cast<std::uint32_t>(worker.workers());
  return std::min(samples, (jobs + tiles - 1) / std::max(tiles, 1u));
}

std::uint32_t range_begin(std::uint32_t range, std::uint32_t samples, std::uint32_t ranges) {
  return static_cast<std::uint32_t>(std::uint64_t{range} * samples / ranges);
}

}  // namespace

void SparseLayer::prepare_steps(const SpikeLists& input) {
  if (!steps_) {
    steps_ = std::make_unique<Steps>(
        Steps{StepExchange(exchange_->ranks(), share_, width_, topology_.neurons), {}, 0, false});
  }
  Steps& s = *steps_;
  if (s.samples != input.samples || s.gradients != gradients_) {
    s.samples = input.samples;
    s.gradients = gradients_;
    s.state = {};
    make_state(std::size_t{s.samples} * own_stride(), s.state);
    for (std::size_t k = 0; k < std::size_t{s.samples} * share_.own_tiles(); ++k) {
      s.state.input_ring.push_back(input_->make_ring());
      s.state.recurrent_ring.push_back(recurrent_->make_ring());
    }
  }
  s.state.clear();
  s.exchange.begin(lists_);
  for (std::uint32_t tile = share_.begin(); tile < share_.end(); ++tile) {
    for (std::uint32_t b = 0; b < s.samples; ++b) {
      lists_.recording(tile, b).clear(gradients_);
      lists_.recording(tile, b).begin_sample();
    }
  }
}

// Step t of the neurons of an own tile in one sample.
void SparseLayer::run_step(std::uint32_t tile, std::uint32_t b, std::uint32_t t, const SpikeLists& input, Scratch& s) {
  Scratch& all = steps_->state;
  const std::size_t k = std::size_t{b} * share_.own_tiles() + (tile - share_.begin());
  input_current(tile, std::size_t{b} * lists_.steps + t, t, input, &all.input_ring[k], s.current.data());
  const std::vector<std::uint16_t>& last = steps_->exchange.spikes(b);
  recurrent_->add(tile, last.data(), last.size(), t, all.recurrent_ring[k], s.current.data());
  s.candidates.clear();
  step(tile, t, state_at(k * width_, all), s.current.data(), s.candidates);
  lists_.recording(tile, b).append(tile_membranes_[tile], s.candidates, gradients_);
}

void SparseLayer::run_steps(Worker& worker, const SpikeLists& input) {
  worker.once([&] { prepare_steps(input); });
  Scratch& scratch = *scratch_[static_cast<std::size_t>(worker.id())];
  const std::uint32_t own = share_.own_tiles(), samples = lists_.samples, ranges = sample_ranges(worker, samples, own);
  for (std::uint32_t t = 0; t < lists_.steps; ++t) {
    worker.each(std::size_t{own} * ranges, [&](std::size_t job) {
      const auto tile = share_.begin() + static_cast<std::uint32_t>(job / ranges),
                 range = static_cast<std::uint32_t>(job % ranges);
      exchange_->keep_failure([&] {
        const std::uint32_t end = range_begin(range + 1, samples, ranges);
        for (std::uint32_t b = range_begin(range, samples, ranges); b < end; ++b) run_step(tile, b, t, input, scratch);
      });
    });
    worker.on_caller([&] {
      steps_->exchange.gather_spikes(t, lists_);
      for (std::uint32_t b = 0; b < samples; ++b) steps_->exchange.keep(b, list_capacity());  // as in the lists
    });
  }
  worker.once([&] { steps_->exchange.end(lists_); });
  worker.each(std::size_t{own} * samples, [&](std::size_t job) {
    const auto tile = share_.begin() + static_cast<std::uint32_t>(job / samples),
               b = static_cast<std::uint32_t>(job % samples);
    lists_.recording(tile, b).end_samples();
    const std::size_t k = std::size_t{b} * own + (tile - share_.begin());
    exchange_->keep_failure([&] { expect_finite(layer_, steps_->state.u.data() + k * width_, neurons_of(tile)); });
  });
}

void SparseLayer::backward_steps(Worker& worker, bool sources) {
  Flow& f = *flow_;
  float* const all_g = f.fronts[0].g.data();
  StepExchange& exchange = steps_->exchange;
  const std::uint32_t own = share_.own_tiles();
  for (std::uint32_t k = f.blocks; k-- > 0;) {
    const std::uint32_t begin = f.block_begin(k), end = f.block_end(k);
    worker.each(std::size_t{own} * f.samples, [&](std::size_t job) {
      carry_row(all_g + f.row(job / f.samples, static_cast<std::uint32_t>(job % f.samples), 0) * width_, k);
    });
    exchange.begin_back(worker, end, lists_);
    for (std::uint32_t t = end; t-- > begin;) {
      exchange.step_back(worker, t, t + 1 < f.steps, lists_,
                         [&](std::uint32_t part, std::uint32_t section, std::uint32_t b, const StepEntries& in, float* sums) {
                           const Recording& r = lists_.recording(section, b);
                           const std::uint32_t spikes = in.spike1 - in.spike0, row = t + 1 - begin;
                           project_part(part, b, row, r.spikes.id.data() + in.spike0, spikes, sums);
                           project_part(part, b, row, r.others.id.data() + in.other0, in.other1 - in.other0, sums + spikes);
                         });
      worker.each(std::size_t{own} * f.samples, [&](std::size_t job) {
        const auto i = static_cast<std::uint32_t>(job / f.samples), b = static_cast<std::uint32_t>(job % f.samples);
        const std::uint32_t tile = share_.begin() + i;
        flow_step(worker, 0, tile, b, t, b, lists_.recording(tile, b), exchange.entries(tile, b),
                  all_g + f.row(i, b, t - begin) * width_);
      });
    }
    block_gradients(worker, k, sources);
  }
}

}  // namespace tessera::training
