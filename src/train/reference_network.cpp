// The oracle's forward pass.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "train/reference_network.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "train/loss.hpp"
#include "train/parameters.hpp"
#include "train/surrogate.hpp"

namespace tessera::training {
namespace reference_detail {

double decay_factor(const Decay& decay, const ReferenceValues& parameters, int place,
                    std::size_t j) {
  if (place < 0) return decay.low;
  const auto& logit = parameters[static_cast<std::size_t>(place)];
  return 1.0 / (1.0 + std::exp(-logit[logit.size() == 1 ? 0 : j]));
}

double after_reset(const Layer& layer, double u, double reset) {
  if (layer.neuron == NeuronKind::readout) return u;
  if (layer.reset == Reset::to_zero) return u * (1.0 - reset);
  const double drop = layer.reset == Reset::subtract ? layer.threshold : layer.threshold / layer.membrane.low;
  return u - drop * reset;
}

bool is_refractory(const Layer& layer, const ReferenceTrace& trace, std::size_t n, std::size_t row) {
  for (std::size_t back = 1; back < layer.refractory && back * row <= n; ++back) {
    if (trace.reset[n - back * row] != 0.0) return true;
  }
  return false;
}

double activity_slope(const ActivityRegulariser& regulariser, double z) {
  return 2.0 * std::max(0.0, z - regulariser.high) - 2.0 * std::max(0.0, regulariser.low - z);
}

std::vector<double> activity(const ReferenceTrace& trace, std::size_t lists, std::size_t neurons) {
  std::vector<double> z(neurons, 0.0);
  for (std::size_t n = 0; n < trace.spike.size(); ++n)
    z[n % neurons] += trace.spike[n] / static_cast<double>(lists);
  return z;
}

}  // namespace reference_detail

using namespace reference_detail;

Reference::Reference(const Network& network, const std::vector<LayerTopology>& topology)
    : network_(network) {
  int place = 0;
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const Layer& layer = network.layers[i];
    Part part;
    part.input = list_synapses(topology[i].input, 0);
    part.sources = topology[i].input.sources;
    part.neurons = topology[i].neurons;
    part.weight = place++;
    if (topology[i].recurrent) {
      part.recurrent = list_synapses(*topology[i].recurrent, 1);
      part.recurrent_weight = place++;
    }
    if (layer.bias) part.bias = place++;
    const auto logit = [&](DecayRole role) {
      return has_decay(layer.neuron, role) && has_logit(decay_of(layer, role)) ? place++ : -1;
    };
    part.alpha = logit(DecayRole::membrane);
    part.kappa = logit(DecayRole::synapse);
    part.rho = logit(DecayRole::adaptation);
    parts_.push_back(std::move(part));
  }
}

Reference::Synapses Reference::list_synapses(const Projection& projection, std::uint32_t lag) {
  Synapses synapses;
  synapses.scale = projection.scale;
  synapses.lag = lag;
  synapses.first.assign(projection.sources + std::size_t{1}, 0);
  for_each_synapse(projection, [&](std::uint32_t source, std::uint32_t target, std::uint32_t delay,
                                   std::size_t weight) {
    synapses.list.push_back({source, target, delay, weight});
    ++synapses.first[source + std::size_t{1}];
  });
  for (std::size_t i = 1; i < synapses.first.size(); ++i)
    synapses.first[i] += synapses.first[i - 1];
  return synapses;
}

/// i, a, u and s of every neuron in step t, from step t - 1 and I[t].
void Reference::neuron_step(std::size_t index, const ReferenceValues& parameters, std::size_t t,
                            Size size, const ReferenceOptions& options,
                            ReferenceTrace& trace) const {
  const Layer& layer = network_.layers[index];
  const Part& part = parts_[index];
  const std::size_t row = size.samples * part.neurons;
  for (std::size_t n = t * row; n < (t + 1) * row; ++n) {
    const std::size_t j = n % part.neurons;
    const auto before = [&](const std::vector<double>& x) { return t > 0 ? x[n - row] : 0.0; };
    double drive = trace.input[n];
    if (layer.neuron == NeuronKind::synaptic_lif)
      drive = trace.current[n] =
          decay_factor(layer.synapse, parameters, part.kappa, j) * before(trace.current) + drive;
    const double alpha = decay_factor(layer.membrane, parameters, part.alpha, j);
    const bool readout = layer.neuron == NeuronKind::readout;
    trace.u[n] = alpha * after_reset(layer, before(trace.u), readout ? 0.0 : before(trace.reset)) +
                 drive / layer.capacitance;
    if (readout) continue;
    double threshold = layer.threshold;
    if (layer.neuron == NeuronKind::adaptive_lif) {
      trace.adaptation[n] =
          decay_factor(layer.adaptation, parameters, part.rho, j) * before(trace.adaptation) +
          before(trace.spike);
      threshold += layer.adaptation_strength * trace.adaptation[n];
    }
    const double step = trace.u[n] > threshold && !is_refractory(layer, trace, n, row) ? 1.0 : 0.0;
    trace.reset[n] = options.base != nullptr ? options.base->layers[index].reset[n] : step;
    // Where the derivative is 0, finite differences find a spike that does not move.
    const bool smooth = options.smoothed && !is_refractory(layer, trace, n, row);
    trace.spike[n] = smooth ? layer.surrogate_height * smooth_spike(layer.surrogate, layer.surrogate_steepness,
                                                                    trace.u[n] - threshold)
                            : step;
  }
}

