// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "train/rank_plan.hpp"
#include "train/slices.hpp"
#include "train/tile_width.hpp"
#include "train/topology.hpp"

namespace tessera::training {
namespace {

double connection_weights(const Connection& c, double sources) {
  return c.kind == ConnectionKind::sparse ? c.density * sources : sources;
}

int summed_arrays(const Layer& layer) {
  const bool second = (layer.neuron == NeuronKind::synaptic_lif && layer.synapse.trainable) ||
                      (layer.neuron == NeuronKind::adaptive_lif && layer.adaptation.trainable);
  return (layer.bias ? 1 : 0) + (layer.membrane.trainable ? 1 : 0) + (second ? 1 : 0);
}

// Shared arrays of a layer.
double arrays(const CountedLayer& layer) { return layer.recurrent ? 2.0 : 1.0; }

}  // namespace

double CountedLayer::neurons_of(int rank) const {
  const auto end_of = [&](int r) { return std::min(share.first_tile_of(r) * width, neurons); };
  return end_of(rank + 1) - end_of(rank);
}

std::vector<CountedLayer> count_layers(const Network& network, const Options& options, const RankPlanOptions& wanted,
                                       bool divides) {
  const std::vector<Shape> shapes = layer_shapes(network);
  std::vector<CountedLayer> layers;
  double spikes = wanted.activity * static_cast<double>(network.input.size()), listed = spikes;
  for (std::size_t k = 0; k < network.layers.size(); ++k) {
    const Layer& layer = network.layers[k];
    const Shape source = k == 0 ? network.input : shapes[k - 1], pooled = pooled_shape(source, layer.input.pool);
    CountedLayer c;
    const auto neurons = static_cast<std::uint32_t>(shapes[k].size());
    c.sources = static_cast<double>(pooled.size());
    c.neurons = neurons;
    c.readout = layer.neuron == NeuronKind::readout;
    c.recurrent = layer.recurrent.has_value();
    c.sparse_input = layer.input.kind == ConnectionKind::sparse;
    c.sparse_recurrent = c.recurrent && layer.recurrent->kind == ConnectionKind::sparse;
    c.input_weights = connection_weights(layer.input, c.sources);
    if (layer.input.kind == ConnectionKind::convolution) {
      c.input_weights = static_cast<double>(layer.input.kernel) * layer.input.kernel * pooled.channels;
      c.kernel = c.input_weights * layer.input.filters;
    }
    if (c.recurrent) c.recurrent_weights = connection_weights(*layer.recurrent, c.neurons);
    c.summed = summed_arrays(layer);
    const std::uint32_t width = tile_width(layer, pooled.size(), neurons), tiles = (neurons + width - 1) / width;
    c.width = width;
    c.share = divides ? LayerShare::of_rank(tiles, options.slices, wanted.rank, wanted.ranks)
                      : LayerShare::whole(tiles, options.slices);
    c.own_neurons = c.neurons_of(c.share.rank);
    c.spikes_below = spikes;
    c.listed_below = listed;
    const double activity = layer.initial_activity > 0.0 ? layer.initial_activity : wanted.activity;
    c.spikes = c.readout ? 0.0 : activity * c.neurons;
    const double share = std::min({1.0, layer.max_activity, wanted.listed > 0.0 ? wanted.listed : 4.0 * activity});
    c.listed = c.readout ? 0.0 : std::max(c.spikes, share * c.neurons);
    spikes = c.spikes;
    listed = c.listed;
    layers.push_back(c);
  }
  return layers;
}

std::uint32_t waiting_sums(std::uint32_t slices, std::uint32_t begin, std::uint32_t end) {
  const bool all = begin == 0 && end == slices;
  std::vector<SliceRange> open;
  std::size_t most = 0;
  for (std::uint32_t s = begin; s < end; ++s) {
    open.push_back({s, s + 1});
    bool merged = false;
    for (; open.size() > 1 && are_halves(open[open.size() - 2], open.back(), slices); merged = true) {
      open[open.size() - 2].end = open.back().end;
      open.pop_back();
    }
    const bool in_gradient = (all && open.size() == 1 && s + 1 == end) || (!all && s + 1 == end && !merged);
    if (!in_gradient) most = std::max(most, open.size());
  }
  return static_cast<std::uint32_t>(most);
}

CountedTraffic count_layer_traffic(const Network& network, const Options& options, const RankPlanOptions& wanted,
                                   const std::vector<CountedLayer>& layers) {
  CountedTraffic t;
  if (wanted.ranks == 1) return t;
  const double others = wanted.ranks - 1, steps = network.steps, samples = options.batch;
  const auto slices = static_cast<double>(std::min(options.slices, options.batch));
  const auto gather = [&](double times, double bytes) {
    t.rounds += times;
    t.messages += times * others;
    t.bytes += bytes * others;
  };
  constexpr double kSettle = 2.0;  // who has failed, and whose loss is no number
  constexpr double kFloat = sizeof(float);
  for (std::size_t k = 0; k < layers.size(); ++k) {
    const CountedLayer& c = layers[k];
    // What goes back to entries: to the ranks that have them, from those that have parts.
    const auto give_back = [&](const CountedLayer& to, double entries, double times) {
      if (c.share.own_parts() == 0) return;
      t.rounds += times;
      for (int r = 0; r < wanted.ranks; ++r) {
        if (r == wanted.rank || to.neurons_of(r) == 0.0) continue;
        t.messages += times;
        t.bytes += entries * to.neurons_of(r) / to.neurons * c.share.own_parts() * kFloat;
      }
    };
    const double own = c.own_neurons / c.neurons;
    if (c.readout) {
      gather(slices * (kSettle + 1.0), samples * steps * c.own_neurons * kFloat);
    } else {
      gather(slices * (kSettle + 1.0), samples * steps * c.listed * own);  // a byte an entry
    }
    if (c.recurrent) {
      gather(slices * steps, 0.0);
      give_back(c, samples * (steps - 1.0) * c.listed, slices * (steps - 1.0));
    }
    if (k > 0) give_back(layers[k - 1], samples * steps * c.listed_below, slices);
    gather(slices * c.summed, slices * c.summed * c.own_neurons * kFloat);
    if (options.optimizer.clip_norm > 0.0) gather(arrays(c), 0.0);
  }
  gather(slices * kSettle, 0.0);  // after the loss
  return t;
}

CountedTraffic count_sample_traffic(const Options& options, const RankPlanOptions& wanted,
                                    const std::vector<CountedLayer>& layers) {
  CountedTraffic t;
  if (wanted.ranks == 1) return t;
  const double others = wanted.ranks - 1;
  const std::uint32_t slices = std::min(options.slices, options.batch);
  double parameters = 0.0, all_arrays = 0.0;
  for (const CountedLayer& c : layers) {
    parameters += c.parameters() + c.summed * c.neurons;
    all_arrays += arrays(c) + c.summed;
  }
  const auto own_nodes = static_cast<double>(nodes_of_rank(slices, wanted.rank, wanted.ranks).size());
  double most_nodes = 0.0;
  for (int r = 0; r < wanted.ranks; ++r)
    most_nodes = std::max(most_nodes, static_cast<double>(nodes_of_rank(slices, r, wanted.ranks).size()));
  // The parameters of a rank's share lie in neighbouring arrays: there are so many pairs of an array and a rank.
  const double pairs = (all_arrays + others) * others / wanted.ranks;
  t.rounds = 2.0 + most_nodes * all_arrays + all_arrays + (options.optimizer.clip_norm > 0.0 ? 1.0 : 0.0);
  t.messages = 2.0 * others + own_nodes * pairs + all_arrays * others + (options.optimizer.clip_norm > 0.0 ? others : 0.0);
  const double bytes = parameters * others / wanted.ranks * sizeof(float);
  t.bytes = own_nodes * bytes + bytes;
  return t;
}

}  // namespace tessera::training
