// Checks of e-prop: which networks and options it is defined for.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "train/validate.hpp"

namespace tessera::training::validation {
namespace {

void check_numbers(const Reporter& report, const Eprop& eprop) {
  report.check(from_zero(eprop.feedback_gain), "feedback_gain", eprop.feedback_gain, "at least 0");
  report.check(from_zero(eprop.rate_strength), "rate_strength", eprop.rate_strength, "at least 0");
  report.check(from_zero(eprop.rate_target_hz), "rate_target_hz", eprop.rate_target_hz, "at least 0");
  report.check(above_zero(eprop.rate_tau_ms), "rate_tau_ms", eprop.rate_tau_ms, "above 0");
}

/// The layers that learn.
void check_layer(const Reporter& report, const Layer& layer) {
  const auto refuse = [&](const std::string& why) {
    report.add("", fmt::format("e-prop cannot train layer '{}': {}.", layer.name, why));
  };
  if (layer.neuron != NeuronKind::lif && layer.neuron != NeuronKind::adaptive_lif)
    return refuse(fmt::format("it has eligibility traces for lif and adaptive_lif, not for {}", to_string(layer.neuron)));
  if (layer.reset == Reset::to_zero)
    refuse("its traces outlive a spike, so reset has to be subtract or subtract_undecayed");
  if (layer.input.kind == ConnectionKind::convolution) refuse("it is a convolution; use a dense or sparse connection");
  if (layer.membrane.trainable || (layer.neuron == NeuronKind::adaptive_lif && layer.adaptation.trainable))
    refuse("time constants are not trained by e-prop; make them fixed");
}

void check_readout(const Reporter& report, const Layer& readout) {
  if (readout.membrane.trainable || readout.membrane.per_neuron)
    report.add("", fmt::format("e-prop filters with the time constant of the readout ('{}'), which has to be one fixed "
                               "value.",
                               readout.name));
  if (readout.input.kind == ConnectionKind::convolution)
    report.add("", fmt::format("The readout ('{}') of e-prop cannot be a convolution.", readout.name));
}

void check_mlgenn(const Reporter& report, const Network& network, const Options& options) {
  if (options.loss.window != 0)
    report.add("convention", "The convention mlgenn has errors in every step of a sample: leave out `window` of the loss, "
                             "or use bellec2020.");
  const Decay& out = network.layers.back().membrane;
  for (std::size_t k = 0; k + 1 < network.layers.size(); ++k) {
    const Layer& layer = network.layers[k];
    const Decay& rho = layer.adaptation;
    if (layer.neuron == NeuronKind::adaptive_lif && (rho.per_neuron || !(rho.low > 0.0)))
      report.add("convention", fmt::format("The convention mlgenn has one time constant of adaptation above 0 (layer '{}').",
                                           layer.name));
    if (!layer.membrane.per_neuron && layer.membrane.low == out.low) continue;
    report.add("convention", fmt::format("The convention mlgenn has one membrane time constant for all: layer '{}' and "
                                         "the readout differ. Make them equal, or use bellec2020.",
                                         layer.name));
  }
}

void check_options_beside(const Reporter& report, const Network& network, const Options& options) {
  if (options.strategy == Strategy::dense || options.strategy == Strategy::reference)
    report.add("", fmt::format("e-prop has no {} strategy; use sparse or auto.", to_string(options.strategy)));
  if (options.parallel == Parallel::model)
    report.add("", "Ranks cannot share the tiles of layers (parallel = model) with e-prop; with parallel = data they share "
                   "the samples of a batch.");
  const LossKind loss = options.loss.kind;
  if (loss != LossKind::cross_entropy_per_step && loss != LossKind::squared_error_per_step)
    report.add("", fmt::format("e-prop needs an error in every step: the loss has to be cross_entropy_per_step or "
                               "squared_error_per_step, not {}.",
                               to_string(loss)));
  if (network.layers.size() < 2)
    report.add("", "e-prop needs a layer of spiking neurons below the readout.");
  if (network.layers.size() > 2 && options.eprop->feedback == EpropFeedback::symmetric)
    report.add("feedback", fmt::format("Symmetric feedback reaches the layer below the readout only, but {} layers are to "
                                       "learn; with feedback = random the errors reach all of them.",
                                       network.layers.size() - 1));
}

}  // namespace

void check_eprop(const Reporter& report, const Network& network, const Options& options) {
  if (!options.eprop) return;
  check_numbers(report, *options.eprop);
  check_options_beside(report, network, options);
  if (network.layers.empty()) return;
  for (std::size_t k = 0; k + 1 < network.layers.size(); ++k) check_layer(report, network.layers[k]);
  check_readout(report, network.layers.back());
  if (options.eprop->convention == EpropConvention::mlgenn) check_mlgenn(report, network, options);
}

}  // namespace tessera::training::validation
