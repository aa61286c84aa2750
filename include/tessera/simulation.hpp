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

class Communicator;

enum class Connectivity {
  automatic,   ///< stored when it fits the memory, else procedural, or as much of it stored as fits
  stored,      ///< every synapse written down once as a packed word
  procedural   ///< rows regenerated whenever their source spikes
};
enum class Precision {
  fast,  ///< float32 state, integer accumulation of weights: bit-identical for any threads and tiles
  exact  ///< float64 state and weights, for comparison with other simulators
};
/// How spike lists travel between ranks.
enum class Exchange {
  automatic,       ///< point to point where that is expected to cost less (docs/design.md, section 7)
  collective,      ///< every rank gets the lists of all ranks
  point_to_point   ///< every rank gets the spikes of those neurons only that have synapses on it
};
/// How neurons are dealt out to ranks.
enum class RankPlacement {
  spread,  ///< the chunks of every population over all ranks, by load
  pack     ///< whole populations, those joined by the shortest delays and the most synapses together
};
[[nodiscard]] std::string to_string(Connectivity connectivity);
[[nodiscard]] std::string to_string(Precision precision);
[[nodiscard]] std::string to_string(Exchange exchange);
[[nodiscard]] std::string to_string(RankPlacement placement);
struct Mixture;
/// "stored", "procedural" or, of a mixture, "mixed".
[[nodiscard]] std::string to_string(Connectivity connectivity, const Mixture& mixture);

/// What planning assumes of the machine. Defaults: a message takes about two microseconds on a cluster's network (in
/// rounds of a tree for a collective call); messages to several ranks travel at the same time, and each of them keeps a
/// core busy for a third of a microsecond where it leaves and where it comes; a rank has a link of 10 GB/s; the rest was
/// measured with this program (docs/performance.md).
struct CostModel {
  double message_seconds = 2e-6;
  double handled_seconds = 0.35e-6;
  double byte_seconds = 1e-10;
  double received_seconds = 10e-9;  ///< a spike that comes: its row is looked up in memory that no cache holds
  double chosen_seconds = 3e-9;     ///< a spike that is sent to a chosen rank: its table and list
  double event_seconds = 0.0;       ///< a synaptic event on one core; 0: what this program takes, by connectivity
};

/// Where steps run. A device gives the same spikes as the processor.
struct Device {
  enum class Kind {
    cpu,
    cuda,       ///< the GPU `index`; an InputError says what keeps the network from running there
    automatic,  ///< a GPU if there is one and it can run the network, else the processor
    emulated    ///< the code of the GPU on the processor, thread by thread: slow, for tests
  };
  Kind kind = Kind::cpu;
  int index = 0;
  std::uint32_t blocks = 8, threads = 96;  ///< of an emulated device; threads a multiple of 32, at least 64
  std::uint64_t order = 0;                 ///< of an emulated device's threads: drawn from this; 0: ascending
};

/// A GPU that simulations can run on.
struct DeviceInfo {
  std::string name;
  std::uint32_t multiprocessors = 0;
  std::uint64_t memory_bytes = 0;
};
/// All GPUs, in the order of their indices. `why` gets a sentence when there is none.
[[nodiscard]] std::vector<DeviceInfo> list_devices(std::string& why);

struct SimulationOptions;
/// Why Device::Kind::automatic will run on the processor, a sentence; empty: it will not, or was not asked for.
[[nodiscard]] std::string why_on_processor(const Network& network, const NeuronCatalogue& models,
                                           const SimulationOptions& options);

