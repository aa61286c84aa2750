// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "engine/neuron_block.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/time_grid.hpp"
#include "network/state_names.hpp"

namespace tessera {
namespace {

std::size_t padded(std::uint32_t size) {
  return (size + kNeuronPadding - 1) / kNeuronPadding * kNeuronPadding;
}

/// A number in (0, 1) for one neuron and state variable.
double initial_draw(RandomKey key, std::uint32_t neuron, std::uint32_t population, std::uint32_t column) {
  const RandomWords words = random_words(key, Purpose::initial_state, neuron, population, column);
  return (words[0] * 0x1p-32) + (words[1] + 0.5) * 0x1p-64;
}

}  // namespace

std::vector<PopulationKernel> make_kernels(const Network& network, const NeuronCatalogue& models,
                                           const std::vector<double>& weight_unit) {
  std::vector<PopulationKernel> kernels(network.populations.size());
  for (std::size_t p = 0; p < kernels.size(); ++p) {
    const Population& population = network.populations[p];
    kernels[p].population = &population;
    if (population.kind != Population::Kind::neurons) continue;
    const NeuronModel& model = *models.find(population.model);
    const ParameterValues values = values_of(population, model);
    kernels[p].variant = model.prepare(values, network.dt_ms);
    kernels[p].weight_unit = weight_unit[p];
    for (const StateInfo& state : kernels[p].variant.states) {
      kernels[p].default_initial.push_back(state.initial_parameter.empty() ? 0.0 : values[state.initial_parameter]);
    }
  }
  return kernels;
}

template <class Real>
NeuronBlock<Real>::NeuronBlock(const Network& network, const PopulationKernel& kernel,
                               const Chunk& chunk, std::vector<std::uint32_t> places, std::uint32_t chunk_index,
                               std::uint32_t first_id, RandomKey key)
    : kernel_(&kernel), chunk_(chunk), places_(std::move(places)),
      count_(places_.empty() ? chunk.size : static_cast<std::uint32_t>(places_.size())), first_id_(first_id), chunk_index_(chunk_index), key_(key),
      refractory_(padded(count_)), poisson_counts_(padded(chunk.size)) {
  for (int port = 0; port < (places_.empty() ? 0 : ports()); ++port) own_input_[port] = AlignedArray<Input>(padded(count_));
  initialise(network, key);
  add_stimuli(network);
}

// Padding neurons rest at the initial value without drive; they are never reported.
template <class Real>
void NeuronBlock<Real>::initialise(const Network& network, RandomKey key) {
  const Population& population = *kernel_->population;
  const auto index = static_cast<std::uint32_t>(&population - network.populations.data());
  const NeuronVariant& variant = kernel_->variant;
  for (std::size_t c = 0; c < variant.states.size(); ++c) {
    AlignedArray<Real> column(padded(count_));
    const StateInfo& state = variant.states[c];
    const auto given = population.initial.find(state.name);
    const double origin = c == 0 ? variant.origin : 0.0;
    for (std::size_t i = 0; i < column.size(); ++i) {
      const auto neuron = chunk_.begin + place_of(static_cast<std::uint32_t>(std::min<std::size_t>(i, count_ - 1)));
      double value = kernel_->default_initial[c];
      if (given != population.initial.end()) {
        value = !given->second.values.empty()
                    ? given->second.values[neuron]
                    : given->second.distribution.quantile(
                          initial_draw(key, neuron, index, static_cast<std::uint32_t>(c)));
      }
      column[i] = static_cast<Real>(value - origin);
    }
    columns_.push_back(std::move(column));
  }
  for (AlignedArray<Real>& column : columns_) column_pointers_.push_back(column.data());
  const auto left = population.initial.find(kRefractoryState);
  if (left == population.initial.end()) return;
  for (std::uint32_t i = 0; i < chunk_.size; ++i) {
    const std::uint32_t neuron = chunk_.begin + i;
    const double ms = !left->second.values.empty()
                          ? left->second.values[neuron]
                          : left->second.distribution.quantile(
                                initial_draw(key, neuron, index, static_cast<std::uint32_t>(variant.states.size())));
    const std::int64_t steps = nearest_step(std::max(ms, 0.0), network.dt_ms);
    refractory_[i] = static_cast<std::uint16_t>(std::min<std::int64_t>(steps, std::numeric_limits<std::uint16_t>::max()));
  }
}

template <class Real>
void NeuronBlock<Real>::add_stimuli(const Network& network) {
  for (std::uint32_t s = 0; s < network.stimuli.size(); ++s) {
    const Stimulus& stimulus = network.stimuli[s];
    if (stimulus.target != kernel_->population->name) continue;
    if (stimulus.kind == Stimulus::Kind::current) {
      currents_.push_back({step_window(stimulus.start_ms, stimulus.duration_ms, network.dt_ms),
                           stimulus.amplitude_pA,
                           stimulus.values.empty() ? nullptr : &stimulus.values});
      continue;
    }
    Input weight = static_cast<Input>(stimulus.weight);
    if constexpr (std::is_same_v<Input, std::int32_t>) {
      weight = static_cast<Input>(std::lround(stimulus.weight / kernel_->weight_unit));
    }
    poisson_.push_back({PoissonTable(stimulus.rate_hz * network.dt_ms / 1000.0), 
                        step_window(stimulus.start_ms + stimulus.delay_ms, stimulus.duration_ms, network.dt_ms),
                        chunk_index_ << 12 | s, weight});
  }
}

template <class Real>
void NeuronBlock<Real>::renew_stimuli(const Network& network) {
  const bool draws = !poisson_.empty();  // else another block does, or there is none
  currents_.clear();
  poisson_.clear();
  add_stimuli(network);
  if (!draws) poisson_.clear();
  next_current_change_ = -1;
}

/// The injected current is piecewise constant: it is summed again only where a stimulus begins or ends.
template <class Real>
void NeuronBlock<Real>::set_current(std::int64_t step) {
  double uniform = 0.0;
  bool per_neuron = false;
  next_current_change_ = kForever;
  for (const CurrentInput& c : currents_) {
    if (step < c.window.begin) next_current_change_ = std::min(next_current_change_, c.window.begin);
    if (!c.window.contains(step)) continue;
    next_current_change_ = std::min(next_current_change_, c.window.end);
    if (c.values == nullptr) uniform += c.amplitude;
    per_neuron = per_neuron || c.values != nullptr;
  }
  uniform_current_ = static_cast<Real>(uniform);
  if (!per_neuron) {
    current_ = AlignedArray<Real>();
    return;
  }
  if (current_.size() == 0) current_ = AlignedArray<Real>(padded(count_));
  for (std::uint32_t i = 0; i < count_; ++i) {
    double sum = uniform;
    for (const CurrentInput& c : currents_) {
      if (c.values != nullptr && c.window.contains(step)) sum += (*c.values)[chunk_.begin + place_of(i)];
    }
    current_[i] = static_cast<Real>(sum);
  }
}

template <class Real>
void NeuronBlock<Real>::add_poisson(std::int64_t step, Input* const* input) {
  for (const PoissonInput& p : poisson_) {
    if (!p.window.contains(step)) continue;
    const PoissonStream stream{key_, static_cast<std::uint32_t>(Purpose::poisson_input), p.stream,
                               static_cast<std::uint32_t>(step)};
    Input* column = p.weight < 0 ? input[ports() - 1] : input[0];
    if constexpr (std::is_same_v<Input, std::int32_t>) {
      tessera::add_poisson(p.table, stream, chunk_.size, p.weight, column);
    } else {
      draw_poisson(p.table, stream, chunk_.size, poisson_counts_.data());
      for (std::uint32_t i = 0; i < chunk_.size; ++i) column[i] += poisson_counts_[i] * p.weight;
    }
  }
}

/// The input of the neurons that live here.
template <class Real>
void NeuronBlock<Real>::gather(Input* const* input) {
  for (int port = 0; port < ports(); ++port) {
    for (std::uint32_t i = 0; i < count_; ++i) own_input_[port][i] = std::exchange(input[port][places_[i]], Input{0});
  }
}

/// A clamped membrane has none.
template <class Real>
void NeuronBlock<Real>::add_noise(std::int64_t step) {
  const double distance = noise_->distance[chunk_.population];
  if (distance == 0.0) return;
  for (std::uint32_t i = 0; i < count_; ++i) {
    if (refractory_[i] > 0) continue;
    const std::uint32_t word = substrate::membrane_noise_word(noise_->seed, noise_->run, step, first_id_ + place_of(i));
    columns_[0][i] += static_cast<Real>(distance * noise_->table.of(word));
  }
}

template <class Real>
std::size_t NeuronBlock<Real>::update(std::int64_t step, Input* const* input, std::uint32_t* spikes) {
  if (step >= next_current_change_) set_current(step);
  if (!poisson_.empty()) add_poisson(step, input);
  if (noise_ != nullptr) add_noise(step);
  const NeuronVariant& variant = kernel_->variant;
  UpdateArgs<Real> args;
  args.count = count_;
  args.state = column_pointers_.data();
  args.refractory = refractory_.data();
  args.refractory_steps = static_cast<std::uint16_t>(variant.refractory_steps);
  args.input[0] = input[0];
  args.input[1] = input[1];
  if (!places_.empty()) {
    gather(input);
    args.input[0] = own_input_[0].data();
    args.input[1] = own_input_[ports() - 1].data();
  }
  args.input_scale = static_cast<Real>(kernel_->weight_unit * kernel_->input_gain);
  args.current = current_.size() > 0 ? current_.data() : nullptr;
  args.uniform_current = uniform_current_;
  args.constants = variant.constants.data();
  args.spikes = spikes;
  if constexpr (std::is_same_v<Real, float>) {
    variant.update_f32(args);
  } else {
    variant.update_f64(args);
  }
  if (!args.finite && not_finite_.step < 0) {
    std::uint32_t first = 0;
    while (first + 1 < count_ && std::isfinite(columns_[0][first])) ++first;
    if (!std::isfinite(columns_[0][first])) not_finite_ = {step + 1, place_of(first)};  // else only padding
  }
  for (std::size_t i = 0; !places_.empty() && i < args.spike_count; ++i) spikes[i] = places_[spikes[i]];
  return args.spike_count;
}

template class NeuronBlock<float>;
template class NeuronBlock<double>;

}  // namespace tessera
