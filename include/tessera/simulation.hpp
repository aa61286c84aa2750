// Running a network: options, the memory and time plan, the simulation, what it reports.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tessera/network.hpp"

namespace tessera {

enum class Connectivity {
  automatic,   ///< stored when it fits the memory, else procedural
  stored,      ///< every synapse written down once as a packed word
  procedural   ///< rows regenerated whenever their source spikes
};
enum class Precision {
  fast,  ///< float32 state, integer accumulation of weights: bit-identical for any threads and tiles
  exact  ///< float64 state and weights, for comparison with other simulators
};
[[nodiscard]] std::string to_string(Connectivity connectivity);
[[nodiscard]] std::string to_string(Precision precision);

struct SimulationOptions {
  std::uint64_t seed = 1;
  int threads = 0;     ///< 0: as many as there is work for, at most one per core this process may use
  int tiles = 0;       ///< 0: chosen; else at least this many tiles in all
  int group_size = 0;  ///< tiles per delivery group; 0: all tiles in one group
  Connectivity connectivity = Connectivity::automatic;
  Precision precision = Precision::fast;
  bool count_table = true;  ///< procedural: keep the count table (faster) or redraw counts (smaller)
  std::uint64_t memory_limit_bytes = 0;  ///< 0: what this process may use (machine, control groups, ulimit)
};

/// Fast precision adds weights as whole multiples of a unit per population. Where that changes the mean
/// |weight| of a projection or of a Poisson stimulus by more than a thousandth, it is named.
struct RoundedWeights {
  std::string name;    ///< "projection 'NAME'" or "stimulus 'NAME'"
  double error = 0.0;  ///< relative change of the mean |weight|; 1: all of it is gone
};

/// One line of the memory plan. `room` names the part of the program that holds the bytes.
struct PlannedMemory {
  std::string room;
  std::uint64_t bytes = 0;
  std::string what;
};

/// What a simulation will need, before anything is allocated.
struct Plan {
  std::uint64_t neurons = 0;
  std::uint64_t synapses = 0;
  bool synapses_expected = false;  ///< some rule draws its number of synapses: `synapses` is the mean
  Connectivity connectivity = Connectivity::stored;  ///< after resolving `automatic`
  int threads = 1;
  int tiles = 1;
  int chunks = 1;
  int groups = 1;
  int delay_slots = 4;       ///< ring slots, also steps per delay group
  double min_delay_ms = 0.0;
  double max_delay_ms = 0.0;
  std::vector<PlannedMemory> memory;
  std::uint64_t memory_bytes = 0;     ///< predicted peak of the whole process
  std::uint64_t synapse_bytes = 0;    ///< of which connectivity
  double construction_seconds = 0.0;  ///< estimate
  double real_time_factor = 0.0;      ///< estimate from the populations' mean_rate_hz; 0: unknown
  std::uint64_t available_bytes = 0;    ///< what the run may take; 0: unknown
  std::vector<std::string> obstacles;   ///< what does not fit and by how much, a sentence each; empty: it fits
  std::vector<std::string> remedies;    ///< what would help against them, a sentence each
  std::vector<std::string> tile_lines;  ///< one sentence per tile
  std::vector<std::string> notes;       ///< decisions worth saying
  std::vector<RoundedWeights> rounded_weights;  ///< none in exact precision
};
/// Throws InputError for an invalid network. One that does not fit gets a plan too, with obstacles: a
/// Simulation of it would be refused. Where not even the wiring fits, only the memory is planned.
[[nodiscard]] Plan plan(const Network& network, const NeuronCatalogue& models,
                        const SimulationOptions& options);

struct Spike {
  std::uint32_t step;    ///< end of the interval in which the threshold was crossed, in steps
  std::uint32_t neuron;  ///< global id: populations in order, numbered through
};

/// Values of one state recorder at one time, first `count` neurons of its population.
struct StateSample {
  std::uint32_t step;
  std::size_t recorder;  ///< index into Network::recorders
  std::span<const double> values;
};

struct Progress {
  double model_time_ms = 0.0;
  double model_time_end_ms = 0.0;
  double wall_seconds = 0.0;       ///< since run() began
  double real_time_factor = 0.0;   ///< of the last slice
  double spikes_per_second = 0.0;  ///< of model time, last slice
};

/// Events of a run. Called on the thread that called run(), between slices of about 100 ms of wall
/// time, never while workers run.
class RunObserver {
 public:
  virtual ~RunObserver() = default;
  virtual void on_progress(const Progress&) {}
  /// All spikes of the steps since the last call, sorted by step, then neuron. Only called when
  /// wants_spikes() is true.
  virtual void on_spikes(std::span<const Spike>) {}
  [[nodiscard]] virtual bool wants_spikes() const { return false; }
  virtual void on_sample(const StateSample&) {}
  /// Asked after every slice: true ends the run at a step boundary.
  [[nodiscard]] virtual bool stop_requested() { return false; }
};

struct PhaseSeconds {
  double deliver = 0.0;
  double update = 0.0;
  double wait = 0.0;      ///< for the slowest worker, before lists are exchanged
  double exchange = 0.0;  ///< spike lists
  double record = 0.0;
};

struct PopulationReport {
  std::string name;
  std::uint32_t size = 0;
  std::uint64_t spikes = 0;  ///< since the start of the simulation
};

struct WorkCounters {
  std::uint64_t neurons = 0;
  std::uint64_t synapses = 0;
  /// Nothing has counted them: connectivity is procedural and a rule draws its number of synapses, so that
  /// `synapses` is the expected number.
  bool synapses_expected = false;
  std::uint64_t spikes = 0;
  std::uint64_t synaptic_events = 0;
  std::uint64_t row_visits = 0;         ///< (spike, tile, delay group) deliveries
  std::uint64_t exchanged_messages = 0; ///< non-empty lists from a tile to a delivery group
  std::uint64_t exchanged_bytes = 0;
};

struct SimulationReport {
  double model_time_ms = 0.0;        ///< simulated so far
  double construction_seconds = 0.0;
  double run_seconds = 0.0;          ///< wall time inside run()
  PhaseSeconds phases;               ///< mean over workers
  std::vector<PhaseSeconds> workers;
  WorkCounters counts;
  std::uint64_t digest = 0;          ///< of all spikes; equal digests mean equal spikes
  std::uint64_t synapse_bytes = 0;
  std::uint64_t planned_bytes = 0;
  Connectivity connectivity = Connectivity::stored;
  int threads = 1;
  int tiles = 1;
  std::vector<RoundedWeights> rounded_weights;  ///< none in exact precision
  std::vector<PopulationReport> populations;
};

/// State and loop. Construction builds the connectivity; run() may be called repeatedly.
class Simulation {
 public:
  /// Throws InputError for an invalid network or one that does not fit the memory.
  Simulation(const Network& network, const NeuronCatalogue& models, const SimulationOptions& options);
  ~Simulation();
  Simulation(Simulation&&) noexcept;
  Simulation& operator=(Simulation&&) noexcept;

