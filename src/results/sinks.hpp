// Spike and trace files of a result folder, as HDF5 (hdf5_sinks.cpp) or npy (npy_sinks.cpp).
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tessera/network.hpp"
#include "tessera/result.hpp"

namespace tessera::io {

/// Where spikes go. Everything throws RunError with file and reason.
class SpikeSink {
 public:
  virtual ~SpikeSink() = default;
  /// Appends to one population; times and ids have the same length.
  virtual void append(std::size_t population, std::span<const double> times_ms,
                      std::span<const std::uint64_t> ids) = 0;
  /// Flushes and gives the files their final names; returns these (without folder).
  virtual std::vector<std::string> finish() = 0;
};

/// One state recorder: what a trace file holds.
struct TraceColumn {
  std::string population;
  std::string variable;
  std::size_t neurons = 0;  ///< the first ones of the population
  double interval_ms = 0.1;
  std::string unit = {};  ///< of the values, "mV"; empty: dimensionless or unknown
};

class TraceSink {
 public:
  virtual ~TraceSink() = default;
  /// Appends values.size() / neurons samples, one after the other, an interval apart.
  virtual void append(std::size_t recorder, std::span<const double> times_ms,
                      std::span<const double> values) = 0;
  virtual std::vector<std::string> finish() = 0;
};

/// The synapses of a projection: an edge population.
struct EdgePopulation {
  std::string name, source, target;  ///< of the projection and its populations
  std::string weight_unit;
  std::uint64_t type = 0;  ///< edge_type_id of all its edges
};

class EdgeSink {
 public:
  virtual ~EdgeSink() = default;
  /// Appends synapses of one population.
  virtual void append(std::size_t population, std::span<const ConnectivityRule::Synapse> synapses) = 0;
  virtual std::vector<std::string> finish() = 0;
};

/// Names for npy files: population and variable, and a number where a pair occurs again.
[[nodiscard]] std::vector<std::string> trace_names(const std::vector<TraceColumn>& columns);

/// The HDF5 file of every recorder. A SONATA report holds one variable: populations recorded for the
/// same one share `traces_<variable>.h5`; a second recorder of the same population and variable goes
/// into `traces_<variable>~2.h5`.
[[nodiscard]] std::vector<std::string> trace_files(const std::vector<TraceColumn>& columns);

/// The sinks of this build: HDF5 when there is HDF5, else npy.
[[nodiscard]] std::unique_ptr<SpikeSink> make_spike_sink(
    const std::filesystem::path& folder, const std::vector<std::string>& populations);
[[nodiscard]] std::unique_ptr<TraceSink> make_trace_sink(const std::filesystem::path& folder,
                                                         const std::vector<TraceColumn>& columns);

[[nodiscard]] std::unique_ptr<EdgeSink> make_edge_sink(const std::filesystem::path& folder,
                                                       const std::vector<EdgePopulation>& populations);
[[nodiscard]] std::unique_ptr<EdgeSink> make_npy_edge_sink(const std::filesystem::path& folder,
                                                           const std::vector<EdgePopulation>& populations);

[[nodiscard]] std::unique_ptr<SpikeSink> make_npy_spike_sink(
    const std::filesystem::path& folder, const std::vector<std::string>& populations);
[[nodiscard]] std::unique_ptr<TraceSink> make_npy_trace_sink(
    const std::filesystem::path& folder, const std::vector<TraceColumn>& columns);

/// Reading. All throw InputError when a file is damaged or lacks what is asked for. HDF5: one file
/// for all populations, `spikes.h5`; npy: one file each.
struct RawSpikes {
  std::vector<double> times_ms;
  std::vector<std::uint64_t> ids;
};
/// `limit`: most elements to accept per data set.
[[nodiscard]] std::vector<RawSpikes> read_spikes_hdf5(const std::filesystem::path& file,
                                                      const std::vector<std::string>& populations,
                                                      std::uint64_t limit);
/// One recorder from its file. Times are first + k * interval as the report of the file says them.
[[nodiscard]] Trace read_trace_hdf5(const std::filesystem::path& file, const TraceColumn& column,
                                    std::uint64_t limit);
[[nodiscard]] RawSpikes read_spikes_npy(const std::filesystem::path& file);
[[nodiscard]] Trace read_trace_npy(const std::filesystem::path& folder, const TraceColumn& column,
                                   const std::string& name);

}  // namespace tessera::io
