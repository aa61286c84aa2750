// Files of recorded weights: HDF5 (hdf5_weights.cpp) or npy (npy_weights.cpp).
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tessera/weight_recording.hpp"

namespace tessera::io {

/// Where weights go, by the place of the recording. Everything throws RunError with file and reason.
class WeightSink {
 public:
  virtual ~WeightSink() = default;
  /// The synapses of a recording where these stay, by target; once, before the first row.
  virtual void begin_synapses(std::size_t recording, std::span<const ConnectivityRule::Synapse> synapses) = 0;
  /// Their weights at one time, an interval after the row before.
  virtual void append_row(std::size_t recording, double time_ms, std::span<const float> weights) = 0;
  /// Where they come and go: all that there are at one time, and how many were formed and eliminated so far.
  struct Snapshot {
    double time_ms = 0.0;
    std::span<const std::uint32_t> sources, targets;
    std::span<const float> weights;
    std::uint64_t formed = 0, eliminated = 0;
  };
  virtual void append_snapshot(std::size_t recording, const Snapshot& snapshot) = 0;
  /// The edges of a histogram's bins; once, before its first counts.
  virtual void begin_histogram(std::size_t recording, std::span<const double> edges) = 0;
  /// How many weights were below the first edge, in each bin, above the last edge.
  virtual void append_histogram(std::size_t recording, double time_ms, std::span<const std::uint64_t> counts) = 0;
  virtual std::vector<std::string> finish() = 0;
};

/// A name for each recording: the projection, and a number where one occurs again.
[[nodiscard]] std::vector<std::string> weight_names(const std::vector<WeightRecordInfo>& recordings);

/// The sink of this build, and the npy one.
[[nodiscard]] std::unique_ptr<WeightSink> make_weight_sink(const std::filesystem::path& folder,
                                                           const std::vector<WeightRecordInfo>& recordings);
[[nodiscard]] std::unique_ptr<WeightSink> make_npy_weight_sink(const std::filesystem::path& folder,
                                                               const std::vector<WeightRecordInfo>& recordings);

/// Reads all recordings. Throws InputError when a file is damaged, lacks something or contradicts itself.
[[nodiscard]] std::vector<WeightRecord> read_weights_hdf5(const std::filesystem::path& file,
                                                          const std::vector<WeightRecordInfo>& recordings,
                                                          std::uint64_t limit);
/// `file_of` gives the path of a file's name, which it has checked.
[[nodiscard]] std::vector<WeightRecord> read_weights_npy(
    const std::function<std::filesystem::path(const std::string& name)>& file_of,
    const std::vector<WeightRecordInfo>& recordings);

/// Throws InputError (`file`, and what is wrong) unless the lengths of a record fit each other, times ascend, and indices do.
void require_consistent(const WeightRecord& record, const std::string& file);

}  // namespace tessera::io
