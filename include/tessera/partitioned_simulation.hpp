// Running a network that is larger than the machine: the parts of a partition (tessera/partition.hpp) take turns, with
// the spikes between them recorded and played back. docs/partitioned-emulation.md says how.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tessera/errors.hpp"
#include "tessera/machine_description.hpp"
#include "tessera/partition.hpp"
#include "tessera/simulation.hpp"

namespace tessera {

struct PartitionedOptions {
  SimulationOptions simulation;  ///< seed, threads, connectivity and memory limit count; the others stay as they are
  MachineDescription machine;    ///< with the effects that are wanted
  Partition partition;           ///< of the network that is run
  std::uint64_t chip_seed = 1;   ///< of the fixed patterns of the chips and of the noise of their runs
  /// Where rows of parts in lock-step wait for their turn when all of them together would take more than half of the memory
  /// (SimulationOptions::memory_limit_bytes); empty: where the system keeps temporary files.
  std::filesystem::path scratch_folder = {};
};

/// What went from one part to another. Part 0 is the host: spike sources run there.
struct PlaybackEdge {
  std::uint32_t from = 0, to = 0;  ///< runs of the partition, numbered from 1; 0: the host
  std::uint64_t events = 0;        ///< recorded spikes of neurons with a target there
  std::uint64_t played = 0;        ///< of which reached it; with stored rows on an ideal machine, all
  std::uint64_t dropped = 0;       ///< of which a link had no room for
  std::uint64_t late = 0;          ///< of which would have arrived after the end
};

/// What a part holds while it has the chip.
struct PartMemory {
  std::uint64_t synapses = 0;  ///< bytes of rows and their tables
  std::uint64_t neurons = 0;   ///< bytes of state, input and what draws it
  [[nodiscard]] std::uint64_t all() const { return synapses + neurons; }
};

struct TurnsReport {
  std::uint32_t runs = 0;         ///< of the partition
  std::uint32_t rounds = 0;       ///< as the partition counts them
  std::uint32_t chips = 1;
  std::uint64_t turns = 0;        ///< times that a part was loaded, all parts together; one each without lock-step
  std::uint32_t lock_step_parts = 0;   ///< parts that took turns
  double turn_ms = 0.0;                ///< of those, the shortest; 0: none
  std::vector<PlaybackEdge> edges;     ///< ascending by `to`, then `from`; those without events left out
  std::vector<PartMemory> parts;       ///< of every run
  std::uint64_t largest_part_bytes = 0;
  std::uint64_t all_parts_bytes = 0;
  std::uint64_t peak_bytes = 0;        ///< parts in memory at one time, at most
  std::uint64_t saved_bytes = 0;       ///< state and input that parts in lock-step keep between turns, all parts together
  std::uint64_t parked_bytes = 0;      ///< rows of these that waited in a file; 0: they stayed in memory
  std::vector<std::uint64_t> unrecorded;  ///< of every run: spikes that its chip's way out had no room for; not in the digest
  std::uint64_t recorded_spikes = 0;
  std::uint64_t record_bytes = 0;      ///< of the recorded spikes (and samples)
};

/// Everything that keeps a network from being run in parts, as far as it follows from the description and the machine.
[[nodiscard]] std::vector<Problem> validate(const Network& network, const NeuronCatalogue& models,
                                            const PartitionedOptions& options);

/// One run from the beginning to an end: parts run one after the other through all of the time. On an ideal machine the
/// spikes, and so the digest, are those of Simulation, to the bit, for any number of threads and any partition.
class PartitionedSimulation {
 public:
  /// Throws InputError with all problems.
  PartitionedSimulation(const Network& network, const NeuronCatalogue& models, const PartitionedOptions& options);
  ~PartitionedSimulation();
  PartitionedSimulation(PartitionedSimulation&&) noexcept;
  PartitionedSimulation& operator=(PartitionedSimulation&&) noexcept;

  /// Runs for `time_ms` (a multiple of dt), once. The observer gets spikes and samples at the end, in order of their
  /// steps, because parts run one after the other; on_progress() tells how much of all is done as if it were model
  /// time. When it wants to stop, what all parts have reached counts. Throws ActivityError as Simulation does.
  void run(double time_ms, RunObserver& observer);
  void run(double time_ms);

  /// Counts are of all parts. Procedural rows of a piece of a chunk are drawn for the whole chunk, and count so.
  [[nodiscard]] SimulationReport report() const;
  [[nodiscard]] TurnsReport turns() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tessera
