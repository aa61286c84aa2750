// Pattern generation (Bellec et al. 2020): one sample of frozen noise, and a sum of sines that the output is to follow.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/random.hpp"
#include "data/readers.hpp"

namespace tessera::training {
namespace {

constexpr std::uint32_t kChannels = 100;
constexpr double kProbability = 0.05;                   // of a spike per channel and step
constexpr double kFrequencies[] = {1.0, 2.0, 3.0, 5.0};  // periods in a sample

class PatternGeneration : public EventSource {
 public:
  PatternGeneration(const GeneratorSpec& spec, std::uint32_t steps, double step_ms)
      : seed_(spec.seed), steps_(steps), step_ms_(step_ms), target_(steps) {
    RandomStream random(RandomKey(seed_), Purpose::generated_sample, 0, 1);
    for (const double frequency : kFrequencies) {
      const double amplitude = 0.5 + 1.5 * random.next_unit(), phase = random.next_unit();
      for (std::uint32_t t = 0; t < steps; ++t)
        target_[t] += static_cast<float>(amplitude * std::sin(2.0 * std::numbers::pi * (frequency * t / steps + phase)));
    }
    float largest = 0.0f;
    for (const float x : target_) largest = std::max(largest, std::abs(x));
    for (float& x : target_) x /= largest > 0.0f ? largest : 1.0f;
  }
  [[nodiscard]] std::size_t size() const override { return 1; }
  [[nodiscard]] Shape shape() const override { return {1, kChannels, 1}; }
  [[nodiscard]] std::int32_t label(std::size_t) const override { return 0; }
  [[nodiscard]] bool has_targets() const override { return true; }
  void target(std::size_t, std::vector<float>& values) const override { values = target_; }
  void read(std::size_t, Events& events) const override {
    events.clear();
    RandomStream random(RandomKey(seed_), Purpose::generated_sample, 0, 0);
    for (std::uint32_t t = 0; t < steps_; ++t) {
      const auto time = static_cast<std::uint32_t>(step_start_us(t, step_ms_));
      for (std::uint32_t i = 0; i < kChannels; ++i) {
        if (random.next_unit() < kProbability) events.add(time, i);
      }
    }
  }

 private:
  std::uint64_t seed_;
  std::uint32_t steps_;
  double step_ms_;
  std::vector<float> target_;
};

}  // namespace

std::shared_ptr<const EventSource> make_pattern_generation(const GeneratorSpec& spec, std::uint32_t steps, double step_ms) {
  return std::make_shared<PatternGeneration>(spec, steps, step_ms);
}

}  // namespace tessera::training
