// The layer and its forward pass.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "train/sparse_layer.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "train/sparse_layer_parts.hpp"

namespace tessera::training {
namespace {

// The input of a sample's next steps, beside the weights that make it.
constexpr std::size_t kInputBytes = 600 << 10;

}  // namespace

SparseLayer::SparseLayer(const Layer& layer, const LayerTopology& topology, TileExchange* exchange)
    : layer_(layer),
      topology_(topology),
      share_(topology.share),
      exchange_(exchange),
      width_(topology.tile_width),
      tiles_(share_.tiles),
      membrane_(layer, DecayRole::membrane, topology.neurons, std::size_t{tiles_} * width_) {
  const bool convolves = topology.input.spec.kind == ConnectionKind::convolution;
  order_ = topology.recurrent ? (exchange != nullptr ? Order::steps : Order::samples)
           : convolves          ? Order::convolution : Order::tiles;
  if (convolves) {
    convolution_.emplace(topology.input, layer.name + ".weight");
  } else {
    input_.emplace(topology.input, layer.name + ".weight", width_, share_);
  }
  if (topology.recurrent)
    recurrent_.emplace(*topology.recurrent, layer.name + ".recurrent_weight", width_, share_);
  if (layer.bias) {
    bias_.emplace(layer.name + ".bias", std::vector<std::uint64_t>{topology.neurons},
                  ArrayLayout::tiled(1, topology.neurons, width_));
  }
  if (layer.neuron == NeuronKind::synaptic_lif)
    second_.emplace(layer, DecayRole::synapse, topology.neurons, stride());
  if (layer.neuron == NeuronKind::adaptive_lif)
    second_.emplace(layer, DecayRole::adaptation, topology.neurons, stride());
  counts_.resize(topology.neurons);
  parameters_changed();
}

SparseLayer::~SparseLayer() = default;
SparseLayer::SparseLayer(SparseLayer&&) noexcept = default;

std::vector<ParameterArray*> SparseLayer::arrays() {
  std::vector<ParameterArray*> all;
  all.push_back(convolution_ ? &convolution_->array() : &input_->array());
  if (recurrent_) all.push_back(&recurrent_->array());
  if (bias_) all.push_back(&*bias_);
  if (membrane_.logit() != nullptr) all.push_back(membrane_.logit());
  if (second_ && second_->logit() != nullptr) all.push_back(second_->logit());
  return all;
}

void SparseLayer::parameters_changed() {
  membrane_.refresh();
  if (second_) second_->refresh();
}

void SparseLayer::input_matrix(std::vector<float>& matrix) const {
  const Projection& p = topology_.input;
  matrix.assign(std::size_t{p.sources} * topology_.neurons, 0.0f);
  input_->for_each([&](std::uint32_t source, std::uint32_t target, float weight) {
    matrix[std::size_t{source} * topology_.neurons + target] += p.scale * weight;
  });
}

Membrane SparseLayer::make_membrane(std::uint32_t tile) const {
  Membrane m = membrane_of(layer_, theta_grad_);
  m.alpha = membrane_.value() + std::size_t{tile} * width_;
  m.second = second_ ? second_->value() + std::size_t{tile} * width_ : nullptr;
  return m;
}

std::uint32_t SparseLayer::neurons_of(std::uint32_t tile) const {
  return std::min(width_, topology_.neurons - tile * width_);
}

std::uint32_t SparseLayer::list_capacity() const {
  const double most = std::ceil(layer_.max_activity * topology_.neurons);
  return static_cast<std::uint32_t>(std::clamp<double>(most, 1.0, topology_.neurons));
}

void SparseLayer::make_state(std::size_t neurons, Scratch& s) const {
  s.u = AlignedArray<float>(neurons);
  if (second_) s.second = AlignedArray<float>(neurons);
  if (layer_.refractory > 1) s.quiet = AlignedArray<float>(neurons);
  if (gradients_ && membrane_.trained() && !is_readout()) s.u_by_alpha = AlignedArray<float>(neurons);
  if (!(gradients_ && second_ && second_->trained())) return;
  s.second_by_decay = AlignedArray<float>(neurons);
  if (layer_.neuron == NeuronKind::synaptic_lif) s.u_by_kappa = AlignedArray<float>(neurons);
}

std::unique_ptr<SparseLayer::Scratch> SparseLayer::make_scratch() const {
  auto s = std::make_unique<Scratch>();
  const bool by_tiles = order_ == Order::tiles || order_ == Order::steps;
  const std::size_t neurons = by_tiles ? width_ : stride();
  if (order_ != Order::steps) make_state(neurons, *s);
  if (order_ == Order::samples) {
    const std::size_t fitting = kInputBytes / (sizeof(float) * neurons);
    s->block_steps =
        std::clamp<std::uint32_t>(static_cast<std::uint32_t>(fitting), 1, lists_.steps);
  }
  s->current =
      AlignedArray<float>(s->block_steps * neurons + 16);  // a convolution reads a little further
  const bool alpha = gradients_ && membrane_.trained() && !is_readout();
  const bool second = gradients_ && second_ && second_->trained();
  const std::size_t room = neurons * (order_ == Order::tiles ? Recording::kRunSteps : 1) + 16;
  s->candidate_place = AlignedArray<std::uint32_t>(room);
  s->candidate_value[0] = AlignedArray<float>(room);
  if (alpha) s->candidate_value[1] = AlignedArray<float>(room);
  if (second) s->candidate_value[2] = AlignedArray<float>(room);
  s->candidates = {s->candidate_place.data(), s->candidate_value[0].data(),
                   alpha ? s->candidate_value[1].data() : nullptr,
                   second ? s->candidate_value[2].data() : nullptr};
  const std::uint32_t rings = order_ == Order::steps ? 0 : order_ == Order::tiles ? 1 : tiles_;
  for (std::uint32_t k = 0; k < rings; ++k) {
    if (input_) s->input_ring.push_back(input_->make_ring());
    if (recurrent_) s->recurrent_ring.push_back(recurrent_->make_ring());
  }
  return s;
}

// I[t] of a tile from the layer below and the bias.
void SparseLayer::input_current(std::uint32_t tile, std::size_t list, std::uint32_t step,
                                const SpikeLists& input, DelayRing* ring, float* current) const {
  std::fill_n(current, width_, 0.0f);  // a convolution is one tile
  const std::uint16_t* ids = input.id.data() + input.first[list];
  const std::size_t spikes = input.first[list + 1] - input.first[list];
  if (convolution_) {
    convolution_->add(ids, spikes, current);
  } else {
    input_->add(tile, ids, spikes, step, *ring, current);
  }
  if (!bias_) return;
  const float* bias = bias_->value.data() + std::size_t{tile} * width_;
  for (std::uint32_t j = 0; j < width_; ++j) current[j] += bias[j];
}

MembraneState SparseLayer::state_at(std::size_t at, Scratch& s) {
  const auto part = [at](AlignedArray<float>& array) {
    return array.size() > 0 ? array.data() + at : nullptr;
  };
  return {part(s.u), part(s.second), part(s.u_by_alpha), part(s.second_by_decay),
          part(s.u_by_kappa), part(s.quiet)};
}

// Step t of one tile.
void SparseLayer::step(std::uint32_t tile, std::uint32_t t, const MembraneState& state, const float* current,
                       Candidates& candidates) const {
  membrane_step(tile_membranes_[tile], state, current, neurons_of(tile), Candidates::place_of(t, tile * width_),
                gradients_, candidates);
}

void SparseLayer::run_readout(std::uint32_t tile, std::size_t list, const float* current,
                              float* u) {
  readout_step(membrane_.value() + std::size_t{tile} * width_,
               static_cast<float>(1.0 / layer_.capacitance), current, width_, u,
               trace_.data() + list * stride() + std::size_t{tile} * width_);
}

// A tile whose input is nothing but rows of weights and a bias; without weights: not that simple.
TileRun SparseLayer::plain_run(std::uint32_t tile, const SpikeLists& input, Scratch& s) const {
  TileRun run;
  run.membrane = &tile_membranes_[tile];
  run.state = state_at(0, s);
  run.neurons = neurons_of(tile);
  run.first_id = tile * width_;
  run.width = width_;
  run.steps = lists_.steps;
  run.gradients = gradients_;
  run.weights = is_readout() ? nullptr : input_->plain_rows(tile);
  run.bias = bias_ ? bias_->value.data() + std::size_t{tile} * width_ : nullptr;
  run.ids = input.id.data();
  run.current = s.current.data();
  return run;
}

void SparseLayer::run_tile(std::uint32_t tile, std::uint32_t part, const SpikeLists& input,
                           Scratch& s) {
  Recording& recording = lists_.recording(tile, part);
  recording.clear(gradients_);
  TileRun plain = plain_run(tile, input, s);
  for (std::uint32_t b = lists_.part_begin(part); b < lists_.part_begin(part + 1); ++b) {
    s.clear();
    recording.begin_sample();
    const std::size_t q = std::size_t{b} * lists_.steps;
    plain.first = input.first.data() + q;
    if (plain.weights != nullptr) recording.append_run(plain, s.candidates);
    for (std::uint32_t t = 0; plain.weights == nullptr && t < lists_.steps; ++t) {
      input_current(tile, q + t, t, input, s.input_ring.data(), s.current.data());
      if (is_readout()) {
        run_readout(tile, q + t, s.current.data(), s.u.data());
        continue;
      }
      s.candidates.clear();
      step(tile, t, state_at(0, s), s.current.data(), s.candidates);
      recording.append(tile_membranes_[tile], s.candidates, gradients_);
    }
    expect_finite(layer_, s.u.data(), neurons_of(tile));  // a NaN stays to the end of the sample
  }
  recording.end_samples();
}

// The input of a block of steps, tile by tile, so that the tile's weights stay in the cache.
void SparseLayer::input_block(std::uint32_t b, std::uint32_t begin, std::uint32_t end,
                              const SpikeLists& input, Scratch& s) const {
  for (std::uint32_t tile = 0; tile < tiles_; ++tile) {
    DelayRing* ring = input_ ? &s.input_ring[tile] : nullptr;
    float* current = s.current.data() + std::size_t{tile} * width_;
    for (std::uint32_t t = begin; t < end; ++t, current += stride()) {
      input_current(tile, std::size_t{b} * lists_.steps + t, t, input, ring, current);
    }
  }
}

void SparseLayer::run_sample(std::uint32_t b, const SpikeLists& input, Scratch& s) {
  Recording& recording = lists_.recording(0, b);
  recording.clear(gradients_);
  recording.begin_sample();
  s.clear();
  for (std::uint32_t t = 0; t < lists_.steps; ++t) {
    const std::uint32_t in_block = t % s.block_steps;
    if (in_block == 0) input_block(b, t, std::min(t + s.block_steps, lists_.steps), input, s);
    s.candidates.clear();
    for (std::uint32_t tile = 0; tile < tiles_; ++tile) {
      const std::size_t at = std::size_t{tile} * width_;
      float* current = s.current.data() + in_block * stride() + at;
      if (recurrent_) {
        recurrent_->add(tile, s.last_spikes.data(), s.last_spikes.size(), t, s.recurrent_ring[tile],
                        current);
      }
      if (is_readout()) {
        run_readout(tile, std::size_t{b} * lists_.steps + t, current, s.u.data() + at);
      } else {
        step(tile, t, state_at(at, s), current, s.candidates);
      }
    }
    if (is_readout()) continue;
    const std::uint32_t spikes = recording.append(tile_membranes_[0], s.candidates, gradients_);
    const std::uint32_t kept = std::min(spikes, list_capacity());  // as in the lists
    const auto last =
        recording.spikes.id.begin() + static_cast<std::ptrdiff_t>(recording.spikes.size - spikes);
    s.last_spikes.assign(last, last + kept);
  }
  recording.end_samples();
  expect_finite(layer_, s.u.data(), topology_.neurons);
}

void SparseLayer::run_neurons(Worker& worker, const SpikeLists& input) {
  if (order_ == Order::steps) return run_steps(worker, input);
  Scratch& scratch = *scratch_[static_cast<std::size_t>(worker.id())];
  const std::uint32_t own = order_ == Order::tiles ? share_.own_tiles() : 1;
  worker.each(std::size_t{own} * lists_.parts, [&](std::size_t job) {
    const auto k = static_cast<std::uint32_t>(job);
    const auto run = [&] {
      if (order_ == Order::tiles) {
        run_tile(share_.begin() + k / lists_.parts, k % lists_.parts, input, scratch);
      } else {
        run_sample(k, input, scratch);
      }
    };
    exchange_ != nullptr ? exchange_->keep_failure(run) : run();
  });
}

void SparseLayer::let_run(Worker& worker, const SpikeLists& input) {
  const Membrane all = constants();
  const ParameterArray* recurrent = recurrent_ ? &recurrent_->array() : nullptr;
  runner_->run(worker, {input, lists_, trace_.data(), stride(), list_capacity(), gradients_, all,
                        convolution_ ? convolution_->array() : input_->array(), recurrent, bias_ ? &*bias_ : nullptr});
}

void SparseLayer::forward(Worker& worker, const SpikeLists& input, double theta_grad,
                          bool gradients) {
  worker.once([&] {
    theta_grad_ = theta_grad;
    tile_membranes_.clear();
    for (std::uint32_t tile = 0; tile < tiles_; ++tile)
      tile_membranes_.push_back(make_membrane(tile));
    lists_.samples = input.samples;
    lists_.steps = input.steps;
    const bool by_tiles = order_ == Order::tiles || order_ == Order::steps;
    lists_.section_width = by_tiles ? width_ : stride();
    if (scratch_.empty() || gradients != gradients_) {
      gradients_ = gradients;
      scratch_.clear();
      for (int k = 0; k < worker.workers(); ++k) scratch_.push_back(make_scratch());
    }
    if (order_ == Order::tiles) {
      // Jobs enough for all workers to end at about the same time.
      const auto parts = (4 * static_cast<std::uint32_t>(worker.workers()) + tiles_ - 1) / tiles_;
      lists_.resize(tiles_, std::min(parts, input.samples));
    } else {
      lists_.resize(by_tiles ? tiles_ : 1, input.samples);
    }
    const std::size_t cells = is_readout() ? lists_.lists() * stride() : 0;
    if (trace_.size() < cells) trace_ = AlignedArray<float>(cells);
  });
  runner_ != nullptr ? let_run(worker, input) : run_neurons(worker, input);
  if (exchange_ != nullptr && is_readout()) {
    exchange_->gather_columns(worker, share_, {trace_.data(), lists_.lists(), stride(), width_, topology_.neurons});
  } else if (exchange_ != nullptr) {
    // Where steps were exchanged, all know who spiked.
    exchange_->gather_lists(worker, share_, {order_ != Order::steps, gradients}, topology_.neurons, lists_);
  }
  if (is_readout()) return;
  merge_.run(worker, list_capacity(), topology_.neurons, lists_);
  worker.once([&] { merge_.sum_counts(counts_); });
}

LayerActivity SparseLayer::activity() const {
  LayerActivity a;
  a.name = layer_.name;
  for (const std::uint32_t n : counts_) {
    a.spikes += n;
    a.silent_neurons += n == 0 ? 1 : 0;
  }
  a.listed = lists_.entries();
  a.dropped_spikes = merge_.total_dropped().spikes;
  a.dropped_gradients = merge_.total_dropped().others;
  a.neuron_steps = std::uint64_t{topology_.neurons} * lists_.lists();
  return a;
}

}  // namespace tessera::training
