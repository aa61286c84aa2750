// Rules that create and remove synapses while a network runs.
//
// A rule is a class with one function, act(), which is called for every chunk of a projection's targets every `interval`. It
// looks at the synapses of that chunk through a StructuralView and says which go and which come. All that it may draw at
// random comes from the view, keyed by projection, chunk and time: so threads, tiles and ranks change nothing.
// A rule that is not in the catalogue is added with NeuronCatalogue::add(); examples/custom_rewiring is a complete one.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
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
  /// Of a synapse that exists; 0 where there is none.
  [[nodiscard]] virtual double weight(std::uint32_t source, std::uint32_t target) const = 0;
  /// Synapses onto a target, and from a source onto this chunk.
  [[nodiscard]] virtual std::uint32_t indegree(std::uint32_t target) const = 0;
  [[nodiscard]] virtual std::uint32_t outdegree(std::uint32_t source) const = 0;
  /// Calls visit(source, target, weight) for every synapse, by source; none may be added or removed meanwhile.
  virtual void for_each(const std::function<void(std::uint32_t, std::uint32_t, double)>& visit) const = 0;

  /// Between two neurons of grids, in mm or grid units as in distance rules. Throws InputError without grids.
  [[nodiscard]] virtual double distance(std::uint32_t source, std::uint32_t target) const = 0;
  /// The source at the target's place, moved by so many columns and rows of the sources' grid; periodic grids wrap
  /// around, and on others this is `sources()` where there is nobody.
  [[nodiscard]] virtual std::uint32_t source_near(std::uint32_t target, int columns, int rows) const = 0;

  /// False when there is no such synapse.
  virtual bool remove(std::uint32_t source, std::uint32_t target) = 0;
  /// False, and counted, when the pair exists, a number is out of range, the target has max_indegree synapses already, or
  /// the weight has the wrong sign.
  virtual bool add(std::uint32_t source, std::uint32_t target, double weight) = 0;

  [[nodiscard]] virtual double uniform() = 0;                       ///< in [0, 1)
  [[nodiscard]] virtual std::uint32_t below(std::uint32_t n) = 0;   ///< 0, ..., n - 1, evenly
};

class StructuralRule {
 public:
  virtual ~StructuralRule() = default;
  virtual void act(StructuralView& view) const = 0;
};

/// A rule as users see it.
struct StructuralModel {
  std::string name;
  std::string summary;      ///< one sentence
  std::string description;  ///< what it does, several lines
  std::string source;       ///< literature
  std::vector<ParameterInfo> parameters;  ///< units as in PlasticityModel
  std::vector<std::string> (*check)(const ParameterValues&) = nullptr;
  std::shared_ptr<const StructuralRule> (*make)(const ParameterValues&) = nullptr;
};

/// The reference documentation of a rule: summary, description, parameter table, source.
[[nodiscard]] std::string document(const StructuralModel& model);

}  // namespace tessera
