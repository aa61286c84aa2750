// The layers of a training as a plan over ranks counts them.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "tessera/training_plan.hpp"
#include "train/layer_share.hpp"

namespace tessera::training {

/// Of a layer, on one rank. Numbers of spikes and entries are those of a step of a sample, in the whole layer.
struct CountedLayer {
  double sources = 0.0, neurons = 0.0, own_neurons = 0.0;
  double input_weights = 0.0, recurrent_weights = 0.0;  ///< of one neuron; expected
  double kernel = 0.0;                                  ///< weights of a convolution, which input_weights visits
  bool sparse_input = false, sparse_recurrent = false, recurrent = false, readout = false;
  int summed = 0;                                       ///< arrays of biases and trained decay factors
  double spikes = 0.0, listed = 0.0;
  double spikes_below = 0.0, listed_below = 0.0;
  double width = 0.0;  ///< of a tile
  LayerShare share;

  /// Weights that the rank has.
  [[nodiscard]] double parameters() const {
    return kernel > 0.0 ? kernel + own_neurons * recurrent_weights : own_neurons * (input_weights + recurrent_weights);
  }
  [[nodiscard]] double synapses() const {
    return own_neurons * ((sparse_input ? input_weights : 0.0) + (sparse_recurrent ? recurrent_weights : 0.0));
  }
  /// Neurons of the tiles of a rank.
  [[nodiscard]] double neurons_of(int rank) const;
};

/// `divides`: layers are shared, else the rank has all of them.
[[nodiscard]] std::vector<CountedLayer> count_layers(const Network& network, const Options& options,
                                                     const RankPlanOptions& wanted, bool divides);

struct CountedTraffic {
  double rounds = 0.0;  ///< in which ranks wait for each other
  double messages = 0.0, bytes = 0.0;
};
/// Of a batch, where layers are shared.
[[nodiscard]] CountedTraffic count_layer_traffic(const Network& network, const Options& options, const RankPlanOptions& wanted,
                                                 const std::vector<CountedLayer>& layers);
/// Of a batch, where samples are shared.
[[nodiscard]] CountedTraffic count_sample_traffic(const Options& options, const RankPlanOptions& wanted,
                                                  const std::vector<CountedLayer>& layers);

/// The most sums of slices, of as many floats as there are parameters, that wait for their other half.
[[nodiscard]] std::uint32_t waiting_sums(std::uint32_t slices, std::uint32_t begin, std::uint32_t end);

}  // namespace tessera::training
