// What a rule of synaptic plasticity is: its description, its parameters and the kernels that carry it out.
//
// A rule is one source file, like a neuron model. It describes itself (name, equations, parameter table),
// states what a pair of spikes does to a weight, and has that as scalar code in float64 (`reference`: exact
// precision, and the oracle of the tests) and as a vector kernel (`fast`).
//
// Time at a synapse: a presynaptic spike of time t acts at t + axonal delay and is transmitted with the weight
// that it leaves behind; a postsynaptic spike of time s acts at s + dendritic delay. The delay of a projection
// is the sum of both. Two spikes that act at the same time: the postsynaptic one first, with the traces from
// before; the pair of the two counts for neither (as in NEST).
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tessera/neuron_model.hpp"

namespace tessera {

template <class Real>
struct PlasticRow;  ///< plasticity/plastic_row.hpp
struct SummedRow;

/// Short-term plasticity: what a source keeps between its spikes. Synapses of one source share it.
struct ShortTermState {
  double x = 1.0;  ///< recovered resources
  double u = 0.0;  ///< their part that a spike uses
  double y = 0.0;  ///< active ones
};

/// A rule bound to parameters and dt: what the engine needs to carry it out.
struct PlasticityVariant {
  std::vector<double> constants;
  /// Time constants (ms) of exponential traces, 0 where a rule has none: of the source (fast, slow), of the
  /// target (fast, slow).
  double tau_plus = 0.0, tau_plus_slow = 0.0, tau_minus = 0.0, tau_minus_slow = 0.0;
  /// A spike sets its traces to 1 instead of adding 1.
  bool nearest = false;
  /// What weights may be: [lowest, highest] in the unit of weights; 0 is one end or in between. In between: the weights
  /// of a projection all have the sign that they begin with.
  double lowest = 0.0, highest = 0.0;
  /// The parameter that sets a bound, for messages; "" : a bound that comes with the rule.
  std::string bound_by;
  void (*reference)(PlasticRow<double>&) = nullptr;
  void (*fast)(PlasticRow<float>&) = nullptr;
  /// The same for synapses of one delay, where potentiation needs no more than the sum of the source's trace over the
  /// target's spikes, each times gain(its slow trace from before). Null: it needs each of them.
  void (*summed)(SummedRow&) = nullptr;
  double (*gain)(const double* constants, double slow) = nullptr;  ///< null: 1
  /// Short-term plasticity: brings the state to this spike, `since_ms` after the last one (infinity: the first),
  /// and returns what weights are multiplied by. Null: the rule changes weights, and looks at the targets' spikes.
  double (*efficacy)(const double* constants, ShortTermState& state, double since_ms) = nullptr;
  /// What efficacy() returns is at most 1 and mostly less: parts of weights are transmitted.
  bool in_parts = false;
  /// The rule keeps a number per synapse.
  bool keeps_state = false;
  /// A third factor: time constant (ms) of the trace of the modulator's spikes, each of which adds 1 / tau_modulator.
  /// 0: the rule has none.
  double tau_modulator = 0.0;
};

/// A rule as users see it.
struct PlasticityModel {
  std::string name;
  std::string summary;    ///< one sentence
  std::string equations;  ///< plain text, several lines
  std::string source;     ///< literature
  /// Units as in a neuron model, or "weight": the unit of weights of the projection's target.
  std::vector<ParameterInfo> parameters;
  /// Sentences about combinations of values that make no sense.
  std::vector<std::string> (*check)(const ParameterValues&) = nullptr;
  PlasticityVariant (*prepare)(const ParameterValues&, double dt_ms) = nullptr;
  bool has_modulator = false;  ///< a third factor: Plasticity::modulator is needed
};

/// The reference documentation of a rule: summary, equations, parameter table, source.
[[nodiscard]] std::string document(const PlasticityModel& model);

}  // namespace tessera
