// Clock and bandwidth of links: hand calculations, and conservation of events.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <vector>

#include "substrate/event_link.hpp"

namespace tessera::substrate {
namespace {

// Events of five steps: {0, 3} {1} {} {0, 1, 2} {4}.
const std::vector<std::uint32_t> kFirst = {0, 2, 3, 3, 6, 7};
const std::vector<std::uint16_t> kId = {0, 3, 1, 0, 1, 2, 4};

SentEvents five_steps() { return {5, kFirst.data(), kId.data(), nullptr, nullptr, nullptr}; }

struct Arrival {
  EventTable table;
  LinkCounts counts;
  [[nodiscard]] std::vector<std::uint16_t> step(std::uint32_t t) const {
    return {table.id.begin() + table.first[t], table.id.begin() + table.first[t + 1]};
  }
};

Arrival arrive(const EventLink& link, const SentEvents& sent) {
  Arrival a;
  std::vector<std::uint32_t> taken(sent.steps, 0);
  send(link, sent, taken.data(), a.table, a.counts);
  return a;
}

using Ids = std::vector<std::uint16_t>;

TEST(EventLink, APerfectOneChangesNothing) {
  const Arrival a = arrive({}, five_steps());
  EXPECT_EQ(a.table.first, kFirst);
  EXPECT_EQ(a.table.id, kId);
  EXPECT_EQ(a.counts.events, 7U);
  EXPECT_EQ(a.counts.dropped + a.counts.late, 0U);
}

// Ticks at 0 and 3: steps 0 -> 0, 1 and 3 -> 3, 4 -> 6, which is behind the end.
TEST(EventLink, RoundsUpToTheClock) {
  const Arrival a = arrive({3, 0, 0}, five_steps());
  EXPECT_EQ(a.step(0), (Ids{0, 3}));
  EXPECT_EQ(a.step(1), Ids{});
  EXPECT_EQ(a.step(3), (Ids{0, 1, 1, 2}));  // source 1 twice: of steps 1 and 3
  EXPECT_EQ(a.step(4), Ids{});
  EXPECT_EQ(a.counts.late, 1U);
}

TEST(EventLink, OneEventOfASourceInATick) {
  const Arrival a = arrive({3, 0, 1}, five_steps());
  EXPECT_EQ(a.step(3), (Ids{0, 1, 2}));
  EXPECT_EQ(a.counts.dropped, 1U);
}

// Two events a step: of {0, 1, 2} the last one is lost.
TEST(EventLink, DropsWhatComesLast) {
  const Arrival a = arrive({1, 2, 0}, five_steps());
  EXPECT_EQ(a.step(0), (Ids{0, 3}));
  EXPECT_EQ(a.step(3), (Ids{0, 1}));
  EXPECT_EQ(a.counts.dropped, 1U);
}

// The limit is the chip's: a second link finds what the first one left.
TEST(EventLink, LinksOfAChipShareItsBandwidth) {
  std::vector<std::uint32_t> taken(5, 0);
  Arrival one, other;
  send({1, 4, 0}, five_steps(), taken.data(), one.table, one.counts);
  send({1, 4, 0}, five_steps(), taken.data(), other.table, other.counts);
  EXPECT_EQ(one.counts.dropped, 0U);
  EXPECT_EQ(other.step(3), (Ids{0}));
  EXPECT_EQ(other.counts.dropped, 2U);
}

// The short way says what the long one does: nothing while there is room, and it leaves the rest to the long one.
TEST(EventLink, PassesWholeWhereThereIsRoom) {
  std::vector<std::uint32_t> taken(5, 1);
  LinkCounts counts;
  EXPECT_TRUE(passes_whole({1, 4, 0}, five_steps(), taken.data(), counts));
  EXPECT_EQ(taken, (std::vector<std::uint32_t>{3, 2, 1, 4, 2}));
  EXPECT_EQ(counts.events, 7U);
  EXPECT_FALSE(passes_whole({1, 4, 0}, five_steps(), taken.data(), counts));
  EXPECT_EQ(counts.events, 7U);
  EXPECT_EQ(taken[0], 3U);
  EXPECT_FALSE(passes_whole({2, 0, 0}, five_steps(), taken.data(), counts)) << "a slower clock";
}

TEST(EventLink, EventsOnTheChipTakeNoLinkAndNoClock) {
  const std::vector<bool> inside = {true, true, false, false, false};
  SentEvents sent = five_steps();
  sent.inside = &inside;
  const Arrival a = arrive({5, 1, 0}, sent);
  EXPECT_EQ(a.step(0), (Ids{0, 3}));
  EXPECT_EQ(a.step(1), (Ids{1}));
  EXPECT_EQ(a.step(3), (Ids{0, 1}));
  EXPECT_EQ(a.counts.events, 3U);  // sources 3, 2 and 4
  EXPECT_EQ(a.counts.late, 2U);
}

TEST(EventLink, OnlySourcesThatAreNeededAreSent) {
  const std::vector<bool> reaches = {false, true, false, false, true};
  SentEvents sent = five_steps();
  sent.reaches = &reaches;
  const Arrival a = arrive({}, sent);
  EXPECT_EQ(a.counts.events, 3U);
  EXPECT_EQ(a.step(3), (Ids{1}));
}

TEST(EventLink, EventsSlip) {
  const std::int32_t shift[] = {1, -1, 0, 0, 0, -2, 9};
  SentEvents sent = five_steps();
  sent.shift = shift;
  const Arrival a = arrive({}, sent);
  EXPECT_EQ(a.step(0), (Ids{3}));     // not before the beginning
  EXPECT_EQ(a.step(1), (Ids{0, 1, 2}));
  EXPECT_EQ(a.step(3), (Ids{0, 1}));
  EXPECT_EQ(a.counts.late, 1U);
}

// 125 clocks of 8 ns are a step of 1 us; one event a clock is 125 in a step, half an event 62.
TEST(EventLink, LimitsFollowFromTheClock) {
  MachineDescription::Events events;
  events.clock_ns = 8.0;
  events.in_per_clock = 1.0;
  events.out_per_clock = 0.5;
  const EventLinks fast = links_of(events, 1.0);
  EXPECT_EQ(fast.in.period, 1U);
  EXPECT_EQ(fast.in.most, 125U);
  EXPECT_EQ(fast.out.most, 62U);
  events.clock_ns = 1e6;  // 1 ms
  events.per_source_per_clock = 1.0;
  const EventLinks slow = links_of(events, 250.0);
  EXPECT_EQ(slow.in.period, 4U);
  EXPECT_EQ(slow.in.most, 1U);
  EXPECT_EQ(slow.in.per_source, 1U);
  EXPECT_TRUE(links_of({}, 1.0).in.is_perfect());
}

}  // namespace
}  // namespace tessera::substrate