struct SimulationOptions {
  std::uint64_t seed = 1;
  int threads = 0;     ///< of a rank; 0: as many as there is work for, at most one per core this process may use
  int tiles = 0;       ///< of a rank; 0: chosen; else at least this many
  int group_size = 0;  ///< tiles per delivery group; 0: all tiles in one group
  Connectivity connectivity = Connectivity::automatic;
  Precision precision = Precision::fast;
  Device device;
  bool count_table = true;  ///< procedural: keep the count table (faster) or redraw counts (smaller)
  std::uint64_t memory_limit_bytes = 0;  ///< 0: what this process may use (machine, control groups, ulimit)
  /// The ranks that simulate the network together; null: this process alone. All ranks give the same network
  /// and options (threads, tiles, connectivity and memory limits may differ).
  std::shared_ptr<Communicator> communicator;
  Exchange exchange = Exchange::automatic;
  RankPlacement rank_placement = RankPlacement::spread;
  CostModel costs;  ///< for plans, and for `exchange` automatic
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

/// What one way to exchange spikes costs a rank, expected from counts and the populations' mean_rate_hz (5 Hz
/// where there is none). Steps are steps of dt.
struct ExchangeEstimate {
  double messages_per_step = 0.0;  ///< sent by a rank, mean over ranks
  double bytes_per_step = 0.0;     ///< the same, every copy counted
  double received_per_step = 0.0;  ///< spikes of other ranks that reach a rank, mean over ranks
  double table_bytes = 0.0;        ///< on this rank: who needs which of its neurons
  double seconds_per_step = 0.0;   ///< by the cost model of docs/design.md, section 7
};

/// Where some projections are stored and the others drawn: how many, and their synapses (expected). Of this rank.
struct Mixture {
  std::uint64_t stored_projections = 0, drawn_projections = 0;
  std::uint64_t stored_synapses = 0, drawn_synapses = 0;
  [[nodiscard]] bool is_mixed() const noexcept { return stored_projections > 0 && drawn_projections > 0; }
};

/// What a simulation will need, before anything is allocated.
struct Plan {
  std::uint64_t neurons = 0;       ///< of the network, on all ranks
  std::uint64_t synapses = 0;      ///< of the network
  bool synapses_expected = false;  ///< some rule draws its number of synapses: `synapses` is the mean
  Connectivity connectivity = Connectivity::stored;  ///< after resolving `automatic`; of a mixture procedural
  Mixture mixture;                                   ///< of none nothing is counted
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
  // Over ranks. Memory, tiles, threads and times above are those of this rank.
  int ranks = 1;
  int rank = 0;
  std::uint64_t own_neurons = 0;      ///< of this rank
  double own_synapses = 0.0;          ///< expected on this rank
  std::vector<double> rank_loads;     ///< events and updates per step, relative; 0: an idle rank
  Exchange exchange = Exchange::collective;  ///< after resolving `automatic`
  ExchangeEstimate collective, point_to_point;
  int local_interval_steps = 1;       ///< between two meetings of the threads of a rank
  int remote_interval_steps = 1;      ///< between two meetings of the ranks
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
  double wait = 0.0;      ///< for the slowest worker, and for the slowest rank
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

/// A figure of all ranks.
struct OverRanks {
  double least = 0.0, mean = 0.0, most = 0.0;
  int rank_of_most = 0;  ///< the lowest one
};

/// How the ranks of a run did. Everything but the table is counted since the simulation was made.
struct RanksReport {
  int ranks = 1;
  int idle_ranks = 0;  ///< without neurons
  RankPlacement placement = RankPlacement::spread;
  Exchange exchange = Exchange::collective;  ///< never `automatic`
  int local_interval_steps = 1;              ///< between two meetings of the threads of a rank
  int remote_interval_steps = 1;             ///< between two meetings of the ranks, at most
  OverRanks deliver, update, wait, exchange_phase, record;  ///< seconds, mean over the workers of a rank
  OverRanks neurons, synapses;
  OverRanks synaptic_events;
  OverRanks messages_per_step, bytes_per_step;  ///< of spike lists, sent
  OverRanks table_bytes;  ///< point to point: which ranks need which neurons
  std::uint64_t construction_messages = 0;  ///< of all ranks, until the check that all run the same: 0
  std::uint64_t check_messages = 0;         ///< of all ranks, of that check
  OverRanks busy;  ///< seconds in deliver and update
  /// Most over mean of the time in deliver and update: 1 is even.
  [[nodiscard]] double imbalance() const { return busy.mean > 0.0 ? busy.most / busy.mean : 1.0; }
};

/// What a structural rule has done since the start of the simulation.
struct RewiringReport {
  std::string projection, rule;
  std::uint64_t synapses = 0;  ///< now
  std::uint64_t formed = 0, eliminated = 0;
  /// Proposals of the rule that were not carried out: the pair existed; a number was out of range or a weight had the wrong
  /// sign; the target had max_indegree synapses.
  std::uint64_t existing = 0, invalid = 0, at_limit = 0;
};

struct SimulationReport {
  double model_time_ms = 0.0;        ///< simulated so far
  double construction_seconds = 0.0;
  double run_seconds = 0.0;          ///< wall time inside run()
  PhaseSeconds phases;               ///< mean over the workers of this rank
  std::vector<PhaseSeconds> workers; ///< of this rank
  WorkCounters counts;               ///< of all ranks
  std::uint64_t digest = 0;          ///< of all spikes; equal digests mean equal spikes
  std::uint64_t synapse_bytes = 0;
  std::uint64_t planned_bytes = 0;
  Connectivity connectivity = Connectivity::stored;  ///< of a mixture procedural
  Mixture mixture;                                   ///< of none nothing is counted
  std::string device = "cpu";        ///< "cpu" or the name of the GPU
  std::uint64_t device_bytes = 0;    ///< memory taken on the GPU
  int threads = 1;
  int tiles = 1;
  std::vector<RoundedWeights> rounded_weights;  ///< none in exact precision
  std::vector<PopulationReport> populations;   ///< of all ranks
  std::vector<RewiringReport> rewiring;        ///< of all ranks, of projections with rewiring
  double rewiring_seconds = 0.0;               ///< inside of deliver; sum over the tiles of this rank
  RanksReport ranks;
};

/// State and loop. Construction builds the connectivity; run() may be called repeatedly.
///
/// Over ranks, every rank makes a Simulation of the same network and calls run(), report(), save_checkpoint()
/// and load_checkpoint() in the same order; errors that one rank meets are thrown by all of them, with the
/// same message. Construction sends nothing but a last check that all ranks run the same.
class Simulation {
 public:
  /// Throws InputError for an invalid network or one that does not fit the memory.
  Simulation(const Network& network, const NeuronCatalogue& models, const SimulationOptions& options);
  ~Simulation();
  Simulation(Simulation&&) noexcept;
  Simulation& operator=(Simulation&&) noexcept;

