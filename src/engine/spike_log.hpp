// The recorded spikes of a part: what is played back to others, and what observers get in the end.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "connectivity/in_flight.hpp"
#include "tessera/simulation.hpp"

namespace tessera {

/// Lists of global ids, ascending, of the steps from kFirstSpikeStep on.
class SpikeLog {
 public:
  /// The spikes of the steps [next, until), sorted by step, then neuron; next: what was appended before.
  void append(std::span<const Spike> spikes, std::int64_t until) {
    auto spike = spikes.begin();
    for (std::int64_t step = end(); step < until; ++step) {
      for (; spike != spikes.end() && static_cast<std::int64_t>(spike->step) - 1 == step; ++spike) ids_.push_back(spike->neuron);
      first_.push_back(ids_.size());
    }
  }
  /// The first step whose spikes are not known.
  [[nodiscard]] std::int64_t end() const { return static_cast<std::int64_t>(first_.size()) - 1 + kFirstSpikeStep; }
  [[nodiscard]] std::span<const std::uint32_t> of(std::int64_t step) const {
    const auto at = static_cast<std::size_t>(step - kFirstSpikeStep);
    return std::span(ids_).subspan(first_[at], first_[at + 1] - first_[at]);
  }
  [[nodiscard]] std::uint64_t size() const { return ids_.size(); }
  [[nodiscard]] std::uint64_t bytes() const { return ids_.capacity() * sizeof(ids_[0]) + first_.capacity() * sizeof(first_[0]); }

 private:
  std::vector<std::uint32_t> ids_;
  std::vector<std::uint64_t> first_{0};
};

}  // namespace tessera
