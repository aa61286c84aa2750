// Rules that create and remove synapses while a network runs.
//
// A rule is a class with one function, act(), which is called for every chunk of a projection's targets every `interval`. It
// looks at the synapses of that chunk through a StructuralView and says which go and which come. All that it may draw at
// random comes from the view, keyed by projection, chunk and time: so threads, tiles and ranks change nothing.
// A GlobalStructuralRule looks at the whole projection at once, or at several projections.
// A rule that is not in the catalogue is added with NeuronCatalogue::add(); examples/custom_rewiring is a complete one.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tessera/neuron_model.hpp"

namespace tessera {

/// The synapses of one projection onto one chunk of its targets, at one time. Neurons have their numbers in their
/// populations. Weights are up to date, but for spikes whose delay has not passed.
class StructuralView {
 public:
  virtual ~StructuralView() = default;

  [[nodiscard]] virtual double time_ms() const = 0;
  [[nodiscard]] virtual std::uint32_t sources() const = 0;
  /// Targets of this chunk: first_target(), ..., first_target() + targets() - 1.
  [[nodiscard]] virtual std::uint32_t first_target() const = 0;
  [[nodiscard]] virtual std::uint32_t targets() const = 0;
  /// Source and target populations are the same.
  [[nodiscard]] virtual bool is_recurrent() const = 0;

  [[nodiscard]] virtual bool exists(std::uint32_t source, std::uint32_t target) const = 0;
  /// The synapses of this source will be asked for soon: their way from memory may begin. Changes nothing.
  virtual void expect(std::uint32_t /*source*/) const {}
  /// Of a synapse that exists; 0 where there is none.
  [[nodiscard]] virtual double weight(std::uint32_t source, std::uint32_t target) const = 0;
  /// Synapses onto a target, and from a source onto this chunk.
  [[nodiscard]] virtual std::uint32_t indegree(std::uint32_t target) const = 0;
  [[nodiscard]] virtual std::uint32_t outdegree(std::uint32_t source) const = 0;
  /// Value number k of a neuron, of those that the rule asks for (StructuralRule::sees()): as it was when the step began.
  [[nodiscard]] virtual double source_value(std::size_t k, std::uint32_t source) const = 0;
  [[nodiscard]] virtual double target_value(std::size_t k, std::uint32_t target) const = 0;
  /// Calls visit(source, target, weight) for every synapse, by source; none may be added or removed meanwhile.
  virtual void for_each(const std::function<void(std::uint32_t, std::uint32_t, double)>& visit) const = 0;

  /// Between two neurons of grids, in mm or grid units as in distance rules. Throws InputError without grids.
  [[nodiscard]] virtual double distance(std::uint32_t source, std::uint32_t target) const = 0;
  /// The source at the target's place, moved by so many columns and rows of the sources' grid; periodic grids wrap
  /// around, and on others this is `sources()` where there is nobody.
  [[nodiscard]] virtual std::uint32_t source_near(std::uint32_t target, int columns, int rows) const = 0;

  /// Gives every synapse the weight change(source, target, weight), by source. Weights of the wrong sign, or that the
  /// plasticity does not allow, stay as they were and are counted as proposals that were not carried out.
  virtual void reweight(const std::function<double(std::uint32_t, std::uint32_t, double)>& change) = 0;

  /// False when there is no such synapse.
  virtual bool remove(std::uint32_t source, std::uint32_t target) = 0;
  /// False, and counted, when the pair exists, a number is out of range, the target has max_indegree synapses already, the
  /// source has max_outdegree (or its part of what is left of them, see docs/structural-plasticity.md), or the weight has
  /// the wrong sign.
  virtual bool add(std::uint32_t source, std::uint32_t target, double weight) = 0;

  [[nodiscard]] virtual double uniform() = 0;                       ///< in [0, 1)
  [[nodiscard]] virtual std::uint32_t below(std::uint32_t n) = 0;   ///< 0, ..., n - 1, evenly
};

/// Numbers that a rule keeps of every neuron of a population: they change with its spikes, and between them with time.
class NeuronMemory {
 public:
  virtual ~NeuronMemory() = default;
  /// What the numbers are called, for Simulation::state(). All are 0 at the start. No two groups of projections may have a
  /// memory with the same first name of one population.
  [[nodiscard]] virtual std::vector<std::string> names() const = 0;
  /// What it depends on: projections that share a memory must agree.
  [[nodiscard]] virtual std::vector<double> constants() const { return {}; }
  /// `ms` pass without a spike of the neuron.
  virtual void pass(double ms, double* values) const = 0;
  /// The neuron spikes.
  virtual void spike(double* values) const = 0;
};

/// What a rule wants to know about the neurons of one side: state variables of their model, then the numbers of a memory.
struct NeuronSight {
  std::vector<std::string> states;
  std::shared_ptr<const NeuronMemory> memory;  ///< null: none. Only for populations of neurons, not of sources
};

class StructuralRule {
 public:
  virtual ~StructuralRule() = default;
  virtual void act(StructuralView& view) const = 0;
  /// Called once. What it names must exist in the model of the populations.
  [[nodiscard]] virtual NeuronSight sees_of_sources() const { return {}; }
  [[nodiscard]] virtual NeuronSight sees_of_targets() const { return {}; }
};

/// All synapses of one projection, or of several that a rule treats as one (GlobalStructuralRule::group()), and the values
/// of all their neurons. Sources are numbered over the source populations of these projections in the order in which they
/// first occur, targets likewise: with one projection, as in their populations.
class GlobalStructuralView {
 public:
  virtual ~GlobalStructuralView() = default;
  using Pair = std::pair<std::uint32_t, std::uint32_t>;  ///< source, target

