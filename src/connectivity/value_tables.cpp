// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "connectivity/value_tables.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "base/time_grid.hpp"
#include "tessera/errors.hpp"

namespace tessera {

std::uint32_t delay_steps(double delay_ms, double dt_ms) {
  return static_cast<std::uint32_t>(std::max(std::int64_t{1}, nearest_step(delay_ms, dt_ms)));
}

WeightTable::WeightTable(const Distribution& distribution) {
  if (distribution.kind == Distribution::Kind::constant) {
    values.fill(distribution.a);
    return;
  }
  constexpr int kSamples = 16;
  double mean = 0.0;
  for (std::uint32_t i = 0; i < kSize; ++i) {
    double sum = 0.0;
    for (int s = 0; s < kSamples; ++s) {
      sum += distribution.quantile((i + (s + 0.5) / kSamples) / kSize);
    }
    values[i] = sum / kSamples;
    mean += values[i] / kSize;
  }
  double variance = 0.0;
  for (const double value : values) variance += (value - mean) * (value - mean) / kSize;
  if (variance <= 0.0) return;
  // A heavy tail may have no finite variance worth matching; then the quantile means stand as they are.
  const double stretch = std::sqrt(distribution.variance() / variance);
  const double centre = distribution.mean();
  if (!std::isfinite(stretch) || !std::isfinite(centre) || stretch > 1.1) return;
  // Within the distribution's support: positive weights must not become negative.
  const double lowest = distribution.quantile(0x1p-20), highest = distribution.quantile(1.0 - 0x1p-20);
  for (double& value : values) value = std::clamp(centre + (value - mean) * stretch, lowest, highest);
}

double WeightTable::largest_magnitude() const {
  double largest = 0.0;
  for (const double value : values) largest = std::max(largest, std::abs(value));
  return largest;
}

std::pair<std::uint32_t, std::uint32_t> DelayTable::range_of(const Distribution& delay_ms, double dt_ms) {
  const auto steps_of = [&](double ms) {
    return static_cast<std::uint32_t>(std::clamp(nearest_step(ms, dt_ms), std::int64_t{1}, std::int64_t{kMaxDelaySteps}));
  };
  if (delay_ms.kind == Distribution::Kind::constant) return {steps_of(delay_ms.a), steps_of(delay_ms.a)};
  return {steps_of(delay_ms.quantile(0x1p-18)), steps_of(delay_ms.quantile(1.0 - 0x1p-18))};
}

DelayTable::DelayTable(const Distribution& delay_ms, double dt_ms, RingShape shape) : group_steps(shape.steps()) {
  const auto cdf_up_to = [&](std::uint32_t step) { return delay_ms.cdf((step + 0.5) * dt_ms); };
  std::tie(min_steps, max_steps) = range_of(delay_ms, dt_ms);
  std::vector<double> probability(max_steps + 1, 0.0);  // [d] for d = 1 ..
  double below = 0.0;
  for (std::uint32_t d = min_steps; d <= max_steps; ++d) {
    const double up_to = d == max_steps ? 1.0 : cdf_up_to(d);
    probability[d] = up_to - below;
    below = up_to;
  }
  first_group = (min_steps - 1) / group_steps;
  groups = (max_steps - 1) / group_steps - first_group + 1;
  double cumulative = 0.0;
  for (std::uint32_t g = 0; g < groups; ++g) {
    std::vector<double> in_group(group_steps, 0.0);
    double mass = 0.0;
    for (std::uint32_t s = 0; s < group_steps; ++s) {
      const std::uint32_t d = (first_group + g) * group_steps + s + 1;
      in_group[s] = d <= max_steps ? probability[d] : 0.0;
      mass += in_group[s];
    }
    cumulative += mass;
    if (g + 1 < groups) {
      const double threshold = std::round(std::min(cumulative, 1.0) * 65536.0);
      group_thresholds.push_back(static_cast<std::uint16_t>(std::min(threshold, 65535.0)));
    }
    // A draw of 1023 counts as 1022, so that a threshold of 1023 is never reached.
    std::vector<std::uint32_t> thresholds;
    double up_to = 0.0;
    for (std::uint32_t s = 0; s + 1 < group_steps; ++s) {
      up_to += in_group[s];
      const double share = mass > 0.0 ? up_to / mass : 1.0;
      const double threshold = share >= 1.0 - 1e-12 ? 1023.0 : std::min(1022.0, std::round(share * kStepDraws));
      thresholds.push_back(static_cast<std::uint32_t>(threshold));
    }
    if (group_steps == 4) {
      step_thresholds.push_back(thresholds[0] | thresholds[1] << 10 | thresholds[2] << 20);
      continue;
    }
    for (std::uint32_t draw = 0; draw < kStepDraws; ++draw) {
      const auto above = std::upper_bound(thresholds.begin(), thresholds.end(), std::min(draw, 1022u));
      steps.push_back(static_cast<std::uint8_t>(above - thresholds.begin()));
    }
  }
  constexpr std::uint32_t kNever = 1u << 16;
  for (std::uint32_t upper = 0; groups > 1 && upper < 256; ++upper) {
    const std::uint32_t group = group_of(upper << 8) - first_group;
    starts.push_back(group << kThresholdBits | (group < group_thresholds.size() ? group_thresholds[group] : kNever));
  }
  group_thresholds.shrink_to_fit();
  step_thresholds.shrink_to_fit();
  steps.shrink_to_fit();
}

std::size_t DelayTable::bytes() const {
  return sizeof(DelayTable) + group_thresholds.size() * sizeof(group_thresholds[0]) + starts.size() * sizeof(starts[0]) +
         step_thresholds.size() * sizeof(step_thresholds[0]) + steps.size();
}

std::uint32_t DelayTable::group_of(std::uint32_t draw16) const {
  const auto above = std::upper_bound(group_thresholds.begin(), group_thresholds.end(), draw16);
  return first_group + static_cast<std::uint32_t>(above - group_thresholds.begin());
}

double DelayTable::largest_group_share() const {
  std::uint32_t before = 0, largest = 0;
  for (const std::uint16_t threshold : group_thresholds) {
    largest = std::max(largest, threshold - before);
    before = threshold;
  }
  return std::max(largest, 65536 - before) / 65536.0;
}

std::uint32_t DelayTable::step_of(std::uint32_t group, std::uint32_t draw10) const {
  if (group_steps != 4) return steps[(group - first_group) * kStepDraws + draw10];
  const std::uint32_t thresholds = step_thresholds[group - first_group];
  const std::uint32_t draw = std::min(draw10, 1022u);
  return (draw >= (thresholds & 1023)) + (draw >= ((thresholds >> 10) & 1023)) +
         (draw >= ((thresholds >> 20) & 1023));
}

}  // namespace tessera
