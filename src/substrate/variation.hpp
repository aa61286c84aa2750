// How the circuits of a chip differ from each other, and from run to run. Everything is a function of (seed, chip,
// circuit) and, for noise, of the run: no state, and the same for any number of threads.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "base/random.hpp"
#include "tessera/machine_description.hpp"

namespace tessera::substrate {

/// What one circuit of one chip is like. threshold and leak are added, in distances from leak to threshold; the
/// others are relative. All are 0 where the machine has no such variation or where it is switched off.
struct CircuitPattern {
  double threshold = 0.0, leak = 0.0;
  double membrane = 0.0, synapse = 0.0;  ///< time constants
  double gain = 0.0;
  friend bool operator==(const CircuitPattern&, const CircuitPattern&) = default;
};

/// Every number has its own place among the draws: switching one off leaves the others as they are.
[[nodiscard]] CircuitPattern draw_pattern(const MachineDescription::FixedPattern& pattern, std::uint64_t seed,
                                          std::uint32_t chip, std::uint32_t circuit);

/// A run: which batch, and which of several looks at it (0: training).
struct RunNumber {
  std::uint32_t batch = 0;
  std::uint32_t look = 0;  ///< below 2^24
};

/// The threshold's offset of a circuit in one run, in distances from leak to threshold.
[[nodiscard]] double draw_run_threshold(const MachineVariation& threshold, std::uint64_t seed, RunNumber run,
                                        std::uint32_t chip, std::uint32_t circuit);

/// Draws of a distribution from a table of its quantiles, between which it interpolates: for one draw per neuron and
/// step. The tails end at the quantiles 1/2^15 and 1 - 1/2^15.
class NoiseTable {
 public:
  NoiseTable() = default;
  explicit NoiseTable(const MachineVariation& variation);
  [[nodiscard]] bool empty() const { return quantile_.empty(); }
  [[nodiscard]] float of(std::uint32_t word) const {
    const std::uint32_t at = word >> (32 - kBits);
    const auto part = static_cast<float>(word << kBits >> 8) * 0x1p-24F;
    return quantile_[at] + part * (quantile_[at + 1] - quantile_[at]);
  }

 private:
  static constexpr std::uint32_t kBits = 12;
  std::vector<float> quantile_;
};

/// Words for the noise of a network that is simulated: of one neuron (its global id) in one step.
[[nodiscard]] std::uint32_t membrane_noise_word(std::uint64_t seed, std::uint32_t run, std::int64_t step, std::uint32_t neuron);
/// Of the spike of a neuron at a step, on its way to a part.
[[nodiscard]] std::uint32_t event_noise_word(std::uint64_t seed, std::uint32_t run, std::int64_t step, std::uint32_t neuron, std::uint32_t to);

/// Words for the noise of one sample in one run on one chip, four at a time.
class NoiseWords {
 public:
  enum class Of : std::uint32_t { membranes = 0, events = 1 };
  NoiseWords(std::uint64_t seed, RunNumber run, Of of, std::uint32_t part, std::uint32_t sample)
      : key_(seed), purpose_(purpose(run, of)), a_(run.batch), b_(part << 16 ^ sample) {}
  [[nodiscard]] std::uint32_t next() {
    if (used_ == 4) {
      words_ = random_words(key_, purpose_, index_++, a_, b_);
      used_ = 0;
    }
    return words_[used_++];
  }

 private:
  static Purpose purpose(RunNumber run, Of of);
  RandomKey key_;
  Purpose purpose_;
  std::uint32_t a_, b_, index_ = 0;
  RandomWords words_{};
  unsigned used_ = 4;
};

}  // namespace tessera::substrate
