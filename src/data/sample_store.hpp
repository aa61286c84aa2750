// Samples that were read before: packed in memory, and as a file for the next run.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace tessera::training {

/// A sample as two lists of numbers: spikes (first, channel) or events (time_us, address). Numbers
/// take two bytes where all of a list fit.
class SampleStore {
 public:
  /// Keeps at most `limit_bytes`.
  SampleStore(std::size_t samples, std::uint64_t limit_bytes);
  ~SampleStore();
  SampleStore(const SampleStore&) = delete;
  SampleStore& operator=(const SampleStore&) = delete;

  /// False when the sample is not kept. Any thread.
  bool get(std::size_t index, std::vector<std::uint32_t>& a, std::vector<std::uint32_t>& b) const;
  /// Keeps the sample unless it is there or the limit is reached. Any thread.
  void put(std::size_t index, const std::vector<std::uint32_t>& a,
           const std::vector<std::uint32_t>& b);
  [[nodiscard]] std::uint64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }

  /// Writes all samples; all have to be kept. The file holds `key`, and a checksum. Throws
  /// RunError.
  ///   magic "TSDATA01", key (8 bytes), samples (8), bytes that follow (8), their FNV-1a checksum
  ///   (8), then per sample: entries of a and b (4 each), bytes per entry of a and b (1 each, 2 or
  ///   4), the entries
  void save(const std::filesystem::path& file, std::uint64_t key) const;
  /// False when the file is missing, is of another key or number of samples, is damaged or does not
  /// fit into the limit.
  bool load(const std::filesystem::path& file, std::uint64_t key);
  /// True when every sample is kept.
  [[nodiscard]] bool complete() const;

 private:
  struct Packed;
  std::vector<std::atomic<const Packed*>> samples_;
  std::atomic<std::uint64_t> bytes_{0};
  std::uint64_t limit_;
};

}  // namespace tessera::training
