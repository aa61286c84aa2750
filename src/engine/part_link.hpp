// The way of recorded spikes to a part on a chip with a clock and a limited bandwidth (substrate/event_link.hpp says which
// events are dropped), and away from it.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <unordered_map>
#include <vector>

#include "substrate/event_link.hpp"
#include "substrate/variation.hpp"
#include "tessera/simulation.hpp"

namespace tessera {

/// A spike on its way, and the part that it comes from.
struct SentSpike {
  std::uint32_t neuron = 0;
  std::uint32_t from = 0;
};

/// Into a part. Spikes are taken step after step, those of a step by ascending neuron.
class PartLink {
 public:
  /// `steps`: of the run; `parts`: that send.
  PartLink(const substrate::EventLink& link, std::int64_t steps, std::size_t parts)
      : link_(link), steps_(steps), counts_(parts) {}

  /// Spikes of a step, each with the steps by which it slips (0 or more), or none.
  void take(std::int64_t step, std::span<const SentSpike> spikes, std::span<const std::uint32_t> slips);
  /// What arrives at a step, once the spikes of that step and all before were taken; gives it away.
  [[nodiscard]] std::vector<std::uint32_t> arrived(std::int64_t step);
  [[nodiscard]] const std::vector<substrate::LinkCounts>& counts() const { return counts_; }

 private:
  [[nodiscard]] std::int64_t tick_of(std::int64_t step) const;
  [[nodiscard]] bool has_room(std::uint32_t neuron, std::int64_t tick);

  struct Seen {
    std::int64_t tick = -2;
    std::uint32_t events = 0;
  };
  substrate::EventLink link_;
  std::int64_t steps_;
  std::vector<substrate::LinkCounts> counts_;                     ///< by sending part
  std::map<std::int64_t, std::vector<std::uint32_t>> on_the_way_; ///< by the step at which they arrive
  std::map<std::int64_t, std::uint32_t> taken_;                   ///< by tick
  std::unordered_map<std::uint32_t, Seen> seen_;                  ///< by neuron, where sources are limited
};

/// Out of a part: of the spikes of one tick only so many leave. The others are neither recorded nor played back.
class OutLink {
 public:
  explicit OutLink(const substrate::EventLink& link) : link_(link) {}
  /// Keeps those that leave, of spikes sorted by step, then neuron; later calls have later steps.
  void limit(std::vector<Spike>& spikes);
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

 private:
  substrate::EventLink link_;
  std::uint32_t tick_ = 0, taken_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace tessera
