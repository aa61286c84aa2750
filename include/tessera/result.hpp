// Result folders: recording a run (spikes, state traces, report.json) and reading it back.
//
// A finished folder holds report.json, and, when they were recorded, spikes.h5 and
// traces_<variable>.h5 (SONATA); built without HDF5: spikes_<population>.npy,
// traces_<population>.<variable>.npy and ..._times.npy. Every file is written under a temporary name (".NAME.partial"), flushed to the
// disk and then renamed. The format is described in docs/results.md.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tessera/network.hpp"
#include "tessera/partitioned_simulation.hpp"
#include "tessera/simulation.hpp"
#include "tessera/weight_recording.hpp"

namespace tessera {

// ---------------------------------------------------------------------------------- recording

/// Makes the folder of a new result. Throws InputError when it is not empty and `replace` is false,
/// or when it is not a folder; RunError when it cannot be made. With `replace` an old result stays
/// untouched until the files of the new one get their names.
void prepare_result_folder(const std::filesystem::path& folder, bool replace);

/// Streams spikes to disk, those that recorded_neurons(network) names; the others take no room. Use as (a part of) the observer of Simulation::run, then call finish().
/// Costs about 10 ns per spike; holds at most a few MB.
class SpikeRecorder : public RunObserver {
 public:
  /// `network` gives names, sizes and dt. The folder must exist. Throws RunError when no file can
  /// be made.
  SpikeRecorder(const std::filesystem::path& folder, const Network& network);
  /// Without finish(): removes the temporary files and leaves earlier files as they were.
  ~SpikeRecorder() override;

