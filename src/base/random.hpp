// Random numbers as functions of (seed, purpose, entity, index): counter-based, so any worker can draw
// any number without asking anybody. Philox4x32-10 (Salmon et al. 2011) from Random123.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Random123/philox.h>

#include <array>
#include <cstdint>

namespace tessera {

/// The key all draws of a network share.
struct RandomKey {
  std::uint32_t low = 0;
  std::uint32_t high = 0;
  RandomKey() = default;
  explicit RandomKey(std::uint64_t seed)
      : low(static_cast<std::uint32_t>(seed)), high(static_cast<std::uint32_t>(seed >> 32)) {}
};

/// What a draw is for; streams of different purposes never meet.
enum class Purpose : std::uint32_t {
  source_tree = 1,   ///< synapses per source
  chunk_split,       ///< synapses per chunk
  delay_split,       ///< synapses per delay group
  synapse,           ///< target, weight and delay of one synapse
  permutation,
  pair,              ///< one number per (source, target) pair
  redirect,
  initial_state,
  poisson_input,
  poisson_source,
  subsample,         ///< neurons whose correlations are looked at
  training_structure,  ///< synapses and delays of a sparse connection that is trained
  training_weight,     ///< initial weights
  training_decay,      ///< initial decay factors
  validation_split,    ///< which training samples are held out
  generated_sample,    ///< values of samples that are made, not read
  encoding,            ///< rate encoders, thinning
  augmentation,
  shuffle,             ///< order of the training samples in an epoch
  row_length,          ///< synapses of a source in a chunk whose pairs are independent
  surplus,             ///< which synapses a target with too many loses
  repeated,            ///< which of several synapses of a pair stays
  added_synapse,       ///< weight and delay of a synapse that exceptions add
  pair_sign,           ///< the sign of every pair of a connection that rewires
  rewiring,            ///< what a rule draws in a batch; a round for every connection
  structural_rule,     ///< what a structural rule draws while a network runs
  moving_bump          ///< centres and spikes of a moving bump of rates
};

/// The same purpose in a later round (below 2^24): other numbers.
[[nodiscard]] constexpr Purpose round_of(Purpose purpose, std::uint32_t round) {
  return static_cast<Purpose>(static_cast<std::uint32_t>(purpose) | round << 8);
}

using RandomWords = std::array<std::uint32_t, 4>;

/// Four random words for the counter (index, a, b, purpose).
[[nodiscard]] inline RandomWords random_words(RandomKey key, Purpose purpose, std::uint32_t index,
                                              std::uint32_t a, std::uint32_t b) {
  const philox4x32_ctr_t counter = {{index, a, b, static_cast<std::uint32_t>(purpose)}};
  const philox4x32_key_t philox_key = {{key.low, key.high}};
  const philox4x32_ctr_t words = philox4x32_R(10, counter, philox_key);
  return {words.v[0], words.v[1], words.v[2], words.v[3]};
}

/// The words of (purpose, a, b) one after the other.
class RandomStream {
 public:
  RandomStream(RandomKey key, Purpose purpose, std::uint32_t a, std::uint32_t b)
      : key_(key), purpose_(purpose), a_(a), b_(b) {}

  [[nodiscard]] std::uint32_t next() {
    if (used_ == 4) {
      words_ = random_words(key_, purpose_, index_++, a_, b_);
      used_ = 0;
    }
    return words_[used_++];
  }
  /// Uniform in [0, 1) with 53 bits.
  [[nodiscard]] double next_unit() {
    const std::uint64_t high = next();
    const std::uint64_t bits = high << 32 | next();
    return static_cast<double>(bits >> 11) * 0x1p-53;
  }
  /// Uniform in 0 .. n-1 (n > 0); the chance of two values differs by n / 2^32 at most.
  [[nodiscard]] std::uint32_t next_below(std::uint32_t n) {
    return static_cast<std::uint32_t>((static_cast<std::uint64_t>(next()) * n) >> 32);
  }
  /// The same, perfectly even: draws that would favour a value are drawn again (Lemire 2019, ACM Trans.
  /// Model. Comput. Simul. 29:3).
  [[nodiscard]] std::uint32_t next_evenly_below(std::uint32_t n) {
    std::uint64_t product = static_cast<std::uint64_t>(next()) * n;
    for (const std::uint32_t reject = (0u - n) % n; static_cast<std::uint32_t>(product) < reject;) {
      product = static_cast<std::uint64_t>(next()) * n;
    }
    return static_cast<std::uint32_t>(product >> 32);
  }

 private:
  RandomKey key_;
  Purpose purpose_;
  std::uint32_t a_, b_;
  std::uint32_t index_ = 0;
  RandomWords words_{};
  unsigned used_ = 4;
};

}  // namespace tessera
