// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "train/activity_warnings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace tessera::training {
namespace {

constexpr double kManyDead = 0.2;          // of the neurons of a layer
constexpr double kSaturated = 0.5;         // of all neuron steps
constexpr std::uint64_t kFewDropped = 10;  // gradient entries: one in so many

std::uint64_t neurons_of(const Network& network, const std::string& layer) {
  const std::vector<Shape> shapes = layer_shapes(network);
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    if (network.layers[i].name == layer) return shapes[i].size();
  }
  return 0;
}

bool many_dead(const LayerActivity& layer, std::uint64_t neurons) {
  return static_cast<double>(layer.silent_neurons) >= kManyDead * static_cast<double>(neurons);
}

std::string dead_sentence(const LayerActivity& layer, std::uint64_t neurons, std::uint32_t epoch) {
  return fmt::format(
      "{} of {} neurons of layer '{}' are dead: they spiked in no training sample of epoch {}. "
      "Lower weight_decay or the learning rate, give the layer an initial_activity, or add a lower "
      "activity regulariser.",
      layer.silent_neurons, neurons, layer.name, epoch + 1);
}

// How much of the layer spikes.
std::string spiking_sentence(const Network& network, const LayerActivity& layer,
                             const LayerActivity* before, std::uint32_t epoch) {
  if (layer.spikes == 0) {
    return fmt::format(
        "Layer '{}' did not spike in epoch {}: nothing passes through it. Raise its initial_gain, "
        "give it an initial_activity, lower its threshold, or add a lower activity regulariser.",
        layer.name, epoch + 1);
  }
  const double share = static_cast<double>(layer.spikes) / static_cast<double>(layer.neuron_steps);
  if (share > kSaturated) {
    return fmt::format(
        "Layer '{}' spikes in {:.0f} % of all neuron steps in epoch {}: it tells little and costs "
        "much. Lower its initial_gain, raise its threshold, or add an upper activity regulariser.",
        layer.name, 100.0 * share, epoch + 1);
  }
  const std::uint64_t neurons = neurons_of(network, layer.name);
  const bool told = before != nullptr && many_dead(*before, neurons);
  return many_dead(layer, neurons) && !told ? dead_sentence(layer, neurons, epoch) : "";
}

// Whether its lists were long enough.
std::string dropping_sentence(const LayerActivity& layer, std::uint32_t epoch) {
  if (layer.dropped_spikes > 0) {
    return fmt::format(
        "Layer '{}' dropped {} of {} spikes in epoch {} because its lists were full: raise "
        "max_activity.",
        layer.name, layer.dropped_spikes, layer.spikes + layer.dropped_spikes, epoch + 1);
  }
  if (layer.dropped_gradients > layer.listed / kFewDropped) {
    return fmt::format(
        "Layer '{}' dropped {} gradient-only entries in epoch {} ({} were listed): raise "
        "max_activity or theta_grad.",
        layer.name, layer.dropped_gradients, epoch + 1, layer.listed);
  }
  return "";
}

}  // namespace

void warn_of_activity(const Network& network, const EpochMetrics& epoch, const EpochMetrics* before,
                      FitObserver& observer) {
  for (std::size_t k = 0; k < epoch.layers.size(); ++k) {
    const LayerActivity& layer = epoch.layers[k];
    const bool known = before != nullptr && k < before->layers.size();
    const LayerActivity* earlier = known ? &before->layers[k] : nullptr;
    for (const std::string& sentence : {spiking_sentence(network, layer, earlier, epoch.epoch),
                                        dropping_sentence(layer, epoch.epoch)}) {
      if (!sentence.empty()) observer.on_warning(sentence);
    }
  }
}

}  // namespace tessera::training
