// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "substrate/variation.hpp"

#include <algorithm>

namespace tessera::substrate {
namespace {

// What this room draws for, behind the purposes of a network (base/random.hpp); rounds are looks at a batch.
constexpr Purpose kFixedPattern = static_cast<Purpose>(200);
constexpr Purpose kRunNoise = static_cast<Purpose>(201);
constexpr Purpose kMembraneNoise = static_cast<Purpose>(202);
constexpr Purpose kEventNoise = static_cast<Purpose>(203);

// The middle of one of 2^52 equal pieces of (0, 1).
double unit(std::uint32_t high, std::uint32_t low) {
  const std::uint64_t bits = std::uint64_t{high} << 32 | low;
  return (static_cast<double>(bits >> 12) + 0.5) * 0x1p-52;
}

double value_of(const MachineVariation& variation, double u) {
  return variation.applies() ? variation.distribution.quantile(u) : 0.0;
}

}  // namespace

CircuitPattern draw_pattern(const MachineDescription::FixedPattern& pattern, std::uint64_t seed, std::uint32_t chip,
                            std::uint32_t circuit) {
  RandomStream random(RandomKey(seed), kFixedPattern, chip, circuit);
  const auto draw = [&](const MachineVariation& variation) {
    const std::uint32_t high = random.next(), low = random.next();
    return value_of(variation, unit(high, low));
  };
  CircuitPattern drawn;
  drawn.threshold = draw(pattern.threshold);
  drawn.leak = draw(pattern.leak);
  drawn.membrane = draw(pattern.membrane_time_constant);
  drawn.synapse = draw(pattern.synapse_time_constant);
  drawn.gain = draw(pattern.weight_gain);
  return drawn;
}

double draw_run_threshold(const MachineVariation& threshold, std::uint64_t seed, RunNumber run, std::uint32_t chip,
                          std::uint32_t circuit) {
  if (!threshold.applies()) return 0.0;
  const RandomWords words = random_words(RandomKey(seed), round_of(kRunNoise, run.look), run.batch, chip, circuit);
  return value_of(threshold, unit(words[0], words[1]));
}

NoiseTable::NoiseTable(const MachineVariation& variation) {
  if (!variation.applies()) return;
  constexpr std::uint32_t kPieces = 1U << kBits;
  for (std::uint32_t k = 0; k <= kPieces; ++k) {
    const double u = std::clamp(static_cast<double>(k) / kPieces, 0x1p-15, 1.0 - 0x1p-15);
    quantile_.push_back(static_cast<float>(variation.distribution.quantile(u)));
  }
}

std::uint32_t membrane_noise_word(std::uint64_t seed, std::uint32_t run, std::int64_t step, std::uint32_t neuron) {
  return random_words(RandomKey(seed), round_of(kMembraneNoise, 1), static_cast<std::uint32_t>(step), neuron / 4, run)[neuron % 4];
}

std::uint32_t event_noise_word(std::uint64_t seed, std::uint32_t run, std::int64_t step, std::uint32_t neuron, std::uint32_t to) {
  return random_words(RandomKey(seed), round_of(kEventNoise, 1 + to), static_cast<std::uint32_t>(step), neuron, run)[0];
}

Purpose NoiseWords::purpose(RunNumber run, Of of) {
  return round_of(of == Of::membranes ? kMembraneNoise : kEventNoise, run.look);
}

}  // namespace tessera::substrate