  /// Advances by `time_ms` (a multiple of dt). Throws ActivityError when a neuron's state stops being
  /// finite or a population fires above the limit; spikes up to then were handed to the observer.
  /// Over ranks, rank 0's observer gets everything and the others' are only asked whether to stop, which any
  /// of them may ask for; CommunicationError when a rank is missing.
  void run(double time_ms, RunObserver& observer);
  void run(double time_ms);

  [[nodiscard]] std::int64_t step() const noexcept;  ///< steps simulated so far
  [[nodiscard]] SimulationReport report() const;
  /// A state variable of a whole population, in physical units; NaN for neurons of other ranks.
  [[nodiscard]] std::vector<double> state(const std::string& population,
                                          const std::string& variable) const;

  /// The synapses of a plastic projection with the weights that they have now, in parts: the synapses of one source on one
  /// chunk of its targets. Of this rank's targets. Reading changes nothing. Throws InputError for a projection that is
  /// not there or not plastic (list_synapses() has the others).
  void visit_synapses(const std::string& projection,
                      const std::function<void(std::span<const ConnectivityRule::Synapse> row)>& row) const;
  /// The same of some sources only, ascending numbers in their population.
  void visit_synapses(const std::string& projection, std::span<const std::uint32_t> sources,
                      const std::function<void(std::span<const ConnectivityRule::Synapse> row)>& row) const;
  /// The same as one list, sorted by source, target, delay, weight.
  [[nodiscard]] std::vector<ConnectivityRule::Synapse> synapses(const std::string& projection) const;

  // Changes between two runs. What is set to the value that it has stays as it is to the last bit. Over ranks all make the
  // same calls. Each throws InputError before anything has changed, and on a GPU.

  /// Sets a state variable of a whole population, in its unit, one value per neuron; "refractory" is what is left of
  /// refractory times (ms, to the nearest step). Numbers that structural rules keep of neurons cannot be set.
  void set_state(const std::string& population, const std::string& variable, std::span<const double> values);
  /// Sets the weights of a plastic projection (its rule may be "static"), in the order of synapses(). Each must be one that
  /// the rule allows, of the sign that the projection has. The weight is that at the synapse: where spikes of the last
  /// delay still are to act on it, the weight changes by what is set minus what synapses() shows, and they act on that.
  void set_weights(const std::string& projection, std::span<const double> weights);
  /// Sets the rate (Hz) of a Poisson stimulus, or of a population of Poisson sources. Checkpoints are then those of a network
  /// with this rate.
  void set_stimulus_rate(const std::string& stimulus, double rate_hz);
  void set_source_rate(const std::string& population, double rate_hz);
  /// Sets the amplitude (pA) of a current: one for all neurons, or one for each. Checkpoints as above.
  void set_amplitude(const std::string& stimulus, std::span<const double> amplitudes_pA);

  /// Everything needed to go on: written to a temporary name, flushed, renamed. Rank 0 writes one file for
  /// all ranks, a few megabytes at a time.
  void save_checkpoint(const std::filesystem::path& file) const;
  /// Continues from a checkpoint of the same network, seed and dt; ranks, threads, tiles and connectivity may
  /// differ. Every rank reads the file. Throws InputError for a truncated, damaged or foreign file.
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