  [[nodiscard]] bool wants_spikes() const override { return true; }
  /// Throws RunError (file and reason) when the disk is full or the file cannot be written.
  void on_spikes(std::span<const Spike> spikes) override;
  /// Writes what is left, flushes to the disk, gives the files their final names. Call it also
  /// after an interrupted or failed run: what was recorded up to then is a whole, loadable result.
  /// Returns the names of the files, for RunSummary::files.
  std::vector<std::string> finish();
  [[nodiscard]] std::uint64_t spikes_written() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Streams the samples of Network::recorders to disk; otherwise like SpikeRecorder.
class TraceRecorder : public RunObserver {
 public:
  /// `models` gives the units of the variables, which the files name.
  TraceRecorder(const std::filesystem::path& folder, const Network& network,
                const NeuronCatalogue& models = NeuronCatalogue::builtin());
  ~TraceRecorder() override;
  void on_sample(const StateSample& sample) override;
  std::vector<std::string> finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Writes the synapses of all plastic projections, with the weights that they have: edges.h5 (SONATA: an edge population per
/// projection with source_node_id, target_node_id and the properties syn_weight and delay), without HDF5
/// edges_<projection>.npy, rows of (source, target, weight, delay in ms).
class SynapseRecorder {
 public:
  SynapseRecorder(const std::filesystem::path& folder, const Network& network,
                  const NeuronCatalogue& models = NeuronCatalogue::builtin());
  ~SynapseRecorder();
  /// Names of the plastic projections, in the order of the network.
  [[nodiscard]] const std::vector<std::string>& projections() const noexcept;
  /// Some synapses of one of them, by its place in projections(). Throws RunError when the disk is full.
  void add(std::size_t projection, std::span<const ConnectivityRule::Synapse> synapses);
  /// Gives the files their names; returns these, for RunSummary::files.
  std::vector<std::string> finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Several observers as one, in the order given; wants_spikes and stop_requested are true when any
/// is. Does not own them.
class ObserverList : public RunObserver {
 public:
  ObserverList() = default;
  explicit ObserverList(std::vector<RunObserver*> observers) : observers_(std::move(observers)) {}
  void add(RunObserver& observer) { observers_.push_back(&observer); }
  void on_progress(const Progress& progress) override;
  void on_spikes(std::span<const Spike> spikes) override;
  [[nodiscard]] bool wants_spikes() const override;
  void on_sample(const StateSample& sample) override;
  [[nodiscard]] bool stop_requested() override;

 private:
  std::vector<RunObserver*> observers_;
};

// ------------------------------------------------------------------------------------- report

/// The grid of a population, as Population has it; columns 0: none.
struct PopulationGrid {
  std::uint32_t columns = 0;
  double extent_x_mm = 0.0, extent_y_mm = 0.0;  ///< both 0: lengths count in grid units
  bool periodic = true;
};

/// One population of a report. NaN (written as null) where a figure is unknown.
struct PopulationSummary {
  std::string name;
  std::uint32_t size = 0;
  bool inhibitory = false;
  double rate_hz = 0.0;  ///< mean over neurons, after the discarded start
  double cv_isi = 0.0;   ///< mean over neurons with more than two spikes
};

/// What a run's report says beside the SimulationReport.
struct RunSummary {
  SimulationReport simulation;
  std::string model;  ///< name of the network
  std::uint64_t seed = 0;
  double dt_ms = 0.1;
  /// Model time at which this run (and its recording) began; > 0 after --resume.
  double start_ms = 0.0;
  double discard_ms = 0.0;   ///< start of statistics, in model time
  bool interrupted = false;  ///< stopped before its end
  int group_size = 0;  ///< tiles per delivery group; 0: one group
  bool count_table = true;
  Precision precision = Precision::fast;
  std::string simd_target;
  std::map<std::string, double> parameters;    ///< named parameters of the model
  std::map<std::string, std::string> choices;  ///< its parameters that are words, for example drive = dc
  std::vector<StateRecorder> recorders;      ///< the network's; what the trace files hold
  std::vector<WeightRecordInfo> weights;     ///< what weights.h5 holds
  std::map<std::string, PopulationGrid> grids;  ///< of the populations that lie on one
  /// Where spikes of some neurons only are written down: of how many first ones, for every population. Empty: of all.
  std::map<std::string, std::uint32_t> recorded_neurons;
  std::vector<std::pair<std::string, Plasticity>> plasticity;  ///< of the plastic projections, by name
  /// Names of the files beside report.json, as the recorders' finish() returned them.
  std::vector<std::string> files;
  std::string substrate;             ///< name of the machine that the network ran on in parts; empty: none
  std::optional<TurnsReport> turns;  ///< of its parts
  /// In the network's order. Leave empty to take names and sizes from `simulation`, and rates from
  /// its spike counts.
  std::vector<PopulationSummary> populations;
};

/// A summary filled from a network, its options and a simulation's report; populations without CV.
/// Better figures come from ActivityStatistics::summaries() (tessera/analysis.hpp).
[[nodiscard]] RunSummary summarise(const Network& network, const SimulationOptions& options,
                                   const SimulationReport& report);

/// report.json as text: everything of the summary, this machine (processor, cores, memory; no user
/// names or paths), version, commit and compiler of this build. Not-finite numbers become null.
[[nodiscard]] std::string report_json(const RunSummary& summary);

/// Writes report.json into the folder. Throws RunError with file and reason.
void write_report(const std::filesystem::path& folder, const RunSummary& summary);

/// A digest as 16 hexadecimal digits.
[[nodiscard]] std::string digest_text(std::uint64_t digest);

/// Writes a text file (an SVG, a table): temporary name, flush, rename. Throws RunError.
void write_text_file(const std::filesystem::path& file, const std::string& text);

// ------------------------------------------------------------------------------------ reading

/// Spikes of one population, sorted by time, then neuron.
struct SpikeList {
  std::vector<double> times_ms;
  std::vector<std::uint32_t> neurons;  ///< index inside the population, same length as times_ms
  [[nodiscard]] std::size_t size() const noexcept { return times_ms.size(); }
};

/// A recorded state variable: values[t * neurons + i].
struct Trace {
  std::string population;
  std::string variable;
  std::size_t neurons = 0;
  std::vector<double> times_ms;
  std::vector<double> values;
};

struct ResultPopulation {
  std::string name;
  std::uint32_t size = 0;
  bool inhibitory = false;
  double rate_hz = 0.0;  ///< as reported; NaN when unknown
  double cv_isi = 0.0;   ///< as reported; NaN when unknown
  SpikeList spikes;
  PopulationGrid grid = {};
  /// Spikes were recorded of so many first neurons at most: the others may have spiked. As it is, of all.
  std::uint32_t first_recorded = SpikeSelection::kAll;
  /// Of how many neurons `spikes` has all spikes, where the result has spikes.
  [[nodiscard]] std::uint32_t recorded() const noexcept { return first_recorded < size ? first_recorded : size; }
};

struct Result {
  std::filesystem::path folder;
  std::string model;
  std::uint64_t seed = 0;
  double dt_ms = 0.1;
  double start_ms = 0.0;       ///< model time at which recording began
  double model_time_ms = 0.0;  ///< model time at the end
  double discard_ms = 0.0;
  std::string digest;  ///< of all spikes of the run, recorded or not
  bool has_spikes = false;
  std::vector<ResultPopulation> populations;
  std::vector<Trace> traces;

  [[nodiscard]] const ResultPopulation* find(const std::string& population) const noexcept;
  /// Whether spikes of some neurons are missing, because nobody wanted them recorded.
  [[nodiscard]] bool is_subset() const noexcept;
};

struct LoadOptions {
  bool spikes = true;  ///< read the spikes when there are any
  bool traces = true;
};

/// Reads a result folder. Throws InputError with all problems: no such folder, no report.json, a
/// file (the report as well) that is not what its checksum says, or does not fit the report (an id
/// outside its population, a time outside the run); a report without a checksum, as earlier versions
/// wrote it. Sizes are checked before anything is allocated.
[[nodiscard]] Result load_result(const std::filesystem::path& folder,
                                 const LoadOptions& options = {});

/// Reads one report.json from text into a Result without spikes and traces; `name` stands for the
/// file in messages. Throws InputError; a text that ends with a checksum has to fit it (load_result
/// insists on one).
[[nodiscard]] Result parse_report(const std::string& text, const std::string& name);

/// Whether this build writes and reads HDF5.
[[nodiscard]] bool has_hdf5() noexcept;

}  // namespace tessera