  /// Advances by `time_ms` (a multiple of dt). Throws ActivityError when a neuron's state stops being
  /// finite or a population fires above the limit; spikes up to then were handed to the observer.
  void run(double time_ms, RunObserver& observer);
  void run(double time_ms);

  [[nodiscard]] std::int64_t step() const noexcept;  ///< steps simulated so far
  [[nodiscard]] SimulationReport report() const;
  /// A state variable of a whole population, in physical units.
  [[nodiscard]] std::vector<double> state(const std::string& population,
                                          const std::string& variable) const;

  /// Everything needed to go on: written to a temporary name, flushed, renamed.
  void save_checkpoint(const std::filesystem::path& file) const;
  /// Continues from a checkpoint of the same network, seed and dt; threads, tiles and connectivity may
  /// differ. Throws InputError for a truncated, damaged or foreign file.
  void load_checkpoint(const std::filesystem::path& file);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Hands out the synapses of one projection, source by source, exactly as a simulation with this seed
/// draws them: the numbers of source and target count inside their populations, the delay is in whole steps.
/// `row` gets all synapses of a source, in no special order, and returns whether to go on. Throws
/// InputError for an invalid network and an unknown projection.
void visit_synapses(const Network& network, const NeuronCatalogue& models, std::uint64_t seed,
                    const std::string& projection_name,
                    const std::function<bool(std::span<const ConnectivityRule::Synapse> row)>& row);

/// The same as one list.
[[nodiscard]] std::vector<ConnectivityRule::Synapse> list_synapses(
    const Network& network, const NeuronCatalogue& models, std::uint64_t seed,
    const std::string& projection_name);

/// Peak resident memory of this process in bytes (0 where the system does not tell).
[[nodiscard]] std::uint64_t peak_resident_bytes();

}  // namespace tessera
