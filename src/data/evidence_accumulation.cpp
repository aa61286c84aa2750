// Evidence accumulation (Bellec et al. 2020, after Morcos and Harvey 2016): cues on the left and on the right, a pause,
// and the question on which side there were more.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "base/random.hpp"
#include "data/readers.hpp"

namespace tessera::training {
namespace {

constexpr std::uint32_t kCue = 100, kGap = 50, kRecall = 150;  // steps
constexpr std::uint32_t kGroup = 10;                           // channels: left, right, recall, noise
constexpr double kActive = 0.04, kNoise = kActive / 4.0;       // spikes per step
constexpr double kMinority = 0.3;                              // of the cues on the other side

class EvidenceAccumulation : public EventSource {
 public:
  EvidenceAccumulation(const GeneratorSpec& spec, Split split, std::uint32_t steps, double step_ms)
      : seed_(spec.seed), split_(split), steps_(steps), step_ms_(step_ms) {
    const std::uint32_t samples = split == Split::train ? spec.training_samples : spec.test_samples;
    for (std::uint32_t i = 0; i < samples; ++i) {
      RandomStream random = stream(i);
      sides_.push_back(draw_sides(spec.cues, random));
      std::uint32_t right = 0;
      for (const std::uint8_t side : sides_.back()) right += side;
      labels_.push_back(2 * right > spec.cues ? 1 : 0);
    }
  }
  [[nodiscard]] std::size_t size() const override { return labels_.size(); }
  [[nodiscard]] Shape shape() const override { return {1, 4 * kGroup, 1}; }
  [[nodiscard]] std::int32_t label(std::size_t index) const override { return labels_[index]; }
  void read(std::size_t index, Events& events) const override {
    events.clear();
    const std::vector<std::uint8_t>& sides = sides_[index];
    RandomStream random = stream(static_cast<std::uint32_t>(index));
    (void)draw_sides(static_cast<std::uint32_t>(sides.size()), random);
    for (std::uint32_t t = 0; t < steps_; ++t) {
      const std::uint32_t cue = t / (kCue + kGap);
      const bool cued = cue < sides.size() && t % (kCue + kGap) < kCue;
      if (cued) group(sides[cue], kActive, t, random, events);
      if (t + kRecall >= steps_) group(2, kActive, t, random, events);
      group(3, kNoise, t, random, events);
    }
  }

 private:
  [[nodiscard]] RandomStream stream(std::uint32_t index) const {
    return {RandomKey(seed_), Purpose::generated_sample, index, static_cast<std::uint32_t>(split_)};
  }
  static std::vector<std::uint8_t> draw_sides(std::uint32_t cues, RandomStream& random) {
    const auto side = static_cast<std::uint8_t>(random.next_below(2));
    std::vector<std::uint8_t> sides(cues);
    for (std::uint8_t& each : sides) each = random.next_unit() < kMinority ? static_cast<std::uint8_t>(1 - side) : side;
    return sides;
  }
  void group(std::uint32_t which, double probability, std::uint32_t t, RandomStream& random, Events& events) const {
    const auto time = static_cast<std::uint32_t>(step_start_us(t, step_ms_));
    for (std::uint32_t i = which * kGroup; i < (which + 1) * kGroup; ++i) {
      if (random.next_unit() < probability) events.add(time, i);
    }
  }

  std::uint64_t seed_;
  Split split_;
  std::uint32_t steps_;
  double step_ms_;
  std::vector<std::vector<std::uint8_t>> sides_;
  std::vector<std::int32_t> labels_;
};

}  // namespace

std::uint32_t evidence_steps(std::uint32_t cues) { return cues * (kCue + kGap) + kRecall; }

std::shared_ptr<const EventSource> make_evidence_accumulation(const GeneratorSpec& spec, Split split,
                                                              std::uint32_t steps, double step_ms) {
  return std::make_shared<EvidenceAccumulation>(spec, split, steps, step_ms);
}

}  // namespace tessera::training
