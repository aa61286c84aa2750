// Synapses as npy files, one per projection: edges_<projection>.npy, rows of (source, target, weight, delay in ms), which is
// what an explicit_list reads.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "files/npy.hpp"
#include "results/sinks.hpp"

namespace tessera::io {
namespace {

class NpyEdgeSink final : public EdgeSink {
 public:
  NpyEdgeSink(const std::filesystem::path& folder, const std::vector<EdgePopulation>& populations) {
    for (const EdgePopulation& population : populations) {
      names_.push_back("edges_" + encoded_name(population.name) + ".npy");
      files_.emplace_back(folder / names_.back(), 4);
    }
  }

  void append(std::size_t population, std::span<const ConnectivityRule::Synapse> synapses) override {
    rows_.clear();
    for (const ConnectivityRule::Synapse& s : synapses) {
      rows_.insert(rows_.end(), {static_cast<double>(s.source), static_cast<double>(s.target), s.weight, s.delay_ms});
    }
    files_[population].append(rows_);
  }

  std::vector<std::string> finish() override {
    for (NpyStream& file : files_) file.commit();
    return names_;
  }

 private:
  std::vector<std::string> names_;
  std::vector<NpyStream> files_;
  std::vector<double> rows_;
};

}  // namespace

std::unique_ptr<EdgeSink> make_npy_edge_sink(const std::filesystem::path& folder, const std::vector<EdgePopulation>& populations) {
  return std::make_unique<NpyEdgeSink>(folder, populations);
}

}  // namespace tessera::io
