// Weights and delays as tables that a few random bits look up.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "kernels/ring_shape.hpp"
#include "tessera/network.hpp"

namespace tessera {

/// Longest delay, and delay groups of the narrowest kind up to it.
inline constexpr std::uint32_t kMaxDelaySteps = 4096;
inline constexpr std::uint32_t kMaxDelayGroups = kMaxDelaySteps >> RingShape::kFewestStepBits;

/// A listed delay in steps, at least one.
[[nodiscard]] std::uint32_t delay_steps(double delay_ms, double dt_ms);

/// A weight distribution as 1024 equally likely values: each the mean of its quantile interval, with
/// mean and variance of the distribution (to a thousandth where values end at 0).
struct WeightTable {
  static constexpr std::uint32_t kBits = 10;
  static constexpr std::uint32_t kSize = 1u << kBits;
  std::array<double, kSize> values{};
  explicit WeightTable(const Distribution& distribution);
  [[nodiscard]] double largest_magnitude() const;
};

/// A delay distribution in steps, split into groups of a ring's steps and steps inside a group.
struct DelayTable {
  static constexpr std::uint32_t kStepDraws = 1024;
  /// A tail below 2^-17 cannot be drawn with 16 bits and is folded into the longest delay.
  DelayTable(const Distribution& delay_ms, double dt_ms, RingShape shape = {});
  /// Shortest and longest delay in steps, the same for every shape.
  [[nodiscard]] static std::pair<std::uint32_t, std::uint32_t> range_of(const Distribution& delay_ms, double dt_ms);

  /// Group of a 16-bit draw: first_group + number of thresholds at or below it.
  [[nodiscard]] std::uint32_t group_of(std::uint32_t draw16) const;
  /// The same counted from the first group, looked up by the draw's upper bits: what thin rows ask for every synapse.
  [[nodiscard]] std::uint32_t find_group(std::uint32_t draw16) const {
    const std::uint32_t start = starts[draw16 >> 8];
    std::uint32_t group = (start >> kThresholdBits) + (draw16 >= start % (1u << kThresholdBits) ? 1 : 0);
    while (group < group_thresholds.size() && draw16 >= group_thresholds[group]) ++group;
    return group;
  }
  /// Step inside the group of a 10-bit draw.
  [[nodiscard]] std::uint32_t step_of(std::uint32_t group, std::uint32_t draw10) const;
  /// Delay in steps for one draw: 16 bits for the group, 10 for the step in it.
  [[nodiscard]] std::uint32_t delay_of(std::uint32_t draw16, std::uint32_t draw10) const {
    const std::uint32_t group = group_of(draw16);
    return group * group_steps + step_of(group, draw10) + 1;
  }

  /// Probability of the most likely group.
  [[nodiscard]] double largest_group_share() const;
  [[nodiscard]] std::size_t bytes() const;

  std::uint32_t first_group = 0;
  std::uint32_t groups = 1;                     ///< groups first_group .. first_group + groups - 1
  std::vector<std::uint16_t> group_thresholds;  ///< groups - 1 of them, ascending
  /// For the upper eight bits of a draw, where there are several groups: the least group << kThresholdBits | the threshold
  /// above it.
  std::vector<std::uint32_t> starts;
  static constexpr std::uint32_t kThresholdBits = 17;
  std::uint32_t group_steps = 4;
  /// Per group, in groups of four steps: three 10-bit thresholds; step = how many are at or below
  /// min(draw10, 1022).
  std::vector<std::uint32_t> step_thresholds;
  /// Per group, in longer groups: the step of each of the kStepDraws draws.
  std::vector<std::uint8_t> steps;
  std::uint32_t min_steps = 1;
  std::uint32_t max_steps = 1;
};

}  // namespace tessera
