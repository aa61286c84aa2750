// What e-prop puts in place of back-propagation: the learning signal of every listed entry of a layer, as its
// d loss / d s. docs/eprop.md says why that is all: the gradient sum over t of L[t] e_bar[t] is linear in the
// eligibilities, so their filters can run backwards over the learning signal of a neuron instead of forwards over the
// traces of its synapses; no synapse needs a trace.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "train/crew.hpp"
#include "train/output_loss.hpp"
#include "train/parameter_array.hpp"
#include "train/sparse_layer.hpp"

namespace tessera::training {

class EpropSignals {
 public:
  EpropSignals(const Network& network, const Loss& loss, const Eprop& eprop, const std::vector<LayerTopology>& topology,
               std::uint64_t seed);

  /// Feedback that is fixed: of every layer but the readout, or none.
  [[nodiscard]] std::vector<ParameterArray*> arrays();
  /// By how many steps a neuron's entries reach its synapses late.
  [[nodiscard]] std::uint32_t lag() const { return mlgenn_ ? 1 : 0; }

  /// Of the strength of a layer's adaptation, in gradients.
  [[nodiscard]] float adaptation(const Layer& layer) const {
    return mlgenn_ && layer.neuron == NeuronKind::adaptive_lif ? static_cast<float>(1.0 / layer.adaptation.low) : 1.0f;
  }

  // Called by all workers, in this order.
  /// Errors from the derivative of the loss.
  void prepare(Worker& worker, const SpikeBatch& batch, const OutputLoss& output, const SparseLayer& readout);
  /// ds of the entries of a layer.
  void give(Worker& worker, std::size_t index, SparseLayer& layer);
  /// For the readout's backward pass: its errors, [sample][step][padded class].
  [[nodiscard]] const float* derivative() const { return derivative_.data(); }
  /// The gradient of the readout's bias, where it is not that of its synapses.
  void correct_bias(Worker& worker, SparseLayer& readout) const;

 private:
  struct Rates;

  void filter_bellec2020(const float* error, std::size_t sample);
  void filter_mlgenn(const float* error, std::size_t sample, std::int32_t label);
  void give_sample(std::uint32_t sample, std::size_t index, SparseLayer& layer);

  Eprop eprop_;
  bool mlgenn_;
  bool softmax_;  ///< the errors are those of cross-entropy
  std::uint32_t steps_, classes_;
  double kappa_;           ///< of the readout
  double error_scale_;     ///< of the derivative of the loss
  double rate_scale_;      ///< of the rate's gradient, of one sample
  double rate_decay_;      ///< mlgenn, per step
  double rate_target_;     ///< spikes per step
  std::vector<ParameterArray> fixed_;  ///< of every layer; empty: symmetric
  std::vector<float> symmetric_;       ///< [neuron][class], of this batch
  std::uint32_t samples_ = 0;
  std::size_t stride_ = 0;
  std::vector<float> derivative_, signal_;  ///< [sample][step][stride]
  std::vector<double> bias_;                ///< mlgenn: [sample][class]
};

}  // namespace tessera::training
