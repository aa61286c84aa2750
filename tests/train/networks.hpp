// Small networks and batches for the tests of the strategies.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "base/random.hpp"
#include "tessera/training.hpp"
#include "train/small_network.hpp"

namespace tessera::training {

inline Layer make_layer(const char* name, NeuronKind kind, std::uint32_t size, double gain) {
  Layer layer;
  layer.name = name;
  layer.neuron = kind;
  layer.size = size;
  layer.membrane = {0.9, 0.9, false, false};
  layer.surrogate_steepness = 2.0;
  layer.initial_gain = gain;
  return layer;
}

/// 30 inputs, two hidden layers, a readout of 4 classes, 12 steps.
inline Network two_layers() {
  Network network;
  network.name = "two_layers";
  network.input = {1, 1, 30};
  network.steps = 12;
  network.classes = 4;
  network.layers = {make_layer("first", NeuronKind::lif, 40, 1.0),
                    make_layer("second", NeuronKind::lif, 24, 1.5),
                    make_layer("out", NeuronKind::readout, 4, 1.0)};
  return network;
}

inline std::vector<Layer*> hidden(Network& network) {
  std::vector<Layer*> layers;
  for (Layer& layer : network.layers) {
    if (layer.neuron != NeuronKind::readout) layers.push_back(&layer);
  }
  return layers;
}

inline void make_adaptive(Layer& layer) {
  layer.neuron = NeuronKind::adaptive_lif;
  layer.adaptation = {0.95, 0.95, false, false};
  layer.adaptation_strength = 0.2;
}

inline void make_synaptic(Layer& layer) {
  layer.neuron = NeuronKind::synaptic_lif;
  layer.synapse = {0.6, 0.6, false, false};
}

inline void train_decays(Layer& layer) {
  layer.membrane.trainable = layer.synapse.trainable = layer.adaptation.trainable = true;
}

inline Connection sparse(double density, std::uint32_t min_delay, std::uint32_t max_delay) {
  Connection connection;
  connection.kind = ConnectionKind::sparse;
  connection.density = density;
  connection.min_delay = min_delay;
  connection.max_delay = max_delay;
  return connection;
}

/// 8 x 7 x 2 inputs, two convolutions (the second behind a pooling when pool > 1), a dense readout.
inline void make_convolutional(Network& network, std::uint32_t pool) {
  network.input = {8, 7, 2};
  Connection first;
  first.kind = ConnectionKind::convolution;
  first.filters = 5;
  first.kernel = 3;
  first.padding = 1;
  Connection second = first;
  second.filters = 9;
  second.stride = 2;
  second.pool = pool;
  network.layers[0].size = network.layers[1].size = 0;
  network.layers[0].input = first;
  network.layers[1].input = second;
  network.layers[1].initial_gain = pool > 1 ? 4.0 : 1.5;
}

inline Options options_of(const Loss& loss, Strategy strategy, int threads) {
  Options options;
  options.seed = 7;
  options.threads = threads;
  options.strategy = strategy;
  options.loss = loss;
  return options;
}

/// Every channel spikes with `probability` in every step.
inline SpikeBatch random_batch(const Network& network, std::uint32_t samples, double probability,
                               std::uint64_t seed) {
  return test::random_spikes(network, samples, probability, seed, Purpose::subsample);
}

}  // namespace tessera::training
