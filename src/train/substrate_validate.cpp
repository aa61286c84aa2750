// Checks of a training on a substrate, and what of it can be switched off.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "substrate/event_link.hpp"
#include "tessera/communicator.hpp"
#include "tessera/substrate.hpp"
#include "train/parameters.hpp"
#include "train/substrate_part.hpp"
#include "train/validate.hpp"

namespace tessera::training {
namespace {

using validation::Reporter;

// Runs that have neurons of the layer; complains about neurons that none or several of them have.
std::size_t check_slices(const Reporter& report, const Partition& partition, std::uint32_t layer, std::uint64_t neurons) {
  std::vector<std::uint32_t> owners(neurons, 0);
  std::size_t runs = 0;
  for (const PartitionRun& run : partition.runs) {
    bool here = false;
    for (const PartitionSlice& slice : run.slices) {
      if (slice.population >= partition.populations.size() || partition.populations[slice.population].index != layer) continue;
      here = true;
      for (std::uint64_t j = slice.first; j < std::min<std::uint64_t>(neurons, std::uint64_t{slice.first} + slice.count); ++j)
        ++owners[j];
      if (std::uint64_t{slice.first} + slice.count > neurons)
        report.add("", fmt::format("The partition has neurons {} to {} of {}, which has {}.", slice.first,
                                   std::uint64_t{slice.first} + slice.count - 1, report.what(), neurons));
    }
    runs += here ? 1 : 0;
  }
  const auto missed = std::count(owners.begin(), owners.end(), 0U);
  const auto repeated = std::count_if(owners.begin(), owners.end(), [](std::uint32_t n) { return n > 1; });
  if (missed > 0)
    report.add("", fmt::format("The partition misses {} of the {} neurons of {}; the first is {}.", missed, neurons,
                               report.what(), std::find(owners.begin(), owners.end(), 0U) - owners.begin()));
  if (repeated > 0)
    report.add("", fmt::format("The partition has {} of the {} neurons of {} more than once; the first is {}.", repeated,
                               neurons, report.what(),
                               std::find_if(owners.begin(), owners.end(), [](std::uint32_t n) { return n > 1; }) - owners.begin()));
  return runs;
}

void check_layer(const Reporter& report, const Layer& layer, std::size_t runs, bool perfect_links) {
  for (const DecayRole role : {DecayRole::membrane, DecayRole::synapse, DecayRole::adaptation}) {
    if (has_decay(layer.neuron, role) && decay_of(layer, role).trainable)
      report.add("", fmt::format("The time constants of {} are trained, but those of a substrate are set once: leave "
                                 "`trainable` out, or the layer off the substrate (substrate = false).",
                                 report.what()));
  }
  if (layer.refractory > 0)
    report.add("", fmt::format("{} has a refractory time, which the emulation does not have; leave it off the substrate "
                               "(substrate = false).",
                               report.what()));
  if (layer.input.rewiring || (layer.recurrent && layer.recurrent->rewiring))
    report.add("", fmt::format("{} rewires, which layers on a substrate cannot; leave it off the substrate (substrate = "
                               "false).",
                               report.what()));
  if (layer.recurrent && runs > 1 && !perfect_links)
    report.add("", fmt::format("{} is recurrent and divided into {} runs, which exchange spikes in every step: such a layer "
                               "is trained on machines without limits of events only (effects without \"events\" and "
                               "noise of spike times).",
                               report.what(), runs));
}

void check_options(const Reporter& report, const Options& options) {
  const auto refuse = [&](const std::string& key, const std::string& why) {
    report.add(key, fmt::format("A training on a substrate {}.", why));
  };
  if (options.strategy == Strategy::dense || options.strategy == Strategy::reference)
    refuse("strategy", fmt::format("needs the sparse strategy, not {}: chips exchange lists of spikes", to_string(options.strategy)));
  if (options.parallel == Parallel::model) refuse("parallel", "cannot share layers between ranks (parallel = model)");
  if (options.eprop) refuse("", "learns by back-propagation, not by e-prop");
  if (options.slices > 1) refuse("slices", fmt::format("has one slice, not {}: a chip runs all samples of a batch", options.slices));
  if (options.communicator && options.communicator->size() > 1) refuse("", "runs in one process");
}

void check_clock(const Reporter& report, const Network& network, const MachineDescription& machine) {
  const double step_us = chip_step_us(network, machine), ratio = machine.events.clock_ns * 1e-3 / step_us;
  if (ratio > 1.0 + 1e-9 && std::abs(ratio - std::round(ratio)) > 1e-6 * ratio)
    report.add("dt_ms", fmt::format("A step of the network is {} us of the chip, whose clock of {} us is not a whole number "
                                    "of them.",
                                    step_us, machine.events.clock_ns * 1e-3));
}

}  // namespace

std::vector<Problem> validate(const Network& network, const Options& options, const Substrate& substrate) {
  std::vector<Problem> problems;
  SourceLocation nowhere;
  const Reporter report(problems, nowhere, "the training");
  check_options(report, options);
  check_clock(report, network, substrate.machine);
  const substrate::EventLinks links =
      substrate::links_of(substrate.machine.events, chip_step_us(network, substrate.machine));
  const bool perfect = links.in.is_perfect() && links.out.is_perfect() && !substrate.machine.noise.spike_time_us.applies();
  const std::vector<Shape> shapes = layer_shapes(network);
  bool any = false;
  for (std::uint32_t k = 0; k < network.layers.size(); ++k) {
    const Layer& layer = network.layers[k];
    if (!layer.on_substrate) continue;
    any = true;
    SourceLocation where = layer.where;
    if (where.key_path.empty()) where.key_path = "layers." + layer.name;
    const Reporter of_layer(problems, where, "layer '" + layer.name + "'");
    const std::size_t runs = check_slices(of_layer, substrate.partition, k, shapes[k].size());
    check_layer(of_layer, layer, runs, perfect);
  }
  if (!any) report.add("", "No layer is on the substrate: every one has substrate = false.");
  return problems;
}

std::string to_string(SubstrateEffect effect) {
  switch (effect) {
    case SubstrateEffect::weights:
      return "weights";
    case SubstrateEffect::events:
      return "events";
    case SubstrateEffect::pattern:
      return "pattern";
    case SubstrateEffect::noise:
      return "noise";
    case SubstrateEffect::readout:
      return "readout";
  }
  return {};
}

void keep_effects(const std::vector<SubstrateEffect>& wanted, MachineDescription& machine) {
  const auto keeps = [&](SubstrateEffect effect) {
    return std::find(wanted.begin(), wanted.end(), effect) != wanted.end();
  };
  if (!keeps(SubstrateEffect::weights)) machine.weights.bits = 0;
  if (!keeps(SubstrateEffect::events)) machine.events.clock_ns = 0.0;
  auto& pattern = machine.fixed_pattern;
  for (MachineVariation* variation : {&pattern.threshold, &pattern.leak, &pattern.membrane_time_constant,
                                      &pattern.synapse_time_constant, &pattern.weight_gain}) {
    variation->on = variation->on && keeps(SubstrateEffect::pattern);
  }
  for (MachineVariation* variation : {&machine.noise.threshold, &machine.noise.membrane, &machine.noise.spike_time_us})
    variation->on = variation->on && keeps(SubstrateEffect::noise);
  if (!keeps(SubstrateEffect::readout)) {
    machine.readout.bits = 0;
    machine.readout.interval_us = 0.0;
  }
}

}  // namespace tessera::training
