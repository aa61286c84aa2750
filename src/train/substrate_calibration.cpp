// Calibration: what the chip makes of a single input spike, against the model.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>

#include "train/substrate_layer.hpp"

namespace tessera::training {
namespace {

constexpr int kWeights = 8;               // of the sweep
constexpr double kHighest = 0.8;          // potential of the largest of them, in thresholds of the model
constexpr std::uint32_t kMostSteps = 200;
constexpr substrate::RunNumber kCalibration{0, (1U << 24) - 1};

// The highest potential after one spike of weight 1 in the model: u = alpha u + i / C, i = kappa i + I.
double model_peak(double alpha, double kappa, double inverse_capacitance, std::uint32_t steps) {
  double u = 0.0, i = 0.0, peak = 0.0;
  for (std::uint32_t t = 0; t < steps; ++t) {
    i = kappa * i + (t == 0 ? 1.0 : 0.0);
    u = alpha * u + i * inverse_capacitance;
    peak = std::max(peak, u);
  }
  return peak;
}

}  // namespace

// The factor by which the model's weights are to be multiplied: least squares of the model's peaks over the chip's,
// times the distance from leak to threshold that is read, in thresholds of the model.
double SubstrateLayer::measure(const Membrane& constants) {
  const std::uint32_t steps = std::min(steps_of_network_, kMostSteps);
  const bool spikes = layer_->neuron != NeuronKind::readout, synaptic = layer_->neuron == NeuronKind::synaptic_lif;
  Membrane m = constants;
  m.threshold = std::numeric_limits<float>::infinity();  // potentials of single spikes: nobody fires
  double both = 0.0, squares = 0.0, distance = 0.0;
  std::size_t neurons = 0;
  for (SubstratePart& part : parts_) {
    part.load_neurons(constants.alpha, constants.second, kCalibration);
    PartState state = part.make_state();
    std::vector<float> peak(part.neurons());
    for (int k = 1; k <= kWeights; ++k) {
      const double height = kHighest * layer_->threshold * k / kWeights;
      std::vector<double> weight(part.neurons());
      for (const PartRange& r : part.ranges()) {
        for (std::uint32_t j = r.begin; j < r.end; ++j) {
          const std::size_t i = r.place + (j - r.begin);
          weight[i] = height / model_peak(constants.alpha[j], synaptic ? constants.second[j] : 0.0,
                                          constants.inverse_capacitance, steps);
        }
      }
      part.begin(state);
      std::fill(peak.begin(), peak.end(), 0.0F);
      for (std::uint32_t t = 0; t < steps; ++t) {
        for (std::uint32_t i = 0; i < part.neurons(); ++i)
          state.current[i] = t == 0 ? static_cast<float>(weight[i]) * part.circuits().input[i] : 0.0F;
        part.probe(m, state, peak);
      }
      for (const float p : peak) {
        both += height * p;
        squares += static_cast<double>(p) * p;
      }
    }
    for (std::uint32_t i = 0; spikes && i < part.neurons(); ++i)
      distance += part.read(i, static_cast<float>(layer_->threshold)) / layer_->threshold;
    neurons += part.neurons();
  }
  if (!(squares > 0.0)) return 1.0;
  return both / squares * (spikes ? distance / static_cast<double>(neurons) : 1.0);
}

}  // namespace tessera::training
