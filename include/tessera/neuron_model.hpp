// What a neuron model is: its description, its parameters and the kernels that advance it.
//
// A model is one source file. It describes itself (name, equations, parameter table), derives its
// constants from the parameters and dt, states the scalar equation (`reference_step`, the oracle) and
// a vector update written with Google Highway (see tessera/neuron_kernel-inl.hpp).
// examples/custom_neuron is a complete model outside of this source tree.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace tessera {

/// A named parameter with its unit, default and the range in which it means something.
struct ParameterInfo {
  std::string name;
  std::string unit;  ///< "mV", "pA", "pF", "nS", "ms", "Hz", "" (dimensionless); of a rule also "weight"
  double default_value = 0.0;
  std::string description;
  double minimum = -std::numeric_limits<double>::infinity();
  double maximum = std::numeric_limits<double>::infinity();
  bool minimum_allowed = true;  ///< false: the value must be strictly above `minimum`
};

/// A state variable that can be initialised and recorded. `initial_parameter` names the parameter
/// whose value it starts from when the model file gives none ("" = 0).
struct StateInfo {
  std::string name;
  std::string unit;
  std::string initial_parameter;
  std::string description;
};

/// Parameter values by name; asking for a name that is not there is a programming error and throws.
class ParameterValues {
 public:
  ParameterValues() = default;
  explicit ParameterValues(std::map<std::string, double> values) : values_(std::move(values)) {}
  [[nodiscard]] double operator[](const std::string& name) const { return values_.at(name); }
  void set(const std::string& name, double value) { values_[name] = value; }
  [[nodiscard]] const std::map<std::string, double>& all() const noexcept { return values_; }

 private:
  std::map<std::string, double> values_;
};

/// Synaptic input of one step as it leaves the ring: integer units (fast) or physical values (exact).
template <class Real>
struct InputOf;
template <>
struct InputOf<float> {
  using type = std::int32_t;
};
template <>
struct InputOf<double> {
  using type = double;
};

/// One call of a model's update: `count` neurons of one population on one tile, from step t to t+1.
/// All columns hold `count` rounded up to `kNeuronPadding` entries; entries past `count` are padding.
template <class Real>
struct UpdateArgs {
  std::size_t count = 0;
  Real* const* state = nullptr;         ///< one column per StateInfo of the variant
  std::uint16_t* refractory = nullptr;  ///< steps of refractoriness left
  std::uint16_t refractory_steps = 0;   ///< value set by a spike
  typename InputOf<Real>::type* input[2] = {nullptr, nullptr};  ///< per port; zeroed by the update
  Real input_scale = 1;                                         ///< physical weight per unit
  const Real* current = nullptr;  ///< injected current per neuron (pA), or null: `uniform_current`
  Real uniform_current = 0;
  const double* constants = nullptr;
  std::uint32_t* spikes = nullptr;      ///< out: indices (0..count-1) of neurons that crossed threshold
  std::size_t spike_count = 0;          ///< out
  bool finite = true;                   ///< out: false when a membrane potential is NaN or infinite
};

/// Columns are padded to this many neurons, a multiple of every vector width.
inline constexpr std::size_t kNeuronPadding = 64;

/// A model bound to parameters and dt: what the engine needs to advance it.
struct NeuronVariant {
  std::vector<StateInfo> states;  ///< columns, in the order the kernels expect; the first is V_m
  double origin = 0.0;            ///< V_m is kept as V_m - origin (more digits in float32)
  int ports = 1;                  ///< 1: weights of both signs share a port; 2: positive, negative
  int refractory_steps = 0;
  std::vector<double> constants;
  void (*update_f32)(UpdateArgs<float>&) = nullptr;
  void (*update_f64)(UpdateArgs<double>&) = nullptr;
  /// The scalar equation: advances `state` (one value per column) by one step. `input` has one value
  /// per port. Returns whether the neuron spiked. Refractoriness is counted by the caller.
  bool (*reference_step)(double* state, const double* constants, const double* input,
                         double current, bool refractory) = nullptr;
};

/// A neuron model as users see it.
struct NeuronModel {
  std::string name;
  std::string summary;      ///< one sentence
  std::string equations;    ///< plain text, several lines
  std::string source;       ///< literature
  std::string weight_unit;  ///< "pA" (currents), "mV" (jumps) or "nS" (conductances)
  std::vector<ParameterInfo> parameters;
  std::vector<StateInfo> states;  ///< everything that can be initialised or recorded
  /// Sentences about combinations of values that make no sense (V_reset above V_th, ...).
  std::vector<std::string> (*check)(const ParameterValues&) = nullptr;
  NeuronVariant (*prepare)(const ParameterValues&, double dt_ms) = nullptr;
};

struct PlasticityModel;  ///< tessera/plasticity_model.hpp
struct StructuralModel;  ///< tessera/structural_rule.hpp

/// The models a network may name: of neurons, and the rules of plasticity. A value, not a singleton:
/// start from `builtin()` and add your own.
class NeuronCatalogue {
 public:
  [[nodiscard]] static NeuronCatalogue builtin();
  /// Adds a model; throws InputError when a neuron model or a rule has the name.
  void add(NeuronModel model);
  [[nodiscard]] const NeuronModel* find(const std::string& name) const noexcept;
  [[nodiscard]] std::vector<std::string> names() const;

  /// The same for rules of plasticity.
  void add(PlasticityModel rule);
  [[nodiscard]] const PlasticityModel* find_rule(const std::string& name) const noexcept;
  [[nodiscard]] std::vector<std::string> rule_names() const;

  /// The same for structural rules, which create and remove synapses.
  void add(StructuralModel rule);
  [[nodiscard]] const StructuralModel* find_structural_rule(const std::string& name) const noexcept;
  [[nodiscard]] std::vector<std::string> structural_rule_names() const;

 private:
  void require_free(const std::string& name) const;

  std::map<std::string, NeuronModel> models_;
  std::map<std::string, std::shared_ptr<const PlasticityModel>> rules_;
  std::map<std::string, std::shared_ptr<const StructuralModel>> structural_rules_;
};

/// Parameters as a table for readers: name, unit, default, range, meaning; one line each.
[[nodiscard]] std::string parameter_table(const std::vector<ParameterInfo>& parameters);

/// The reference documentation of a model: summary, equations, parameter and state tables, source.
[[nodiscard]] std::string document(const NeuronModel& model);

}  // namespace tessera
