// Batches of a data set, read ahead by other threads; and the split into training and validation
// samples.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "tessera/spike_dataset.hpp"

namespace tessera::training {

/// Hands out the samples of `order` in batches; `readers` threads read a few batches ahead. The
/// dataset must outlive the loader.
class BatchLoader {
 public:
  /// The last batch may be smaller. Throws InputError: an empty batch, an index beyond the data
  /// set.
  BatchLoader(const SpikeDataset& dataset, std::vector<std::uint32_t> order, std::uint32_t batch,
              std::uint64_t draw, std::size_t readers = 1);
  /// These batches, of any sizes (none: a batch without samples).
  BatchLoader(const SpikeDataset& dataset, std::uint64_t draw,
              std::vector<std::vector<std::uint32_t>> batches, std::size_t readers = 1);
  /// How many readers feed so many workers (0: as many as there are cores).
  static std::size_t readers_for(int workers);
  ~BatchLoader();  // stops reading, waits for the threads
  BatchLoader(const BatchLoader&) = delete;
  BatchLoader& operator=(const BatchLoader&) = delete;

  /// Fills `batch` (its memory is reused) with the next batch, or returns false at the end.
  /// Rethrows what the reader met, at the batch where it met it; that batch and all after it do not
  /// come. Throws InputError for a label or a channel out of range.
  bool next(SpikeBatch& batch);
  [[nodiscard]] std::size_t batches() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

struct SampleSplit {
  std::vector<std::uint32_t> training, validation;  ///< ascending
};

/// Holds out `fraction` (0 <= fraction < 1) of every class, rounded, at least one sample of a class
/// with two or more. Depends on labels, fraction and seed alone; classes may lack samples. Throws
/// InputError: no samples, a label out of range, a fraction out of range.
[[nodiscard]] SampleSplit split(const SpikeDataset& dataset, double fraction, std::uint64_t seed);

}  // namespace tessera::training
