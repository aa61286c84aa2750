// Checks a network and its options before anything is allocated: all problems at once.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "train/validate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/printable.hpp"
#include "tessera/substrate.hpp"
#include "train/parameters.hpp"

namespace tessera::training {
namespace validation {

void Reporter::add(const std::string& key, std::string message) const {
  SourceLocation where = where_;
  if (!key.empty()) where.key_path += (where.key_path.empty() ? "" : ".") + key;
  problems_->push_back({std::move(where), std::move(message)});
}

bool Reporter::check(bool good, const std::string& key, double value,
                     const std::string& range) const {
  if (!good) add(key, fmt::format("{} of {} is {}; it must be {}.", key, what_, value, range));
  return good;
}

std::string describe(const Shape& shape) {
  if (shape.height == 1 && shape.width == 1) return fmt::format("{}", shape.channels);
  return fmt::format("{} x {} x {}", shape.height, shape.width, shape.channels);
}

namespace {

bool is_good_name(const std::string& name) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  };
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), good);
}

void check_decay(const Reporter& report, const std::string& key, const Decay& decay) {
  // A membrane that does not leak is the one fixed factor of 1 that makes sense (NIR's IF).
  const bool integrates = key == "membrane" && decay.low == 1.0 && decay.high == 1.0 && !decay.trainable;
  const auto inside = [&](double value) { return value >= 0.0 && (value < 1.0 || integrates); };
  const std::string range = "at least 0 and below 1 (exp(-dt / tau); 1 where it is a fixed membrane factor: no leak)";
  const bool low = report.check(inside(decay.low), key + ".low", decay.low, range);
  const bool high = report.check(inside(decay.high), key + ".high", decay.high, range);
  if (!low || !high) return;
  if (decay.low > decay.high)
    report.add(key, fmt::format("{0}.low of {1} is {2}, above {0}.high, which is {3}.", key,
                                report.what(), decay.low, decay.high));
  if (decay.low < decay.high && !decay.per_neuron)
    report.add(key, fmt::format("{} of {} is a range from {} to {}, which needs per_neuron = true.",
                                key, report.what(), decay.low, decay.high));
  if (decay.low == 0.0 && (decay.trainable || decay.low < decay.high))
    report.add(key, fmt::format("{}.low of {} is 0; it must be above 0 when the factor is trained "
                                "or drawn from a range.",
                                key, report.what()));
}

void check_activity(const Reporter& report, const Layer& layer, std::uint64_t neurons) {
  if (report.check(layer.max_activity > 0.0 && layer.max_activity <= 1.0, "max_activity",
                   layer.max_activity, "above 0 and at most 1") &&
      neurons > 0 && layer.max_activity * static_cast<double>(neurons) < 1.0)
    report.add("max_activity",
               fmt::format("max_activity of {} is {}: of {} neurons that is a capacity of zero; it "
                           "must be at least {}.",
                           report.what(), layer.max_activity, neurons,
                           1.0 / static_cast<double>(neurons)));
  if (report.check(layer.initial_activity >= 0.0 && layer.initial_activity < 1.0,
                   "initial_activity", layer.initial_activity, "at least 0 and below 1") &&
      layer.initial_activity > layer.max_activity)
    report.add("initial_activity",
               fmt::format("initial_activity of {} is {}, above its max_activity, which is {}.",
                           report.what(), layer.initial_activity, layer.max_activity));
  const ActivityRegulariser& r = layer.regulariser;
  report.check(from_zero(layer.bursts.strength), "bursts.strength", layer.bursts.strength, "at least 0");
  report.check(above_zero(layer.bursts.epoch_factor) && layer.bursts.epoch_factor <= 1.0, "bursts.epoch_factor",
               layer.bursts.epoch_factor, "above 0 and at most 1");
  report.check(from_zero(r.strength), "regulariser.strength", r.strength, "at least 0");
  if (report.check(fraction(r.low), "regulariser.low", r.low, "from 0 to 1") &&
      report.check(fraction(r.high), "regulariser.high", r.high, "from 0 to 1"))
    report.check(r.low <= r.high, "regulariser.low", r.low,
                 fmt::format("at most regulariser.high, which is {}", r.high));
}

