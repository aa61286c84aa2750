// Weights over time: what to record of plastic projections, the recorder, and reading it back.
//
// A recording takes, at time 0 and at every multiple of its interval, the weights of all synapses of a plastic
// projection, those of a sample, or a histogram of all. The files are described in docs/results.md.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tessera/errors.hpp"
#include "tessera/network.hpp"
#include "tessera/simulation.hpp"

namespace tessera {

/// A recording and what it is of.
struct WeightRecordInfo {
  WeightRecording recording;
  std::string source, target;  ///< populations
  std::string unit;            ///< of weights
  bool rewired = false;        ///< synapses come and go
};

/// The same recordings, where one that names a table of projections ("recurrent" for "recurrent.E->E" and others)
/// has become one of each plastic projection of that table.
[[nodiscard]] std::vector<WeightRecording> one_of_each(const std::vector<WeightRecording>& recordings, const Network& network);

/// What is wrong with recordings of this (valid) network, all of it. Nothing: a WeightRecorder can be made.
[[nodiscard]] std::vector<Problem> validate(const std::vector<WeightRecording>& recordings, const Network& network);

/// Streams weights to disk.
///
/// Synapses of a sample are drawn with the seed of the simulation, each with the same chance, and are the same after a
/// checkpoint; a projection with fewer synapses gives all. Of projections with rewiring, pairs of neurons are drawn: the
/// recording has those that have a synapse, `count` of them on average at the beginning. Threads, tiles and ranks change
/// no byte.
///
/// Over ranks all make a recorder and call its functions in the same order; rank 0 writes.
class WeightRecorder {
 public:
  /// The folder must exist (on rank 0). Throws InputError for recordings that are not valid, RunError when no file can be
  /// made. Without recordings nothing is written.
  WeightRecorder(const std::filesystem::path& folder, const Network& network, const NeuronCatalogue& models,
                 const SimulationOptions& options, const std::vector<WeightRecording>& recordings);
  /// Without finish(): removes the temporary files.
  ~WeightRecorder();

  /// The first step after `step` at which there is something to record; the largest number when there never is.
  [[nodiscard]] std::int64_t next(std::int64_t step) const;
  /// Records what is due at the simulation's step, which at most steps is nothing. Call it first when the simulation is
  /// made (or has loaded a checkpoint, whose own step counts as recorded), then whenever run() has reached next(). Reading
  /// changes nothing in the simulation. Throws RunError (file and reason) when the disk is full.
  void record(const Simulation& simulation);
  /// Gives the files their names and returns these, for RunSummary::files. Call it also after a failed run.
  std::vector<std::string> finish();
  /// What is recorded, for RunSummary::weights.
  [[nodiscard]] const std::vector<WeightRecordInfo>& infos() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// A recording, read back.
struct WeightRecord {
  WeightRecordInfo info;
  std::vector<double> times_ms;
  /// all, sample. Where synapses come and go, those of time t are [begin[t], begin[t + 1]), ordered by source, then target;
  /// else there are as many at all times and `begin` is empty: weights[t * sources.size() + i] is of synapse i.
  std::vector<std::uint64_t> begin;
  std::vector<std::uint32_t> sources, targets;
  std::vector<double> delays_ms;  ///< as sources; empty where synapses come and go
  std::vector<float> weights;
  /// [time] With rewiring: synapses formed and eliminated since the start of the simulation, of the whole projection.
  std::vector<std::uint64_t> formed, eliminated;
  /// histogram: bin i is [edges[i], edges[i + 1]), the last one with its end; counts[t * bins + i]. below[t] and above[t]
  /// are what lies outside.
  std::vector<double> edges;
  std::vector<std::uint64_t> counts, below, above;

  struct Synapses {
    std::span<const std::uint32_t> sources, targets;
    std::span<const float> weights;
  };
  /// all, sample: those of one time.
  [[nodiscard]] Synapses at(std::size_t time) const;
};

/// The weights of a result folder; empty when none were recorded. Throws InputError like load_result().
[[nodiscard]] std::vector<WeightRecord> load_weight_records(const std::filesystem::path& folder);

}  // namespace tessera