  [[nodiscard]] virtual double time_ms() const = 0;
  [[nodiscard]] virtual std::uint32_t sources() const = 0;
  [[nodiscard]] virtual std::uint32_t targets() const = 0;
  /// Whether a projection goes from the population of the one to that of the other.
  [[nodiscard]] virtual bool joined(std::uint32_t source, std::uint32_t target) const = 0;
  [[nodiscard]] virtual bool is_same(std::uint32_t source, std::uint32_t target) const = 0;  ///< neuron
  /// Synapses of these projections, without those that were proposed since the last settle().
  [[nodiscard]] virtual std::uint32_t outdegree(std::uint32_t source) const = 0;
  [[nodiscard]] virtual std::uint32_t indegree(std::uint32_t target) const = 0;
  [[nodiscard]] virtual double source_value(std::size_t k, std::uint32_t source) const = 0;
  [[nodiscard]] virtual double target_value(std::size_t k, std::uint32_t target) const = 0;
  /// Of a memory (k counts all values, states first).
  virtual void set_source_value(std::size_t k, std::uint32_t source, double value) = 0;
  virtual void set_target_value(std::size_t k, std::uint32_t target, double value) = 0;

  /// All synapses from these sources, or onto these targets (ascending): by source, then target.
  [[nodiscard]] virtual std::vector<Pair> synapses_from(const std::vector<std::uint32_t>& sources) = 0;
  [[nodiscard]] virtual std::vector<Pair> synapses_onto(const std::vector<std::uint32_t>& targets) = 0;

  /// Takes away a synapse that exists.
  virtual void remove(std::uint32_t source, std::uint32_t target) = 0;
  /// Proposes a synapse, with the weight that the projection's own rule gives new ones. It is not made where there is one, and
  /// where a limit is reached; that is counted.
  virtual void add(std::uint32_t source, std::uint32_t target) = 0;
  /// Carries out what was proposed, and counts degrees anew.
  virtual void settle() = 0;

  [[nodiscard]] virtual double uniform() = 0;
  [[nodiscard]] virtual std::uint32_t below(std::uint32_t n) = 0;
};

/// A rule that looks at all chunks at once. Every rank carries it out on the same numbers with the same random numbers, so
/// all come to the same: what it proposes happens where the targets live. It runs on one thread, while the network stands.
class GlobalStructuralRule : public StructuralRule {
 public:
  void act(StructuralView&) const final {}
  virtual void act_on_all(GlobalStructuralView& view) const = 0;
  /// Projections whose rules have the same name and group (and interval) are one to the rule of the first of them; a
  /// population's memory is then that of the first projection that it takes part in. "": this one alone.
  [[nodiscard]] virtual std::string group() const { return {}; }
  [[nodiscard]] virtual double new_weight() const = 0;
};

/// A parameter of a rule that is a word.
struct WordInfo {
  std::string name, fallback;
  std::vector<std::string> allowed;  ///< empty: any word
  std::string about;
};
using Words = std::map<std::string, std::string>;

/// A rule as users see it.
struct StructuralModel {
  std::string name;
  std::string summary;      ///< one sentence
  std::string description;  ///< what it does, several lines
  std::string source;       ///< literature
  std::vector<ParameterInfo> parameters;  ///< units as in PlasticityModel
  std::vector<std::string> (*check)(const ParameterValues&) = nullptr;
  std::function<std::shared_ptr<const StructuralRule>(const ParameterValues&)> make = nullptr;
  std::vector<WordInfo> words = {};  ///< of rules that have such parameters,
  std::shared_ptr<const StructuralRule> (*make_with_words)(const ParameterValues&, const Words&) = nullptr;  ///< instead of make
};

/// The reference documentation of a rule: summary, description, parameter table, source.
[[nodiscard]] std::string document(const StructuralModel& model);

}  // namespace tessera
