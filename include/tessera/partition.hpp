// A network divided into runs: what is on a chip at one time. Runs are executed in their order, with the spikes of
// earlier ones played back; runs of one lock-step component take turns every shortest delay.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "tessera/errors.hpp"
#include "tessera/machine_description.hpp"
#include "tessera/network.hpp"
#include "tessera/training.hpp"

namespace tessera {

/// Neurons first .. first + count of a population. Of a training network: of a layer (its index there).
struct PartitionSlice {
  std::uint32_t population = 0;  ///< index into Partition::populations
  std::uint32_t first = 0;
  std::uint32_t count = 0;
  friend bool operator==(const PartitionSlice&, const PartitionSlice&) = default;
};

/// A population that is divided: neurons of a simulation network, or a layer of a training network.
struct PartitionedPopulation {
  std::string name;
  std::uint32_t index = 0;     ///< in Network::populations, or in training::Network::layers
  std::uint32_t size = 0;
  std::uint64_t fan_in = 0;    ///< inputs of one neuron; where they are drawn, what none exceeds (see docs)
  std::uint64_t rows = 0;      ///< synapse rows of these
  std::uint64_t circuits = 1;  ///< of one neuron
  /// Rows, columns and channels; index (row * columns + column) * channels + channel. Without a shape {1, 1, size}.
  training::Shape shape;
};

struct PartitionRun {
  static constexpr std::uint32_t kAlone = std::numeric_limits<std::uint32_t>::max();
  std::vector<PartitionSlice> slices;  ///< ascending, those of a population not touching each other
  std::uint32_t component = kAlone;    ///< index into Partition::components, when it shares one with other runs
  std::uint32_t round = 0;             ///< when: runs of one round are on different chips at one time
  std::uint32_t chip = 0;
  std::uint64_t neurons = 0;
  std::uint64_t circuits = 0;   ///< used, of MachineDescription::circuits_per_chip()
  std::uint32_t tiles = 0;      ///< used
  std::uint64_t sources = 0;    ///< outside of the run: played back or external (see docs where synapses are drawn)
  std::uint64_t bytes = 0;      ///< of the machine's memory for neurons and synapses; 0: it states none
  double events_in = 0.0;       ///< that reach the run in one clock, in the busiest step
  double events_out = 0.0;      ///< that leave it
  bool events_known = false;    ///< false: no rates are stated, every source spikes once in a step
  std::string limited_by;       ///< which limit leaves least room ("circuits", "sources", ...)
};

/// Neurons that reach each other. Within one run it is part of that run.
struct RecurrentComponent {
  std::vector<std::uint32_t> populations;  ///< indices into Partition::populations
  std::vector<std::uint32_t> runs;         ///< more than one: they go in lock-step
  std::uint64_t circuits = 0;
  double exchange_ms = 0.0;  ///< lock-step: model time of a turn, the shortest delay inside
  std::uint64_t turns = 0;   ///< lock-step: of every run, for one sample
};

struct PartitionBound {
  std::uint64_t runs = 0;             ///< no partition has fewer
  std::uint64_t playback_copies = 0;  ///< of a partition into so many runs as it has, none has fewer
};

/// Of one sample (training) or of the model time (simulation), on the machine.
struct PartitionPrediction {
  double chip_ms = 0.0;
  double transfer_ms = 0.0;
  double reconfiguration_ms = 0.0;
  [[nodiscard]] double total_ms() const { return chip_ms + transfer_ms + reconfiguration_ms; }
};

struct Partition {
  std::string network, machine;
  bool training = false;
  std::uint32_t chips = 1;
  std::vector<PartitionedPopulation> populations;
  std::vector<PartitionRun> runs;  ///< in the order in which they are executed
  std::vector<RecurrentComponent> components;  ///< those with more than one neuron, or onto itself
  /// Sum over sources of the runs in which it has a target (its own included).
  std::uint64_t playback_copies = 0;
  /// The same with each source's expected events; 0: no rates are stated.
  double playback_events = 0.0;
  PartitionBound bound;
  std::string runs_bound_by;  ///< what gives the bound, as a sentence
  std::string method;         ///< which division was the best
  PartitionPrediction predicted;
  std::uint32_t rounds = 0;
  std::vector<std::string> notes;  ///< what is assumed, as sentences
};

/// Neurons that the user wants in one run, by names of populations or layers, and the run's number.
struct StatedSlice {
  std::string population;
  std::uint32_t first = 0;
  std::uint32_t count = 0;  ///< 0: to the end
  std::uint32_t run = 0;
  SourceLocation where;
};

struct PartitionOptions {
  std::uint32_t chips = 0;  ///< 0: the machine's
  bool lock_step = true;    ///< a recurrent component may be divided
  std::vector<StatedSlice> stated;
  /// Expected part of the sources that spike in the busiest step, (0, 1]; 0: as the rates of the network say.
  double activity = 0.0;
  double sample_ms = 0.0;  ///< model time of a simulation; 0: the network's
};

/// Divides a network. Throws InputError with all problems when it cannot be done: which limit, which population, by how
/// much, what would help; or when what is stated is wrong.
[[nodiscard]] Partition partition(const Network& network, const NeuronCatalogue& models,
                                  const MachineDescription& machine, const PartitionOptions& options = {});
[[nodiscard]] Partition partition(const training::Network& network, const MachineDescription& machine,
                                  const PartitionOptions& options = {});

/// The [[partition]] tables of a model or training file, which say what is to be in one run; empty when it has none.
/// Throws InputError with all problems.
[[nodiscard]] std::vector<StatedSlice> load_stated_partition(const std::filesystem::path& model_file);
/// The same from text; `name` stands for the file in messages.
[[nodiscard]] std::vector<StatedSlice> parse_stated_partition(const std::string& text, const std::string& name);

/// The network as blocks coloured by run, and the schedule over time with chips as rows: an SVG document.
[[nodiscard]] std::string partition_svg(const Partition& partition);

}  // namespace tessera
