// Initial weights and decay factors as functions of the seed.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "train/parameters.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <string>
#include <utility>

#include "base/random.hpp"
#include "train/rewiring_rules.hpp"
#include "train/synapse_store.hpp"

namespace tessera::training {
namespace {

constexpr std::array roles = {DecayRole::membrane, DecayRole::synapse, DecayRole::adaptation};

/// Four standard normal numbers from four words (Box and Muller), the first uniform in (0, 1].
std::array<double, 4> normals(const RandomWords& words) {
  std::array<double, 4> result{};
  for (std::size_t i = 0; i < 4; i += 2) {
    const double radius = std::sqrt(-2.0 * std::log((words[i] + 1.0) * 0x1p-32));
    const double angle = 2.0 * std::numbers::pi * words[i + 1] * 0x1p-32;
    result[i] = radius * std::cos(angle);
    result[i + 1] = radius * std::sin(angle);
  }
  return result;
}

std::vector<std::uint64_t> weight_shape(const Projection& projection) {
  const Connection& spec = projection.spec;
  switch (spec.kind) {
    case ConnectionKind::dense:
      return {projection.pooled.size(), projection.targets};
    case ConnectionKind::sparse:
      return {projection.weights};
    case ConnectionKind::convolution:
      break;
  }
  return {projection.pooled.channels, spec.kernel, spec.kernel, spec.filters};
}

// Weight i of a connection, for i that mostly rise: four come from one block of random words.
class WeightDraws {
 public:
  WeightDraws(const Projection& projection, double gain, RandomKey key, std::uint32_t entity)
      : key_(key), entity_(entity), deviation_(gain / std::sqrt(std::max(projection.fan_in, 1.0))) {}

  float operator()(std::size_t i) {
    if (i / 4 != block_) {
      block_ = i / 4;
      // The counter has 32 bits for the block: its upper bits go beside the entity.
      values_ = normals(random_words(key_, Purpose::training_weight, static_cast<std::uint32_t>(block_), entity_,
                                     static_cast<std::uint32_t>(block_ >> 32)));
    }
    return static_cast<float>(deviation_ * values_[i % 4]);
  }

