// Networks that learn by e-prop, and what the float64 recursion makes of them.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "tessera/training.hpp"
#include "train/eprop_reference.hpp"
#include "train/networks.hpp"

namespace tessera::training {

/// A recurrent layer as in the publication: v_th 0.6, triangular pseudo-derivative of height 0.3 / v_th.
inline Layer eprop_layer(NeuronKind kind, std::uint32_t size) {
  Layer layer = make_layer("hidden", kind, size, 1.0);
  layer.threshold = 0.6;
  layer.surrogate = Surrogate::triangular;
  layer.surrogate_steepness = 1.0 / 0.6;
  layer.surrogate_height = 0.3 / 0.6;
  layer.reset = Reset::subtract_undecayed;
  layer.recurrent = Connection{};
  layer.adaptation = {0.95, 0.95, false, false};
  layer.adaptation_strength = 0.1;
  return layer;
}

inline Network eprop_network(NeuronKind kind, std::uint32_t neurons = 20, std::uint32_t steps = 40) {
  Network network;
  network.name = "eprop";
  network.input = {1, 1, 12};
  network.steps = steps;
  network.classes = 3;
  network.layers = {eprop_layer(kind, neurons), make_layer("out", NeuronKind::readout, 3, 1.0)};
  network.layers[1].membrane = {0.85, 0.85, false, false};
  return network;
}

/// Every neuron with a derivative is listed.
inline Options eprop_options(LossKind loss, const Eprop& eprop, int threads = 1) {
  Options options;
  options.strategy = Strategy::sparse;
  options.threads = threads;
  options.loss.kind = loss;
  options.second_threshold = {0.0, 0.0, 0.0};
  options.eprop = eprop;
  return options;
}

inline const Tensor& tensor_of(const std::vector<Tensor>& tensors, const std::string& name) {
  return *std::find_if(tensors.begin(), tensors.end(), [&](const Tensor& t) { return t.name == name; });
}

/// [source, target] as [target][source].
inline eprop::Matrix transposed(const Tensor& tensor, std::size_t sources) {
  eprop::Matrix m(tensor.values.size() / sources, sources);
  for (std::size_t i = 0; i < tensor.values.size(); ++i) m(i % m.rows, i / m.rows) = tensor.values[i];
  return m;
}

/// The network's constants, weights and feedback for the recursion.
struct EpropProblem {
  eprop::Rule rule;
  eprop::Weights weights;
  eprop::Matrix feedback;

  EpropProblem(const Network& network, const Eprop& eprop, const std::vector<Tensor>& parameters) {
    const Layer &hidden = network.layers[0], &out = network.layers[1];
    rule.neurons = {hidden.membrane.low, hidden.threshold, hidden.adaptation.low,
                    hidden.neuron == NeuronKind::adaptive_lif ? hidden.adaptation_strength : 0.0,
                    hidden.surrogate_height * hidden.threshold, hidden.refractory, 1.0 / hidden.capacitance, {}};
    // There a spike's adaptation has decayed once before the threshold sees it.
    if (eprop.convention == EpropConvention::mlgenn) rule.neurons.beta /= hidden.adaptation.low;
    rule.readout = {out.membrane.low, 1.0 / out.capacitance};
    rule.rate = {eprop.rate_strength, eprop.rate_target_hz * network.dt_ms / 1000.0,
                 std::exp(-network.dt_ms / eprop.rate_tau_ms)};
    weights.input = transposed(tensor_of(parameters, "hidden.weight"), network.input.size());
    weights.recurrent = eprop::Matrix(hidden.size, hidden.size);
    if (hidden.recurrent) weights.recurrent = transposed(tensor_of(parameters, "hidden.recurrent_weight"), hidden.size);
    weights.output = transposed(tensor_of(parameters, "out.weight"), hidden.size);
    if (out.bias) {
      const Tensor& bias = tensor_of(parameters, "out.bias");
      weights.bias.assign(bias.values.begin(), bias.values.end());
    }
    feedback = eprop::Matrix(hidden.size, out.size);
    const Tensor& b = tensor_of(parameters, eprop.feedback == EpropFeedback::random ? "hidden.feedback" : "out.weight");
    std::copy(b.values.begin(), b.values.end(), feedback.values.begin());
  }
};

/// Sample b of a batch.
inline eprop::Interval interval_of(const Network& network, const Loss& loss, const SpikeBatch& batch, std::uint32_t b) {
  eprop::Interval interval{eprop::Matrix(batch.steps, batch.channels), eprop::Matrix(batch.steps, network.classes),
                           loss.kind == LossKind::squared_error_per_step ? eprop::Error::squared
                                                                        : eprop::Error::cross_entropy,
                           loss.window > 0 ? loss.window : batch.steps};
  for (std::uint32_t t = 0; t < batch.steps; ++t) {
    const std::size_t q = std::size_t{t} * batch.samples + b;
    for (std::uint32_t e = batch.first[q]; e < batch.first[q + 1]; ++e) interval.x(t, batch.channel[e]) = 1.0;
    for (std::uint32_t k = 0; k < network.classes; ++k) {
      interval.target(t, k) =
          batch.target.empty() ? (static_cast<std::int32_t>(k) == batch.label[b] ? 1.0 : 0.0)
                               : batch.target[(std::size_t{b} * batch.steps + t) * network.classes + k];
    }
  }
  return interval;
}

/// The largest difference as a share of the largest expected value; `sum` is added up over `samples`.
inline double difference(const Tensor& gradient, const eprop::Matrix& sum, double samples) {
  double largest = 0.0, worst = 0.0;
  for (const double x : sum.values) largest = std::max(largest, std::abs(x) / samples);
  for (std::size_t i = 0; i < gradient.values.size(); ++i)
    worst = std::max(worst, std::abs(gradient.values[i] - sum(i % sum.rows, i / sum.rows) / samples));
  return worst / largest;
}

inline void add(eprop::Matrix& sum, const eprop::Matrix& more) {
  if (sum.values.empty()) sum = eprop::Matrix(more.rows, more.columns);
  for (std::size_t i = 0; i < sum.values.size(); ++i) sum.values[i] += more.values[i];
}

}  // namespace tessera::training
