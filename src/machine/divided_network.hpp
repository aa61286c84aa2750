// A network as the partitioner sees it: what is divided, what sends events to it, and how the two are linked. Made from
// the description alone; only connection lists are looked at synapse by synapse.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "network/sheet.hpp"
#include "tessera/partition.hpp"

namespace tessera {

/// An index that stands for none.
inline constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

/// What sends events: populations that are divided come first, under the same index; then what lies outside.
struct EventOrigin {
  std::string name;
  std::uint32_t size = 0;
  double events = 1.0;  ///< of one source in a sample, expected
  double peak = 1.0;    ///< of one source in the busiest step, expected
  bool known = false;   ///< a rate is stated; otherwise both are 1
};

struct EventLink {
  enum class Kind {
    all,         ///< every source to every target
    one_to_one,
    window,      ///< convolution: a target needs the sources of a square
    indegree,    ///< drawn; a target has `number` synapses
    outdegree,   ///< drawn; a source has `number` synapses
    chance,      ///< drawn; every pair with `probability`
    gaussian,    ///< drawn; by distance
    listed
  };
  Kind kind = Kind::all;
  std::uint32_t source = 0, target = 0;  ///< indices of sources and populations
  std::string name;                      ///< of the projection or layer, for messages
  double probability = 0.0;              ///< chance, gaussian (at distance 0)
  double number = 0.0;                   ///< indegree, outdegree
  bool repeated = true;                  ///< indegree, outdegree: synapses are drawn one by one
  double shortest_delay_ms = 0.0;
  double sigma = 1.0;                    ///< gaussian
  std::vector<AxisPair> axes;            ///< gaussian: x, y
  struct Window {
    training::Shape from;                ///< of the sources
    std::uint32_t columns = 1, channels = 1;  ///< of the targets
    std::uint32_t kernel = 1, stride = 1, padding = 0, pool = 1;
  } window;
  std::vector<std::uint64_t> begin;      ///< listed: of every target, one more
  std::vector<std::uint32_t> sources;    ///< listed: ascending for every target

  /// Whether it says which pairs there are, so that which neurons share a run matters.
  [[nodiscard]] bool has_shape() const {
    return kind == Kind::one_to_one || kind == Kind::window || kind == Kind::gaussian || kind == Kind::listed;
  }
};

struct DividedPopulation : PartitionedPopulation {
  std::uint64_t private_sources = 0;  ///< of one neuron: its Poisson trains
  double private_peak = 0.0;          ///< their events in a step
  double private_events = 0.0;        ///< in a sample
  double synapses = 0.0;              ///< of one neuron; where drawn, what none exceeds
  std::uint32_t per_tile = 0;         ///< neurons that a tile holds; machines with tiles only
  std::string tile_limit;             ///< what says so
  /// Circuits of all neurons before each (one more than neurons), where they differ; else empty.
  std::vector<std::uint64_t> circuits_before;

  [[nodiscard]] std::uint64_t circuits_in(std::uint32_t first, std::uint32_t count) const {
    return circuits_before.empty() ? circuits * count : circuits_before[first + count] - circuits_before[first];
  }
};

struct DividedNetwork {
  std::string name;
  bool training = false;
  double step_ms = 1.0;    ///< time step of the model
  double sample_ms = 1.0;  ///< model time of a sample
  std::vector<DividedPopulation> populations;
  std::vector<EventOrigin> sources;
  std::vector<EventLink> links;
  std::vector<std::vector<std::uint32_t>> links_to;  ///< of each population
  std::vector<Problem> problems;                     ///< what cannot be mapped
  std::vector<std::string> notes;

  [[nodiscard]] std::uint64_t neurons() const;
  [[nodiscard]] bool events_known() const;
};

/// Throws nothing; what does not fit the machine at all is in `problems`.
[[nodiscard]] DividedNetwork divide(const Network& network, const NeuronCatalogue& models, const MachineDescription& machine,
                                    const PartitionOptions& options);
[[nodiscard]] DividedNetwork divide(const training::Network& network, const MachineDescription& machine,
                                    const PartitionOptions& options);

/// Inputs of the neurons of one population by one link: what no neuron exceeds, and rows for them.
struct LinkInputs {
  double number = 0.0;
  bool both_signs = true;
};
/// Fills in fan-in, rows, circuits and what a tile holds; reports what is more than the machine can.
void map_onto(const MachineDescription& machine, const std::vector<LinkInputs>& inputs, DividedNetwork& network);

/// Reports a time constant of the model that the machine cannot have, and says so.
bool check_time_constant(const std::string& population, const char* what, double ms, const MachineRange& range,
                         const MachineDescription& machine, const SourceLocation& where, DividedNetwork& network);

/// A number that a sum of independent draws with this mean and variance exceeds with a chance below
/// exp(-log_odds) (Bernstein's inequality).
[[nodiscard]] double not_exceeded(double mean, double variance, double log_odds);

}  // namespace tessera
