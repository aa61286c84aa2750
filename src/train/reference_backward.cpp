// The oracle's backward pass: the derivative of every line of the forward pass, in reverse order.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "train/reference_network.hpp"
#include "train/surrogate.hpp"

namespace tessera::training {

using namespace reference_detail;

struct Reference::Backward {
  std::vector<double> d_output;  ///< by u of a readout or s of a spiking layer
  std::vector<double> d_input;   ///< by I
  /// By u, i and a of step t + 1 while step t is done; [samples][neurons].
  std::vector<double> d_u, d_current, d_adaptation;
  std::vector<double> d_alpha, d_kappa, d_rho;  ///< of every neuron
};

bool Reference::is_listed(const Layer& layer, const ReferenceTrace& trace, std::size_t n,
                          double theta_grad) {
  double threshold = layer.threshold;
  if (!trace.adaptation.empty()) threshold += layer.adaptation_strength * trace.adaptation[n];
  return trace.u[n] > theta_grad / layer.threshold * threshold;
}

/// d loss / d (i, a, u, s) of step t, from those of step t + 1; leaves d loss / d I[t].
void Reference::neuron_step_back(std::size_t index, const ReferenceValues& parameters,
                                 std::size_t t, Size size, const ReferenceTrace& trace,
                                 double theta_grad, Backward& back) const {
  const Layer& layer = network_.layers[index];
  const Part& part = parts_[index];
  const std::size_t row = size.samples * part.neurons;
  for (std::size_t i = 0; i < row; ++i) {
    const std::size_t n = t * row + i, j = i % part.neurons;
    const auto before = [&](const std::vector<double>& x) { return t > 0 ? x[n - row] : 0.0; };
    const double alpha = decay_factor(layer.membrane, parameters, part.alpha, j);
    double d_u = 0.0;
    if (layer.neuron == NeuronKind::readout) {
      d_u = back.d_output[n] + alpha * back.d_u[i];
      back.d_alpha[j] += d_u * before(trace.u);
    } else {
      // a[t + 1] = rho a[t] + s[t], and the threshold of step t rises with a[t].
      const bool adaptive = layer.neuron == NeuronKind::adaptive_lif;
      const double a = adaptive ? trace.adaptation[n] : 0.0;
      const double d_spike = back.d_output[n] + (adaptive ? back.d_adaptation[i] : 0.0);
      const double x = trace.u[n] - layer.threshold - layer.adaptation_strength * a;
      const bool passes = is_listed(layer, trace, n, theta_grad) && !is_refractory(layer, trace, n, row);
      const double d_x =
          passes ? d_spike * layer.surrogate_height * surrogate(layer.surrogate, layer.surrogate_steepness, x) : 0.0;
      if (adaptive) {
        const double rho = decay_factor(layer.adaptation, parameters, part.rho, j);
        back.d_adaptation[i] = rho * back.d_adaptation[i] - layer.adaptation_strength * d_x;
        back.d_rho[j] += back.d_adaptation[i] * before(trace.adaptation);
      }
      const double kept = layer.reset == Reset::to_zero ? 1.0 - trace.reset[n] : 1.0;
      d_u = d_x + alpha * kept * back.d_u[i];
      back.d_alpha[j] += d_u * after_reset(layer, before(trace.u), before(trace.reset));
    }
    back.d_u[i] = d_u;
    double d_input = d_u / layer.capacitance;
    if (layer.neuron == NeuronKind::synaptic_lif) {
      d_input += decay_factor(layer.synapse, parameters, part.kappa, j) * back.d_current[i];
      back.d_current[i] = d_input;
      back.d_kappa[j] += d_input * before(trace.current);
    }
    back.d_input[n] = d_input;
  }
}

void Reference::backward_layer(std::size_t index, const ReferenceValues& parameters,
                               const std::vector<double>& below, Size size,
                               const ReferenceTrace& trace, double theta_grad, Backward& back,
                               std::vector<double>& d_below, ReferenceValues& gradients) const {
  const Part& part = parts_[index];
  // I[t] got w s from step t - delay (- 1 from the layer itself): both w and s get their share.
  const auto pull = [&](const Synapses& synapses, int weight, const std::vector<double>& spikes,
                        std::size_t sources, std::size_t t, std::vector<double>& d_spikes) {
    const auto& w = parameters[static_cast<std::size_t>(weight)];
    auto& d_w = gradients[static_cast<std::size_t>(weight)];
    for (std::size_t b = 0; b < size.samples; ++b)
      for (const Synapse& synapse : synapses.list) {
        const std::size_t travel = synapse.delay + synapses.lag;
        if (travel > t) continue;
        const double d =
            back.d_input[(t * size.samples + b) * part.neurons + synapse.target] * synapses.scale;
        const std::size_t k = ((t - travel) * size.samples + b) * sources + synapse.source;
        d_w[synapse.weight] += d * spikes[k];
        d_spikes[k] += d * w[synapse.weight];
      }
  };
  for (std::size_t t = size.steps; t-- > 0;) {
    neuron_step_back(index, parameters, t, size, trace, theta_grad, back);
    if (part.recurrent_weight >= 0)
      pull(part.recurrent, part.recurrent_weight, trace.spike, part.neurons, t, back.d_output);
    pull(part.input, part.weight, below, part.sources, t, d_below);
  }
  if (part.bias >= 0)
    for (std::size_t n = 0; n < back.d_input.size(); ++n)
      gradients[static_cast<std::size_t>(part.bias)][n % part.neurons] += back.d_input[n];
}

void Reference::store_decay_gradients(const Part& part, const Layer& layer,
                                      const ReferenceValues& parameters, const Backward& back,
                                      ReferenceValues& gradients) const {
  const auto store = [&](const Decay& decay, int place, const std::vector<double>& d_factor) {
    if (place < 0 || !decay.trainable) return;
    auto& d_logit = gradients[static_cast<std::size_t>(place)];
    for (std::size_t j = 0; j < part.neurons; ++j) {
      const double factor = decay_factor(decay, parameters, place, j);
      d_logit[d_logit.size() == 1 ? 0 : j] += d_factor[j] * factor * (1.0 - factor);
    }
  };
  store(layer.membrane, part.alpha, back.d_alpha);
  store(layer.synapse, part.kappa, back.d_kappa);
  store(layer.adaptation, part.rho, back.d_rho);
}

namespace {

// Of every spike: d/ds of strength / (samples * neurons) * sum over samples and neurons of n^4, n = sum over steps of s.
void add_burst_slopes(const Layer& layer, std::uint32_t epoch, std::size_t steps, std::size_t samples, std::size_t neurons,
                      const std::vector<double>& spike, std::vector<double>& d_output) {
  const std::size_t row = samples * neurons;
  const double strength = layer.bursts.strength * std::pow(layer.bursts.epoch_factor, epoch);
  for (std::size_t i = 0; i < row; ++i) {
    double n = 0.0;
    for (std::size_t t = 0; t < steps; ++t) n += spike[t * row + i];
    for (std::size_t t = 0; t < steps; ++t)
      d_output[t * row + i] += strength * 4.0 * n * n * n / static_cast<double>(row);
  }
}

}  // namespace

ReferenceValues Reference::gradients(const ReferenceValues& parameters, const SpikeBatch& batch,
                                     const ReferenceRun& run,
                                     const ReferenceOptions& options) const {
  const Size size{batch.steps, batch.samples};
  const std::size_t lists = size.steps * size.samples;
  const std::vector<double> input = dense_spikes(batch);
  ReferenceValues gradients;
  for (const auto& values : parameters) gradients.emplace_back(values.size(), 0.0);
  std::vector<double> d_output = run.output_derivative;
  for (std::size_t i = network_.layers.size(); i-- > 0;) {
    const Layer& layer = network_.layers[i];
    const Part& part = parts_[i];
    const std::size_t neurons = part.neurons, row = size.samples * neurons;
    const std::vector<double> z = activity(run.layers[i], lists, neurons);
    if (layer.regulariser.strength != 0.0)
      for (std::size_t n = 0; n < d_output.size(); ++n)
        d_output[n] += layer.regulariser.strength / static_cast<double>(neurons) *
                       activity_slope(layer.regulariser, z[n % neurons]) /
                       static_cast<double>(lists);
    if (layer.bursts.strength != 0.0) add_burst_slopes(layer, options.epoch, size.steps, size.samples, neurons, run.layers[i].spike, d_output);
    Backward back{std::move(d_output),          std::vector<double>(lists * neurons),
                  std::vector<double>(row),     std::vector<double>(row),
                  std::vector<double>(row),     std::vector<double>(neurons),
                  std::vector<double>(neurons), std::vector<double>(neurons)};
    std::vector<double> d_below(lists * part.sources, 0.0);
    backward_layer(i, parameters, i == 0 ? input : run.layers[i - 1].spike, size, run.layers[i],
                   options.theta_grad, back, d_below, gradients);
    store_decay_gradients(part, layer, parameters, back, gradients);
    if (!std::all_of(back.d_input.begin(), back.d_input.end(),
                     [](double d) { return std::isfinite(d); }))
      throw DivergedError(
          fmt::format("A gradient of layer '{}' stopped being a finite number.", layer.name),
          layer.name);
    d_output = std::move(d_below);
  }
  return gradients;
}

}  // namespace tessera::training
