// The parts of validate(): one function per kind of thing, all adding to one list of problems.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tessera/network.hpp"

namespace tessera::validation {

/// What the checks share: the network, its models, names looked up once, and the problems found.
class context {
 public:
  context(const Network& network, const NeuronCatalogue& models);

  /// Adds a problem with the thing at `where` (key path `path` if it does not know its own); `key`
  /// is the key inside it, "" for the thing itself.
  void add(const SourceLocation& where, const std::string& path, const std::string& key,
           std::string message);
  /// The same for something that is right, but more than Tessera can hold.
  void add_too_large(const SourceLocation& where, const std::string& path, const std::string& key,
                     std::string message);
  /// The population, or null after reporting that `name` is unknown.
  const Population* look_up(const SourceLocation& where, const std::string& path,
                            const std::string& key, const std::string& name);
  /// State variables of a population of neurons with its parameters (see check_population).
  [[nodiscard]] const std::vector<std::string>* states_of(const Population& population) const;
  void set_states(const Population& population, std::vector<std::string> names);

  [[nodiscard]] const Network& network() const noexcept { return network_; }
  [[nodiscard]] const NeuronCatalogue& models() const noexcept { return models_; }
  [[nodiscard]] bool dt_is_good() const noexcept;
  [[nodiscard]] std::vector<Problem> take() noexcept { return std::move(problems_); }
  [[nodiscard]] std::vector<Problem> take_too_large() noexcept { return std::move(too_large_); }

 private:
  const Network& network_;
  const NeuronCatalogue& models_;
  std::unordered_map<std::string, const Population*> populations_;
  std::unordered_map<const Population*, std::vector<std::string>> states_;
  std::vector<Problem> problems_;
  std::vector<Problem> too_large_;  // among them
};

void check_population(context& c, const Population& population);
void check_projection(context& c, const Projection& projection, std::size_t index);
void check_stimulus(context& c, const Stimulus& stimulus, std::size_t index);
void check_recorder(context& c, const StateRecorder& recorder, std::size_t index);
void check_spike_selection(context& c, const SpikeSelection& selection);

/// What is wrong with a distribution, parameter by parameter: the key of the parameter in a table
/// (".sd", ".low"; "" for the distribution as a whole) and a sentence.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> distribution_problems(
    const Distribution& distribution);

/// What is wrong with the values of a model's or rule's parameters: the name and a sentence of each. `model`
/// begins a sentence ("The model iaf_psc_exp"), `owner` ends one ("population 'A'"). `values` becomes the
/// defaults with all values that are right.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> parameter_problems(
    const std::string& model, const std::string& owner, const std::vector<ParameterInfo>& known,
    const std::map<std::string, double>& given, ParameterValues& values);

/// " It is a parameter of the plasticity rule ...", when a name that is no parameter of a neuron is one of a
/// rule (NEST keeps tau_minus in the neuron); else "".
[[nodiscard]] std::string hint_at_rules(const NeuronCatalogue& models, const std::string& parameter);

/// The plasticity of a projection, which has one. `label`: the projection in quotes. The ends are null where
/// they do not exist.
void check_rewiring(context& c, const Projection& p, const std::string& path, const std::string& label,
                    const Population* source, const Population* target);
void check_plasticity(context& c, const Projection& p, const std::string& path, const std::string& label,
                      const Population* source, const Population* target);

/// Whether `time` is a whole number of steps, to rounding.
[[nodiscard]] bool is_multiple(double time, double dt);

}  // namespace tessera::validation