void Reference::forward_layer(std::size_t index, const ReferenceValues& parameters,
                              const std::vector<double>& below, Size size,
                              const ReferenceOptions& options, ReferenceTrace& trace) const {
  const Layer& layer = network_.layers[index];
  const Part& part = parts_[index];
  const std::size_t entries = size.steps * size.samples * part.neurons;
  trace.input.assign(entries, 0.0);
  trace.u.assign(entries, 0.0);
  if (layer.neuron != NeuronKind::readout) trace.spike.assign(entries, 0.0);
  if (layer.neuron != NeuronKind::readout) trace.reset.assign(entries, 0.0);
  if (layer.neuron == NeuronKind::synaptic_lif) trace.current.assign(entries, 0.0);
  if (layer.neuron == NeuronKind::adaptive_lif) trace.adaptation.assign(entries, 0.0);

  // A spike of step t adds w to I in step t + delay (+ 1 if it comes from the layer itself).
  const auto deliver = [&](const Synapses& synapses, int weight, const std::vector<double>& spikes,
                           std::size_t sources, std::size_t t) {
    const auto& w = parameters[static_cast<std::size_t>(weight)];
    for (std::size_t b = 0; b < size.samples; ++b)
      for (std::size_t k = 0; k < sources; ++k) {
        const double s = spikes[(t * size.samples + b) * sources + k];
        if (s == 0.0) continue;
        for (const Synapse& synapse : synapses.of(k)) {
          const std::size_t arrival = t + synapse.delay + synapses.lag;
          if (arrival < size.steps)
            trace.input[(arrival * size.samples + b) * part.neurons + synapse.target] +=
                w[synapse.weight] * synapses.scale * s;
        }
      }
  };
  if (part.bias >= 0)
    for (std::size_t n = 0; n < entries; ++n)
      trace.input[n] = parameters[static_cast<std::size_t>(part.bias)][n % part.neurons];
  for (std::size_t t = 0; t < size.steps; ++t) {
    deliver(part.input, part.weight, below, part.sources, t);
    neuron_step(index, parameters, t, size, options, trace);
    if (part.recurrent_weight >= 0)
      deliver(part.recurrent, part.recurrent_weight, trace.spike, part.neurons, t);
  }
  if (!std::all_of(trace.u.begin(), trace.u.end(), [](double u) { return std::isfinite(u); }))
    throw DivergedError(
        fmt::format("The state of layer '{}' stopped being a finite number.", layer.name),
        layer.name);
}

namespace {

// strength factor^epoch times the mean of n^4 over samples and neurons, n = spikes of a neuron in a sample.
double burst_penalty(const Layer& layer, std::uint32_t epoch, const std::vector<double>& spike, std::size_t steps,
                     std::size_t row) {
  if (layer.bursts.strength == 0.0) return 0.0;
  double sum = 0.0;
  for (std::size_t i = 0; i < row; ++i) {
    double n = 0.0;
    for (std::size_t t = 0; t < steps; ++t) n += spike[t * row + i];
    sum += n * n * n * n;
  }
  return layer.bursts.strength * std::pow(layer.bursts.epoch_factor, epoch) * sum / static_cast<double>(row);
}

}  // namespace

ReferenceRun Reference::run(const ReferenceValues& parameters, const SpikeBatch& batch,
                            const Loss& loss, const ReferenceOptions& options) const {
  const Size size{batch.steps, batch.samples};
  const std::vector<double> input = dense_spikes(batch);
  ReferenceRun run;
  run.layers.resize(network_.layers.size());
  for (std::size_t i = 0; i < network_.layers.size(); ++i) {
    forward_layer(i, parameters, i == 0 ? input : run.layers[i - 1].spike, size, options,
                  run.layers[i]);
    const Layer& layer = network_.layers[i];
    const std::size_t neurons = parts_[i].neurons;
    for (const double z : activity(run.layers[i], size.steps * size.samples, neurons)) {
      const double low = std::max(0.0, layer.regulariser.low - z);
      const double high = std::max(0.0, z - layer.regulariser.high);
      run.regulariser +=
          layer.regulariser.strength / static_cast<double>(neurons) * (low * low + high * high);
    }
    run.regulariser += burst_penalty(layer, options.epoch, run.layers[i].spike, size.steps, size.samples * neurons);
  }
  run.output_derivative.resize(run.output().size());
  LossResult result = evaluate_loss(loss, run.output(), batch.label, batch.steps, network_.classes,
                                    run.output_derivative, batch.target);
  run.loss = result.loss;
  run.correct = result.correct;
  run.prediction = std::move(result.prediction);
  if (!std::isfinite(run.loss))
    throw DivergedError("The loss stopped being a finite number.", network_.layers.back().name);
  return run;
}

ReferenceValues to_values(const std::vector<Tensor>& tensors) {
  ReferenceValues values;
  for (const Tensor& tensor : tensors)
    values.emplace_back(tensor.values.begin(), tensor.values.end());
  return values;
}

std::vector<Tensor> to_tensors(const ReferenceValues& values, const std::vector<Tensor>& like) {
  std::vector<Tensor> tensors;
  for (std::size_t i = 0; i < values.size(); ++i) {
    tensors.push_back({like[i].name, like[i].shape, {}});
    for (const double value : values[i]) tensors.back().values.push_back(static_cast<float>(value));
  }
  return tensors;
}

std::vector<double> dense_spikes(const SpikeBatch& batch) {
  std::vector<double> dense(std::size_t{batch.steps} * batch.samples * batch.channels, 0.0);
  for (std::size_t list = 0; list + 1 < batch.first.size(); ++list)
    for (std::size_t i = batch.first[list]; i < batch.first[list + 1]; ++i)
      dense[list * batch.channels + batch.channel[i]] = 1.0;
  return dense;
}

}  // namespace tessera::training
