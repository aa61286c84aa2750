// What the partitioner sees of a network to train.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "machine/divided_network.hpp"

namespace tessera {
namespace {

using training::Connection;
using training::ConnectionKind;
using training::Shape;

// Trained weights may have both signs. Averages of a pool are synapses of all neurons of its windows.
LinkInputs add_link(const Connection& c, const Shape& from, const Shape& to, EventLink& link) {
  const double odds = std::log(static_cast<double>(to.size()) / 1e-6);
  const double rows = from.height / c.pool * c.pool, columns = from.width / c.pool * c.pool;
  const double all = rows * columns * from.channels;
  if (c.kind == ConnectionKind::convolution) {
    link.kind = EventLink::Kind::window;
    link.window = {from, to.width, to.channels, c.kernel, c.stride, c.padding, c.pool};
    return {double{1} * c.kernel * c.pool * c.kernel * c.pool * from.channels, true};
  }
  if (c.kind == ConnectionKind::dense || c.density >= 1.0) return {all, true};
  link.kind = EventLink::Kind::chance;
  link.probability = c.density;
  // What a rule of rewiring moves may gather at a neuron: no more is known than the number of sources.
  if (c.rewiring) return {all, true};
  return {std::min(all, not_exceeded(all * c.density, all * c.density * (1.0 - c.density), odds)), true};
}

void check_delays(const training::Network& network, const MachineDescription& m, DividedNetwork& n) {
  if (m.events.clock_ns > 0.0 && network.dt_ms / m.speedup * 1e6 < m.events.clock_ns * (1.0 - 1e-9)) {
    n.problems.push_back({{}, fmt::format("Clock of events: a step of the model is {} ms, which is {:.6g} ns on the chip, but its clock is {:.6g} ns. Longer steps, "
                                          "or a machine with a faster clock would help.",
                                          network.dt_ms, network.dt_ms / m.speedup * 1e6, m.events.clock_ns)});
  }
  for (const training::Layer& layer : network.layers) {
    if (!layer.on_substrate) continue;
    std::uint32_t longest = layer.input.max_delay;
    if (layer.recurrent) longest = std::max(longest, layer.recurrent->max_delay);
    if (m.events.longest_delay == 0 || longest < m.events.longest_delay) continue;
    n.problems.push_back({layer.where, fmt::format("Delays of '{}': {} steps, but the machine has {} at most. Shorter delays would help.", layer.name,
                                                   longest + 1, m.events.longest_delay)});
  }
}

// Factors of a step, with one of them for every neuron somewhere between the two.
void check_decay(const training::Layer& layer, const char* what, const training::Decay& decay, const MachineRange& range, double dt_ms,
                 const MachineDescription& m, DividedNetwork& n) {
  for (const double factor : {decay.low, decay.high}) {
    if (!(factor > 0.0 && factor < 1.0)) continue;  // nothing is kept, or nothing lost: no time constant
    if (check_time_constant(layer.name, what, -dt_ms / std::log(factor), range, m, layer.where, n)) return;
  }
}

void check_time_constants(const training::Network& network, const MachineDescription& m, DividedNetwork& n) {
  for (const training::Layer& layer : network.layers) {
    if (!layer.on_substrate) continue;
    check_decay(layer, "Membrane time constant", layer.membrane, m.time_constants.membrane_us, network.dt_ms, m, n);
    if (layer.neuron == training::NeuronKind::synaptic_lif)
      check_decay(layer, "Synaptic time constant", layer.synapse, m.time_constants.synapse_us, network.dt_ms, m, n);
    if (layer.refractory > 0)
      check_time_constant(layer.name, "Refractory time", layer.refractory * network.dt_ms, m.time_constants.refractory_us, m, layer.where, n);
  }
}

}  // namespace

DividedNetwork divide(const training::Network& network, const MachineDescription& machine, const PartitionOptions& options) {
  DividedNetwork n;
  n.name = network.name;
  n.training = true;
  n.step_ms = network.dt_ms;
  n.sample_ms = network.dt_ms * network.steps;
  const std::vector<Shape> shapes = layer_shapes(network);
  const auto source = [&](const std::string& name, std::uint64_t size) {
    EventOrigin s{name, static_cast<std::uint32_t>(size)};
    s.known = options.activity > 0.0;
    if (s.known) s.peak = options.activity;
    n.sources.push_back(s);
  };
  // Layers that run in ideal arithmetic take no circuits; to the others they are sources outside, as the input is.
  std::vector<std::uint32_t> place(network.layers.size());
  for (std::uint32_t i = 0; i < network.layers.size(); ++i) {
    if (!network.layers[i].on_substrate) continue;
    place[i] = static_cast<std::uint32_t>(n.populations.size());
    DividedPopulation p;
    p.name = network.layers[i].name;
    p.index = i;
    p.size = static_cast<std::uint32_t>(shapes[i].size());
    p.shape = shapes[i];
    n.populations.push_back(std::move(p));
    source(network.layers[i].name, shapes[i].size());
  }
  const auto add_outside = [&](const std::string& name, const Shape& shape) {
    source(name, shape.size());
    return static_cast<std::uint32_t>(n.sources.size() - 1);
  };
  std::vector<LinkInputs> inputs;
  for (std::uint32_t i = 0; i < network.layers.size(); ++i) {
    const training::Layer& layer = network.layers[i];
    if (!layer.on_substrate) continue;
    EventLink link;
    link.name = layer.name;
    if (i == 0) {
      link.source = add_outside("input", network.input);
    } else {
      const training::Layer& before = network.layers[i - 1];
      link.source = before.on_substrate ? place[i - 1] : add_outside(before.name, shapes[i - 1]);
    }
    link.target = place[i];
    link.shortest_delay_ms = network.dt_ms;
    inputs.push_back(add_link(layer.input, i == 0 ? network.input : shapes[i - 1], shapes[i], link));
    n.links.push_back(link);
    if (!layer.recurrent) continue;
    EventLink own;
    own.name = layer.name + ".recurrent";
    own.source = own.target = place[i];
    own.shortest_delay_ms = network.dt_ms * (1 + layer.recurrent->min_delay);
    inputs.push_back(add_link(*layer.recurrent, {1, 1, static_cast<std::uint32_t>(shapes[i].size())}, shapes[i], own));
    n.links.push_back(own);
  }
  check_delays(network, machine, n);
  check_time_constants(network, machine, n);
  map_onto(machine, inputs, n);
  return n;
}

}  // namespace tessera
