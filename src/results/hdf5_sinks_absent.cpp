// Stands for hdf5_sinks.cpp in a build without HDF5: results are written as npy.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "results/sinks.hpp"
#include "tessera/errors.hpp"

namespace tessera {

bool has_hdf5() noexcept { return false; }

namespace io {
namespace {

[[noreturn]] void refuse(const std::filesystem::path& file) {
  throw InputError("cannot read " + file.string() +
                   ": this program was built without HDF5; build it with -DTESSERA_HDF5=ON.");
}

}  // namespace

std::unique_ptr<SpikeSink> make_spike_sink(const std::filesystem::path& folder,
                                           const std::vector<std::string>& populations) {
  return make_npy_spike_sink(folder, populations);
}

std::unique_ptr<TraceSink> make_trace_sink(const std::filesystem::path& folder,
                                           const std::vector<TraceColumn>& columns) {
  return make_npy_trace_sink(folder, columns);
}

std::unique_ptr<EdgeSink> make_edge_sink(const std::filesystem::path& folder, const std::vector<EdgePopulation>& populations) {
  return make_npy_edge_sink(folder, populations);
}

std::vector<RawSpikes> read_spikes_hdf5(const std::filesystem::path& file,
                                        const std::vector<std::string>&, std::uint64_t) {
  refuse(file);
}

Trace read_trace_hdf5(const std::filesystem::path& file, const TraceColumn&, std::uint64_t) {
  refuse(file);
}

}  // namespace io
}  // namespace tessera
