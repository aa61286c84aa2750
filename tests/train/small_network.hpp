// Small networks for the tests of training, and random spikes to feed them.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "tessera/training.hpp"

namespace tessera::training::test {

inline Layer layer(const std::string& name, NeuronKind neuron, std::uint32_t size) {
  Layer l;
  l.name = name;
  l.neuron = neuron;
  l.size = size;
  l.membrane = {0.9, 0.9, false, false};
  l.surrogate_steepness = 2.0;
  l.initial_gain = 2.0;
  return l;
}

/// inputs -> one hidden layer -> readout.
inline Network network(std::uint32_t inputs, Layer hidden, std::uint32_t classes,
                       std::uint32_t steps) {
  Network n;
  n.name = "test";
  n.input = {1, 1, inputs};
  n.steps = steps;
  n.classes = classes;
  n.layers = {std::move(hidden), layer("readout", NeuronKind::readout, classes)};
  return n;
}

/// Every channel spikes with probability `activity` in every step. Labels count up.
inline SpikeBatch random_spikes(const Network& n, std::uint32_t samples, double activity,
                                std::uint64_t seed, Purpose purpose = Purpose::pair) {
  SpikeBatch batch;
  batch.samples = samples;
  batch.steps = n.steps;
  batch.channels = static_cast<std::uint32_t>(n.input.size());
  batch.first.push_back(0);
  RandomStream stream(RandomKey(seed), purpose, 0, 0);
  for (std::uint32_t list = 0; list < n.steps * samples; ++list) {
    for (std::uint32_t i = 0; i < batch.channels; ++i)
      if (stream.next_unit() < activity) batch.channel.push_back(i);
    batch.first.push_back(static_cast<std::uint32_t>(batch.channel.size()));
  }
  for (std::uint32_t b = 0; b < samples; ++b)
    batch.label.push_back(static_cast<std::int32_t>(b % n.classes));
  return batch;
}

}  // namespace tessera::training::test
