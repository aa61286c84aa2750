// The way of events to and from a chip: its clock, how many it takes, and how far they slip in time.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "tessera/machine_description.hpp"

namespace tessera::substrate {

/// The first tick of a clock with this period at or after `step`: an event is never early. period >= 1.
[[nodiscard]] constexpr std::uint32_t tick_at_or_after(std::uint32_t step, std::uint32_t period) {
  return (step + period - 1) / period * period;
}

/// What a link does to the events of a sample. Times are steps of the network.
///   clock       an event of step t arrives at tick_at_or_after(t, period)
///   per_source  of the events of one source in one tick, so many go on, the first ones
///   bandwidth   of the events of one tick, `most` arrive: those of the first steps, and in a step those of the lowest
///               sources. The others are dropped and counted
struct EventLink {
  std::uint32_t period = 1;      ///< steps of the network in a tick of the chip, >= 1
  std::uint32_t most = 0;        ///< events in a tick; 0: any number
  std::uint32_t per_source = 0;  ///< events of a source in a tick; 0: any number

  [[nodiscard]] bool is_perfect() const { return period <= 1 && most == 0 && per_source == 0; }
};

/// Links into and out of chips for steps of so many us of the chip. A limit of n events per clock is floor(n clocks) in a
/// step of several clocks, and at least 1. A clock that is longer than a step makes a period, which is rounded.
struct EventLinks {
  EventLink in, out;
};
[[nodiscard]] EventLinks links_of(const MachineDescription::Events& events, double step_us);

struct LinkCounts {
  std::uint64_t events = 0;   ///< that were sent
  std::uint64_t dropped = 0;  ///< because there were too many at once
  std::uint64_t late = 0;     ///< whose tick is behind the end of the sample
  void add(const LinkCounts& other) {
    events += other.events;
    dropped += other.dropped;
    late += other.late;
  }
};

/// Events of one sample by step: those of step t are id[first[t] .. first[t + 1]), ascending in every step.
struct EventTable {
  std::vector<std::uint32_t> first;
  std::vector<std::uint16_t> id;
};

/// What is sent, and who is meant.
struct SentEvents {
  std::uint32_t steps = 0;
  const std::uint32_t* first = nullptr;  ///< as in EventTable
  const std::uint16_t* id = nullptr;
  const std::int32_t* shift = nullptr;         ///< steps by which each event slips, or null
  const std::vector<bool>* reaches = nullptr;  ///< sources that have a target there; null: all
  const std::vector<bool>* inside = nullptr;   ///< sources on the chip, whose events take no link and no clock; or null
};

/// What arrives. `taken`: events that the chip has taken in every tick, [steps], shared by all links to it.
void send(const EventLink& link, const SentEvents& sent, std::uint32_t* taken, EventTable& arrived,
          LinkCounts& counts);

/// Whether everything arrives as it was sent: the usual case, of which no table needs to be made. Counts and takes the
/// events if so; else nothing has happened, and send() does it.
[[nodiscard]] bool passes_whole(const EventLink& link, const SentEvents& sent, std::uint32_t* taken, LinkCounts& counts);

}  // namespace tessera::substrate