 private:
  RandomKey key_;
  std::uint32_t entity_;
  double deviation_;
  std::size_t block_ = ~std::size_t{0};
  std::array<double, 4> values_{};
};

Tensor initial_weight(const Projection& projection, std::string name, double gain, RandomKey key,
                      std::uint32_t entity) {
  Tensor tensor{std::move(name), weight_shape(projection), {}};
  tensor.values.resize(projection.weights);
  WeightDraws draw(projection, gain, key, entity);
  for (std::size_t i = 0; i < projection.weights; ++i) tensor.values[i] = draw(i);
  return tensor;
}

/// The synapses that were drawn, by sources, then targets, as [synapses, 3], and weights with the signs of their
/// pairs, if the rule has any.
void append_rewired(const Projection& projection, Tensor weight, RandomKey key, std::vector<Tensor>& tensors) {
  const bool signs = make_rule(*projection.spec.rewiring)->has_signs();
  Tensor indices{weight.name + "_indices", {projection.weights, 3}, {}};
  indices.values.reserve(3 * projection.weights);
  std::vector<std::array<std::uint32_t, 2>> row;  // target, delay
  std::size_t i = 0;
  for (std::uint32_t source = 0; source < projection.pooled.size(); ++source) {
    row.clear();
    for (std::uint32_t delay = 0; delay < projection.rows_per_source(); ++delay) {
      const std::size_t list = std::size_t{source} * projection.rows_per_source() + delay;
      for (std::size_t k = projection.row_first[list]; k < projection.row_first[list + 1]; ++k)
        row.push_back({projection.target_of[k], delay});
    }
    std::sort(row.begin(), row.end());
    for (const auto& [target, delay] : row) {
      for (const std::uint32_t x : {source, target, delay}) indices.values.push_back(static_cast<float>(x));
      const std::uint64_t pair = std::uint64_t{source} * projection.targets + target;
      float& w = weight.values[i++];
      if (signs) w = is_inhibitory(key, projection.number, pair) ? -std::abs(w) : std::abs(w);
    }
  }
  tensors.push_back(std::move(weight));
  tensors.push_back(std::move(indices));
}

void append_weight(const Projection& projection, std::string name, double gain, RandomKey key,
                   std::vector<Tensor>& tensors) {
  Tensor weight = initial_weight(projection, std::move(name), gain, key, projection.number);
  if (projection.rewires()) return append_rewired(projection, std::move(weight), key, tensors);
  tensors.push_back(std::move(weight));
}

Tensor initial_logit(const Layer& layer, DecayRole role, std::uint32_t neurons, std::uint64_t seed,
                     std::uint32_t index) {
  const Decay& decay = decay_of(layer, role);
  const std::uint32_t count = decay.per_neuron ? neurons : 1;
  Tensor tensor{layer.name + "." + std::string(logit_suffix(role)), {count}, {}};
  for (const double value : decay_values(decay, count, seed, index, role))
    tensor.values.push_back(static_cast<float>(std::log(value) - std::log1p(-value)));
  return tensor;
}

}  // namespace

const Decay& decay_of(const Layer& layer, DecayRole role) {
  switch (role) {
    case DecayRole::membrane:
      break;
    case DecayRole::synapse:
      return layer.synapse;
    case DecayRole::adaptation:
      return layer.adaptation;
  }
  return layer.membrane;
}

bool has_decay(NeuronKind neuron, DecayRole role) {
  switch (role) {
    case DecayRole::membrane:
      break;
    case DecayRole::synapse:
      return neuron == NeuronKind::synaptic_lif;
    case DecayRole::adaptation:
      return neuron == NeuronKind::adaptive_lif;
  }
  return true;
}

std::string_view logit_suffix(DecayRole role) {
  switch (role) {
    case DecayRole::membrane:
      break;
    case DecayRole::synapse:
      return "synapse_logit";
    case DecayRole::adaptation:
      return "adaptation_logit";
  }
  return "membrane_logit";
}

bool has_logit(const Decay& decay) {
  return decay.trainable || (decay.per_neuron && decay.low < decay.high);
}

std::vector<double> decay_values(const Decay& decay, std::uint32_t neurons, std::uint64_t seed,
                                 std::uint32_t layer, DecayRole role) {
  std::vector<double> values(neurons, decay.low);
  if (!decay.per_neuron || !(decay.low < decay.high)) return values;
  const double shortest = std::log(-1.0 / std::log(decay.low));
  const double longest = std::log(-1.0 / std::log(decay.high));
  RandomStream stream(RandomKey(seed), Purpose::training_decay, layer,
                      static_cast<std::uint32_t>(role));
  for (double& value : values)
    value = std::exp(-1.0 / std::exp(shortest + (longest - shortest) * stream.next_unit()));
  return values;
}

std::vector<double> current_decay(const Decay& decay, const Tensor* logit, std::uint32_t neurons) {
  std::vector<double> values(neurons, decay.low);
  if (logit == nullptr) return values;
  for (std::uint32_t i = 0; i < neurons; ++i) {
    const double x = logit->values[logit->values.size() == 1 ? 0 : i];
    values[i] = 1.0 / (1.0 + std::exp(-x));
  }
  return values;
}

namespace {

// All but the weights of layer i, in the order of initial_parameters().
std::vector<Tensor> small_parameters(const Network& network, const std::vector<LayerTopology>& topology,
                                     std::uint64_t seed, std::uint32_t i) {
  const Layer& layer = network.layers[i];
  const std::uint32_t neurons = topology[i].neurons;
  std::vector<Tensor> tensors;
  if (layer.bias) tensors.push_back({layer.name + ".bias", {neurons}, std::vector<float>(neurons, 0.0F)});
  for (const DecayRole role : roles)
    if (has_decay(layer.neuron, role) && has_logit(decay_of(layer, role)))
      tensors.push_back(initial_logit(layer, role, neurons, seed, i));
  return tensors;
}

}  // namespace

std::vector<Tensor> initial_parameters(const Network& network,
                                       const std::vector<LayerTopology>& topology,
                                       std::uint64_t seed) {
  const RandomKey key(seed);
  std::vector<Tensor> tensors;
  for (std::uint32_t i = 0; i < network.layers.size(); ++i) {
    const Layer& layer = network.layers[i];
    const LayerTopology& shape = topology[i];
    append_weight(shape.input, layer.name + ".weight", layer.initial_gain, key, tensors);
    if (shape.recurrent)
      append_weight(*shape.recurrent, layer.name + ".recurrent_weight", layer.initial_gain, key, tensors);
    for (Tensor& tensor : small_parameters(network, topology, seed, i)) tensors.push_back(std::move(tensor));
  }
  return tensors;
}

void assign_initial(const Network& network, const std::vector<LayerTopology>& topology, std::uint64_t seed,
                    const std::vector<ParameterArray*>& arrays) {
  const RandomKey key(seed);
  const auto array_of = [&](const std::string& name) {
    return *std::find_if(arrays.begin(), arrays.end(), [&](const ParameterArray* a) { return a->name == name; });
  };
  const auto draw_weights = [&](const std::string& name, const Projection& projection, double gain, std::uint32_t entity) {
    ParameterArray& array = *array_of(name);
    WeightDraws draw(projection, gain, key, entity);
    array.layout.each(array.elements, [&](std::size_t i, std::size_t at) { array.value[at] = draw(i); });
  };
  for (std::uint32_t i = 0; i < network.layers.size(); ++i) {
    const Layer& layer = network.layers[i];
    draw_weights(layer.name + ".weight", topology[i].input, layer.initial_gain, 2 * i);
    if (topology[i].recurrent)
      draw_weights(layer.name + ".recurrent_weight", *topology[i].recurrent, layer.initial_gain, 2 * i + 1);
    for (const Tensor& tensor : small_parameters(network, topology, seed, i)) {
      ParameterArray& array = *array_of(tensor.name);
      array.assign(array.value, tensor.values);
    }
  }
}

const Tensor* find_tensor(const std::vector<Tensor>& tensors, std::string_view layer,
                          std::string_view suffix) {
  for (const Tensor& tensor : tensors) {
    const std::string_view name = tensor.name;
    if (name.size() == layer.size() + 1 + suffix.size() && name.starts_with(layer) &&
        name[layer.size()] == '.' && name.ends_with(suffix))
      return &tensor;
  }
  return nullptr;
}

Tensor* find_tensor(std::vector<Tensor>& tensors, std::string_view layer, std::string_view suffix) {
  return const_cast<Tensor*>(find_tensor(std::as_const(tensors), layer, suffix));
}

}  // namespace tessera::training
