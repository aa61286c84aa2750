// The layer and its forward pass.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "train/dense_layer.hpp"

#include <algorithm>
#include <cstring>

namespace tessera::training {
namespace {

// Products of a few hundred rows run at full speed, and a block of their columns stays in the
// second-level cache for the neurons' steps.
constexpr std::uint32_t kGroupRows = 400;
constexpr std::uint32_t kMostBlockSteps = 512;
// Enough groups that workers wait little for the last one.
constexpr std::uint32_t kGroups = 12;
// Columns of a recurrent layer's step: at least a few jobs.
constexpr std::size_t kFewestStepColumns = 64, kMostStepColumns = 256;

std::optional<DecayFactor> second_factor(const Layer& layer, std::uint32_t neurons) {
  const std::size_t stride = padded(neurons);
  if (layer.neuron == NeuronKind::synaptic_lif)
    return DecayFactor(layer, DecayRole::synapse, neurons, stride);
  if (layer.neuron == NeuronKind::adaptive_lif)
    return DecayFactor(layer, DecayRole::adaptation, neurons, stride);
  return std::nullopt;
}

}  // namespace

RowCut RowCut::of(std::uint32_t samples, std::uint32_t steps) {
  RowCut cut;
  cut.samples = samples;
  cut.steps = steps;
  const std::uint32_t most = (samples + kGroups - 1) / kGroups;
  cut.group_samples = std::max(1u, std::min(most, kGroupRows / std::max(1u, steps)));
  cut.groups = (samples + cut.group_samples - 1) / cut.group_samples;
  cut.block_steps = cut.group_samples > 1 ? steps : std::min(steps, kMostBlockSteps);
  cut.blocks = (steps + cut.block_steps - 1) / cut.block_steps;
  return cut;
}

Span RowCut::samples_of(std::size_t group) const {
  return {group * group_samples, std::min<std::size_t>(samples, (group + 1) * group_samples)};
}

Span RowCut::steps_of(std::size_t block) const {
  return {block * block_steps, std::min<std::size_t>(steps, (block + 1) * block_steps)};
}

Span RowCut::rows_of(std::size_t group, std::size_t block) const {
  const Span s = samples_of(group), t = steps_of(block);
  return {s.begin * steps + t.begin, (s.end - 1) * steps + t.end};
}

EvenCut step_columns(std::size_t stride) {
  return {stride, std::clamp(padded(stride / 4), kFewestStepColumns, kMostStepColumns)};
}

DenseLayer::DenseLayer(const Layer& layer, const LayerTopology& topology)
    : layer_(layer),
      topology_(topology),
      neurons_(topology.neurons),
      stride_(padded(topology.neurons)),
      input_(topology.input, layer.name + ".weight"),
      membrane_(layer, DecayRole::membrane, topology.neurons, padded(topology.neurons)),
      second_decay_(second_factor(layer, topology.neurons)),
      zeros_(padded(topology.neurons)) {
  if (topology.recurrent) recurrent_.emplace(*topology.recurrent, layer.name + ".recurrent_weight");
  if (layer.bias) {
    bias_.emplace(layer.name + ".bias", std::vector<std::uint64_t>{neurons_},
                  ArrayLayout::tiled(1, neurons_, stride_));
  }
  spikes_.neurons = neurons_;
  spikes_.stride = stride_;
  count_.resize(neurons_);
}

std::vector<ParameterArray*> DenseLayer::arrays() {
  std::vector<ParameterArray*> all{&input_.array()};
  if (recurrent_) all.push_back(&recurrent_->array());
  if (bias_) all.push_back(&*bias_);
  if (membrane_.logit() != nullptr) all.push_back(membrane_.logit());
  if (second_decay_ && second_decay_->logit() != nullptr) all.push_back(second_decay_->logit());
  return all;
}

void DenseLayer::parameters_changed() {
  membrane_.refresh();
  if (second_decay_) second_decay_->refresh();
}

Membrane DenseLayer::membrane(std::size_t column) const {
  Membrane m = membrane_of(layer_, theta_grad_);
  m.alpha = membrane_.value() + column;
  m.second = second_decay_ ? second_decay_->value() + column : nullptr;
  return m;
}

// The backward pass needs a[t] for the threshold, and i[t] for nothing but the gradient of kappa.
bool DenseLayer::keeps_second() const {
  return second_decay_ && (layer_.neuron == NeuronKind::adaptive_lif || second_decay_->trained());
}

void DenseLayer::prepare_forward(int workers) {
  const std::size_t cells = cut_.rows() * stride_;
  make_room(u_, cells);
  if (!is_readout()) make_room(spikes_.spike, cells);
  if (keeps_second()) make_room(second_, cells);
  if (second_decay_ && !keeps_second()) make_room(current_, cut_.samples * stride_);
  if (recurrent_) make_room(last_spikes_, 2 * cut_.samples * stride_);
  if (pools()) make_room(pooled_, cut_.rows() * input_.rows());
  counts_.resize(static_cast<std::size_t>(workers));
  for (AlignedArray<std::uint32_t>& counts : counts_) {
    make_room(counts, stride_);
    std::fill(counts.begin(), counts.end(), 0u);
  }
  listed_.assign(static_cast<std::size_t>(workers), 0);
}

void DenseLayer::pool(Span rows, const SpikeMatrix& below) {
  const Projection& p = topology_.input;
  for (std::size_t q = rows.begin; q < rows.end; ++q) {
    float* pooled = pooled_.data() + q * input_.rows();
    std::fill_n(pooled, input_.rows(), 0.0f);
    const std::uint8_t* spike = below.spike.data() + q * below.stride;
    for (std::size_t j = 0; j < below.stride; j += 8) {
      std::uint64_t eight;
      std::memcpy(&eight, spike + j, 8);
      if (eight == 0) continue;
      for (std::size_t k = j; k < std::min<std::size_t>(j + 8, below.neurons); ++k) {
        if (spike[k] != 0 && p.pooled_index[k] != not_pooled) pooled[p.pooled_index[k]] += p.scale;
      }
    }
  }
}

MatrixIn DenseLayer::sources(Span rows, Span columns, const SpikeMatrix& below,
                             DenseScratch& scratch) const {
  if (pools()) return {pooled_.data() + rows.begin * input_.rows() + columns.begin, input_.rows()};
  make_room(scratch.x, rows.size() * columns.size());
  for (std::size_t q = rows.begin; q < rows.end; ++q) {
    expand_spikes(below.spike.data() + q * below.stride + columns.begin, columns.size(),
                  scratch.x.data() + (q - rows.begin) * columns.size());
  }
  return {scratch.x.data(), columns.size()};
}

// I[t] from the layer below and the bias, and then the neurons' steps, a block of columns after the
// other.
void DenseLayer::currents(std::size_t group, Span rows, const SpikeMatrix& below,
                          DenseScratch& scratch, int worker) {
  if (pools()) pool(rows, below);
  const MatrixIn x = sources(rows, {0, input_.rows()}, below, scratch);
  const EvenCut cut(stride_, kColumnsPerJob);
  const std::size_t steps = rows.size() / cut_.samples_of(group).size();
  for (std::size_t k = 0; k < cut.parts; ++k) {
    const Span columns = cut.part(k);
    for (std::size_t q = rows.begin; bias_ && q < rows.end; ++q) {
      std::copy_n(bias_->value.data() + columns.begin, columns.size(),
                  u_.data() + q * stride_ + columns.begin);
    }
    input_.forward(rows.size(), x, columns, {u_.data() + rows.begin * stride_, stride_},
                   bias_.has_value());
    if (recurrent_) continue;
    for (std::size_t q = rows.begin; q < rows.end; q += steps) {
      for (std::size_t t = 0; t < steps; ++t)
        step(q / cut_.steps, q % cut_.steps + t, columns, worker);
    }
  }
}

void DenseLayer::step(std::size_t sample, std::size_t t, Span columns, int worker) {
  const std::size_t at = (sample * cut_.steps + t) * stride_ + columns.begin;
  const float* zeros = zeros_.data() + columns.begin;
  const auto neurons = static_cast<std::uint32_t>(columns.size());
  const float* before_u = t > 0 ? u_.data() + at - stride_ : zeros;
  const Membrane m = membrane(columns.begin);
  if (is_readout()) {
    return dense_readout_step(m.alpha, m.inverse_capacitance, before_u, u_.data() + at, neurons);
  }
  DenseStep row;
  row.before_u = before_u;
  row.u = u_.data() + at;
  if (keeps_second()) {
    row.second = second_.data() + at;
    row.before_second = t > 0 ? row.second - stride_ : zeros;
  } else if (second_decay_) {
    row.second = current_.data() + sample * stride_ + columns.begin;
    row.before_second = t > 0 ? row.second : zeros;
  }
  row.spikes = spikes_.spike.data() + at;
  if (recurrent_) {
    row.float_spikes =
        last_spikes_.data() + (t % 2 * cut_.samples + sample) * stride_ + columns.begin;
  }
  row.counts = counts_[static_cast<std::size_t>(worker)].data() + columns.begin;
  const std::size_t end = std::min<std::size_t>(columns.end, neurons_);
  listed_[static_cast<std::size_t>(worker)] +=
      dense_membrane_step(m, row, static_cast<std::uint32_t>(end - columns.begin));
  // What is not a number stays so to the end of the sample: one look there is enough.
  if (t + 1 == cut_.steps) expect_finite(layer_, row.u, neurons);
}

// A step at a time, of all samples: I[t] gets its part from the spikes of step t-1.
void DenseLayer::forward_steps(Worker& worker) {
  const EvenCut cut = step_columns(stride_);
  for (std::size_t t = 0; t < cut_.steps; ++t) {
    worker.each_at_home(cut.parts, [&](std::size_t k) {
      const Span columns = cut.part(k);
      if (t > 0) {
        const float* last = last_spikes_.data() + (t - 1) % 2 * cut_.samples * stride_;
        recurrent_->forward(cut_.samples, {last, stride_}, columns,
                            {u_.data() + t * stride_, cut_.steps * stride_}, true);
      }
      for (std::size_t b = 0; b < cut_.samples; ++b) step(b, t, columns, worker.id());
    });
  }
}

void DenseLayer::forward(Worker& worker, const RowCut& cut, const SpikeMatrix& below,
                         double theta_grad, bool gradients, std::vector<DenseScratch>& scratch) {
  worker.once([&] {
    cut_ = cut;
    theta_grad_ = theta_grad;
    gradients_ = gradients;
    prepare_forward(worker.workers());
  });
  worker.each(cut_.groups, [&](std::size_t group) {
    for (std::size_t block = 0; block < cut_.blocks; ++block) {
      currents(group, cut_.rows_of(group, block), below,
               scratch[static_cast<std::size_t>(worker.id())], worker.id());
    }
  });
  if (recurrent_) forward_steps(worker);
  if (!is_readout()) worker.once([&] { count_spikes(); });
}

void DenseLayer::count_spikes() {
  std::fill(count_.begin(), count_.end(), 0u);
  for (const AlignedArray<std::uint32_t>& counts : counts_) {
    for (std::uint32_t j = 0; j < neurons_; ++j) count_[j] += counts[j];
  }
}

LayerActivity DenseLayer::activity() const {
  LayerActivity a;
  a.name = layer_.name;
  for (const std::uint32_t n : count_) {
    a.spikes += n;
    a.silent_neurons += n == 0 ? 1 : 0;
  }
  for (const std::uint64_t n : listed_) a.listed += n;
  if (!gradients_) a.listed = a.spikes;
  a.neuron_steps = cut_.rows() * neurons_;
  return a;
}

std::uint64_t DenseLayer::bytes_over_time() const {
  std::uint64_t per_row = 0;
  if (pools()) per_row += sizeof(float) * topology_.input.pooled.size();
  if (!is_readout()) per_row += (sizeof(float) + 1) * neurons_;
  if (keeps_second()) per_row += sizeof(float) * neurons_;
  if (recurrent_ && gradients_) per_row += sizeof(float) * neurons_;
  return per_row * cut_.rows();
}

}  // namespace tessera::training