void check_neuron(const Reporter& report, const Layer& layer, std::uint64_t neurons) {
  for (const DecayRole role : {DecayRole::membrane, DecayRole::synapse, DecayRole::adaptation}) {
    const char* key = role == DecayRole::membrane  ? "membrane"
                      : role == DecayRole::synapse ? "synapse"
                                                   : "adaptation";
    if (has_decay(layer.neuron, role)) check_decay(report, key, decay_of(layer, role));
  }
  report.check(above_zero(layer.capacitance), "capacitance", layer.capacitance, "above 0");
  report.check(from_zero(layer.initial_gain), "initial_gain", layer.initial_gain, "at least 0");
  report.check(from_zero(layer.weight_penalty), "weight_penalty", layer.weight_penalty, "at least 0");
  report.check(from_zero(layer.weight_limit), "weight_limit", layer.weight_limit, "at least 0");
  report.check(fraction(layer.weight_roll_off), "weight_roll_off", layer.weight_roll_off, "from 0 to 1");
  const bool rewires = layer.input.rewiring.has_value() || (layer.recurrent && layer.recurrent->rewiring);
  if (layer.weight_penalty > 0.0 && rewires)
    report.add("weight_penalty", fmt::format("{} rewires: the mean over its weights would change with their number. A "
                                             "rule of rewiring has a penalty of its own (l1).",
                                             report.what()));
  if (layer.neuron == NeuronKind::readout) {
    if (layer.initial_activity != 0.0 || layer.regulariser.strength != 0.0 || layer.bursts.strength != 0.0)
      report.add("", fmt::format("{} is a readout, which never spikes: it can have neither an "
                                 "initial_activity nor a regulariser of its spikes.",
                                 report.what()));
    return;
  }
  report.check(above_zero(layer.threshold), "threshold", layer.threshold, "above 0");
  report.check(above_zero(layer.surrogate_steepness), "steepness", layer.surrogate_steepness,
               "above 0");
  report.check(above_zero(layer.surrogate_height), "surrogate_height", layer.surrogate_height, "above 0");
  report.check(layer.refractory <= most_steps, "refractory", layer.refractory, fmt::format("at most {} steps", most_steps));
  const Decay& alpha = layer.membrane;
  if (layer.reset == Reset::subtract_undecayed && (alpha.trainable || alpha.per_neuron || !(alpha.low > 0.0)))
    report.add("reset", fmt::format("reset = subtract_undecayed of {} needs one fixed membrane time constant above 0.",
                                    report.what()));
  if (layer.neuron == NeuronKind::adaptive_lif)
    report.check(from_zero(layer.adaptation_strength), "adaptation_strength",
                 layer.adaptation_strength, "at least 0");
  check_activity(report, layer, neurons);
}

bool input_is_good(const Network& network) {
  const double neurons = neurons_in(network.input);
  return neurons >= 1.0 && neurons <= static_cast<double>(most_neurons);
}

/// The network's own numbers, not those of its layers.
void check_frame(const Reporter& report, const Network& network, const Loss& loss) {
  if (!input_is_good(network))
    report.add("input", fmt::format("The input has the shape {}; it must have from 1 to {} "
                                    "channels in all.",
                                    describe(network.input), most_neurons));
  report.check(network.steps >= 1 && network.steps <= most_steps, "steps", network.steps,
               fmt::format("from 1 to {}", most_steps));
  report.check(above_zero(network.dt_ms), "dt_ms", network.dt_ms, "above 0");
  // One output can follow a target.
  const std::uint32_t fewest = loss.kind == LossKind::squared_error_per_step ? 1 : 2;
  report.check(network.classes >= fewest, "classes", network.classes, fmt::format("at least {}", fewest));
  if (network.layers.empty()) report.add("layers", "The network has no layers.");
}

/// What depends on a layer's place: readouts are outputs, the output has a neuron for each class.
void check_place(const Reporter& report, const Network& network, std::size_t index,
                 const Shape& shape) {
  const Layer& layer = network.layers[index];
  const bool last = index + 1 == network.layers.size();
  if (layer.neuron == NeuronKind::readout && !last)
    report.add("neuron", fmt::format("{} is a readout but not the last layer; a readout never "
                                     "spikes, so no layer can follow it.",
                                     report.what()));
  if (last && layer.neuron != NeuronKind::readout && layer.bursts.strength != 0.0)
    report.add("bursts", fmt::format("{} is the output, whose spikes the loss looks at: it can have no `bursts`.", report.what()));
  if (last && shape.size() != 0 && shape.size() != network.classes)
    report.add("size",
               fmt::format("The output, {}, has the shape {} ({} neurons), but there are {} "
                           "classes; it must have one neuron for each.",
                           report.what(), describe(shape), shape.size(), network.classes));
}

void check_layers(std::vector<Problem>& problems, const Network& network) {
  std::set<std::string> names;
  Shape source = input_is_good(network) ? network.input : Shape{0, 0, 0};
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const Layer& layer = network.layers[i];
    SourceLocation where = layer.where;
    if (where.key_path.empty()) where.key_path = "layers." + layer.name;
    const Reporter report(problems, where, "layer '" + layer.name + "'");
    if (!is_good_name(layer.name))
      report.add("name", fmt::format("'{}' cannot be the name of layer {}: names are 1 to 64 "
                                     "letters, digits, '_' and '-'.",
                                     layer.name, i + 1));
    if (!names.insert(layer.name).second)
      report.add("name", fmt::format("Two layers have the name '{}'.", layer.name));
    const Shape shape = check_connection(report, layer, source);
    check_recurrent(report, layer, shape);
    check_neuron(report, layer, shape.size());
    check_place(report, network, i, shape);
    source = shape;
  }
}

}  // namespace
}  // namespace validation

std::vector<Problem> validate(const Network& network, const Options& options) {
  std::vector<Problem> problems;
  if (!is_plain_name(network.name)) {
    validation::Reporter(problems, {}, "the network")
        .add("name", fmt::format("'{:.80}' cannot be a name: it has control characters or is no "
                                 "UTF-8.",
                                 network.name));
  }
  validation::check_frame({problems, {}, "the network"}, network, options.loss);
  validation::check_layers(problems, network);
  validation::check_options(problems, network, options);
  if (options.substrate && problems.empty()) {
    for (Problem& problem : validate(network, options, *options.substrate)) problems.push_back(std::move(problem));
  }
  return problems;
}

}  // namespace tessera::training
