// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "train/layer_membrane.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <string>
#include <vector>

namespace tessera::training {
namespace {

SlopeKind slope_kind(Surrogate surrogate) {
  switch (surrogate) {
    case Surrogate::superspike:
      return SlopeKind::superspike;
    case Surrogate::arctan:
      return SlopeKind::arctan;
    case Surrogate::sigmoid:
      return SlopeKind::sigmoid;
    case Surrogate::triangular:
      return SlopeKind::triangular;
    case Surrogate::piecewise_linear:
      return SlopeKind::boxcar;
  }
  return SlopeKind::superspike;
}

MembraneKind membrane_kind(NeuronKind kind) {
  switch (kind) {
    case NeuronKind::adaptive_lif:
      return MembraneKind::adaptive;
    case NeuronKind::synaptic_lif:
      return MembraneKind::synaptic;
    default:
      return MembraneKind::lif;
  }
}

}  // namespace

Membrane membrane_of(const Layer& layer, double theta_grad) {
  Membrane m;
  m.kind = membrane_kind(layer.neuron);
  m.reset_to_zero = layer.reset == Reset::to_zero;
  m.threshold = static_cast<float>(layer.threshold);
  // What is subtracted before the decay, so that it takes the threshold off after it.
  const bool late = layer.reset == Reset::subtract_undecayed;
  m.drop = static_cast<float>(late ? layer.threshold / layer.membrane.low : layer.threshold);
  m.refractory = static_cast<float>(layer.refractory);
  m.height = static_cast<float>(layer.surrogate_height);
  m.adaptation = static_cast<float>(layer.adaptation_strength);
  m.inverse_capacitance = static_cast<float>(1.0 / layer.capacitance);
  m.slope = slope_kind(layer.surrogate);
  m.steepness = static_cast<float>(layer.surrogate_steepness);
  m.second_threshold = static_cast<float>(theta_grad / layer.threshold);
  return m;
}

void expect_finite(const Layer& layer, const float* u, std::size_t n) {
  constexpr std::uint32_t kExponent = 0x7f800000;
  bool finite = true;
  for (std::size_t j = 0; j < n; ++j)
    finite &= (std::bit_cast<std::uint32_t>(u[j]) & kExponent) != kExponent;
  if (finite) return;
  throw DivergedError(
      fmt::format("A membrane potential of layer '{}' stopped being a finite number. Try a smaller "
                  "learning rate, gradient clipping or a longer warm-up.",
                  layer.name),
      layer.name);
}

DecayFactor::DecayFactor(const Layer& layer, DecayRole role, std::uint32_t neurons,
                         std::size_t stride)
    : neurons_(neurons), fixed_(decay_of(layer, role).low), value_(stride) {
  const Decay& spec = decay_of(layer, role);
  if (has_logit(spec)) {
    const std::uint64_t n = spec.per_neuron ? neurons : 1;
    logit_.emplace(layer.name + "." + std::string(logit_suffix(role)),
                   std::vector<std::uint64_t>{n}, ArrayLayout::flat(n));
    logit_->trainable = spec.trainable;
  }
  refresh();
}

void DecayFactor::refresh() {
  for (std::uint32_t j = 0; j < neurons_; ++j) {
    const double x = logit_ ? logit_->value[logit_->elements > 1 ? j : 0] : 0.0;
    value_[j] = static_cast<float>(logit_ ? 1.0 / (1.0 + std::exp(-x)) : fixed_);
  }
}

void DecayFactor::set_gradient(const float* by_factor) {
  std::fill(logit_->gradient.begin(), logit_->gradient.end(), 0.0f);
  for (std::uint32_t j = 0; j < neurons_; ++j) {
    const float a = value_[j];  // d alpha / d logit = alpha (1 - alpha)
    logit_->gradient[logit_->elements > 1 ? j : 0] += by_factor[j] * a * (1.0f - a);
  }
}

}  // namespace tessera::training
