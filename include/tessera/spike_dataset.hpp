// Labelled spike trains for training: what a data set gives, and how batches are laid out.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace tessera::training {

/// Height x width x channels of a layer or an input; a plain vector of n is {1, 1, n}. The index of
/// (row y, column x, channel c) is (y * width + x) * channels + c.
struct Shape {
  std::uint32_t height = 1;
  std::uint32_t width = 1;
  std::uint32_t channels = 1;
  [[nodiscard]] std::uint64_t size() const { return std::uint64_t{height} * width * channels; }
  bool operator==(const Shape&) const = default;
};

/// One sample: at most one spike per channel and step. first[t] .. first[t + 1] is the range of
/// step t in `channel`, ascending inside a step; first has steps + 1 entries.
struct SpikeSample {
  std::vector<std::uint32_t> first;
  std::vector<std::uint32_t> channel;
  std::int32_t label = 0;
  std::vector<float> target = {};  ///< [step][output] of a data set with targets, else empty
};

/// Several samples, time-major: list q = t * samples + b holds the spikes of sample b in step t,
/// channel[first[q] .. first[q + 1]], ascending.
struct SpikeBatch {
  std::uint32_t samples = 0;
  std::uint32_t steps = 0;
  std::uint32_t channels = 0;
  std::vector<std::uint32_t> first;  ///< steps * samples + 1
  std::vector<std::uint32_t> channel;
  std::vector<std::int32_t> label;  ///< one per sample, 0 .. classes - 1
  std::vector<float> target = {};   ///< [sample][step][class] of a data set with targets, else empty
};

/// A `draw` for which samples are not varied by augmentation: validation, evaluation, pictures.
inline constexpr std::uint64_t kUnvaried = 0;

/// Samples that are already encoded as spikes. read() may be called from any thread.
class SpikeDataset {
 public:
  virtual ~SpikeDataset() = default;
  [[nodiscard]] virtual std::string name() const = 0;
  [[nodiscard]] virtual std::size_t size() const = 0;
  [[nodiscard]] virtual Shape shape() const = 0;
  [[nodiscard]] virtual std::uint32_t steps() const = 0;
  [[nodiscard]] virtual std::uint32_t classes() const = 0;
  [[nodiscard]] virtual std::int32_t label(std::size_t index) const = 0;
  /// Whether samples have a target for every step and class, for squared_error_per_step.
  [[nodiscard]] virtual bool has_targets() const { return false; }
  /// Fills `sample`. `draw` selects the random numbers of stochastic encoders and of augmentation:
  /// the same (index, draw) gives the same spikes. kUnvaried: no augmentation. Throws InputError
  /// for a damaged file (file, offset).
  virtual void read(std::size_t index, std::uint64_t draw, SpikeSample& sample) const = 0;
  /// What was left out of the samples that were read so far, as sentences.
  [[nodiscard]] virtual std::vector<std::string> notes() const { return {}; }
};

/// Puts samples together; all have `steps` steps. Writes into `batch`, reusing its memory.
void make_batch(const std::vector<SpikeSample>& samples, std::uint32_t channels,
                std::uint32_t steps, SpikeBatch& batch);

}  // namespace tessera::training
