// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "substrate/event_link.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace tessera::substrate {
namespace {

constexpr std::uint32_t kNowhere = std::numeric_limits<std::uint32_t>::max();

// How many events of a source a tick has had.
class SourceTicks {
 public:
  explicit SourceTicks(std::uint32_t most) : most_(most) {}
  bool take(std::uint16_t source, std::uint32_t tick) {
    if (most_ == 0) return true;
    if (seen_.size() <= source) seen_.resize(std::size_t{source} + 1);
    Seen& seen = seen_[source];
    if (seen.tick != tick) seen = {tick, 0};
    return seen.n++ < most_;
  }

 private:
  struct Seen {
    std::uint32_t tick = kNowhere, n = 0;
  };
  std::uint32_t most_;
  std::vector<Seen> seen_;
};

std::uint32_t limit_of(double per_clock, double clocks) {
  if (per_clock <= 0.0) return 0;
  const double most = std::max(1.0, std::floor(per_clock * clocks * (1.0 + 1e-12)));
  return most < 4e9 ? static_cast<std::uint32_t>(most) : 0;
}

// Where every event arrives; kNowhere when it does not.
std::vector<std::uint32_t> arrivals(const EventLink& link, const SentEvents& sent, std::uint32_t* taken,
                                    LinkCounts& counts) {
  std::vector<std::uint32_t> at(sent.first[sent.steps] - sent.first[0], kNowhere);
  SourceTicks sources(link.per_source);
  for (std::uint32_t t = 0; t < sent.steps; ++t) {
    for (std::uint32_t e = sent.first[t]; e < sent.first[t + 1]; ++e) {
      const std::uint16_t source = sent.id[e];
      std::uint32_t& place = at[e - sent.first[0]];
      if (sent.reaches != nullptr && !(*sent.reaches)[source]) continue;
      if (sent.inside != nullptr && (*sent.inside)[source]) {
        place = t;
        continue;
      }
      ++counts.events;
      const std::int64_t slipped = std::int64_t{t} + (sent.shift != nullptr ? sent.shift[e - sent.first[0]] : 0);
      const auto step = static_cast<std::uint32_t>(std::clamp<std::int64_t>(slipped, 0, kNowhere / 2));
      const std::uint32_t tick = tick_at_or_after(step, link.period);
      if (tick >= sent.steps) {
        ++counts.late;
      } else if (!sources.take(source, tick) || (link.most > 0 && taken[tick] >= link.most)) {
        ++counts.dropped;
      } else {
        ++taken[tick];
        place = tick;
      }
    }
  }
  return at;
}

}  // namespace

EventLinks links_of(const MachineDescription::Events& events, double step_us) {
  EventLinks links;
  if (!(events.clock_ns > 0.0)) return links;
  const double clocks = step_us * 1e3 / events.clock_ns;
  const auto period = static_cast<std::uint32_t>(std::max(1.0, std::round(1.0 / clocks)));
  const double in_tick = std::max(1.0, clocks);
  const std::uint32_t per_source = limit_of(events.per_source_per_clock, in_tick);
  links.in = {period, limit_of(events.in_per_clock, in_tick), per_source};
  links.out = {period, limit_of(events.out_per_clock, in_tick), 0};
  return links;
}

bool passes_whole(const EventLink& link, const SentEvents& sent, std::uint32_t* taken, LinkCounts& counts) {
  // A source has at most one event in a step, so a limit of one and more per source cannot matter without a period.
  if (link.period > 1 || sent.shift != nullptr || sent.reaches != nullptr || sent.inside != nullptr) return false;
  for (std::uint32_t t = 0; link.most > 0 && t < sent.steps; ++t) {
    if (taken[t] + (sent.first[t + 1] - sent.first[t]) > link.most) return false;
  }
  for (std::uint32_t t = 0; t < sent.steps; ++t) taken[t] += sent.first[t + 1] - sent.first[t];
  counts.events += sent.first[sent.steps] - sent.first[0];
  return true;
}

void send(const EventLink& link, const SentEvents& sent, std::uint32_t* taken, EventTable& arrived,
          LinkCounts& counts) {
  const std::vector<std::uint32_t> at = arrivals(link, sent, taken, counts);
  arrived.first.assign(std::size_t{sent.steps} + 2, 0);
  for (const std::uint32_t step : at) {
    if (step != kNowhere) ++arrived.first[step + 2];
  }
  for (std::uint32_t t = 2; t < arrived.first.size(); ++t) arrived.first[t] += arrived.first[t - 1];
  arrived.id.resize(arrived.first.back());
  for (std::size_t e = 0; e < at.size(); ++e) {
    if (at[e] != kNowhere) arrived.id[arrived.first[at[e] + 1]++] = sent.id[sent.first[0] + e];
  }
  arrived.first.pop_back();
  for (std::uint32_t t = 0; t < sent.steps; ++t) {
    const auto begin = arrived.id.begin() + arrived.first[t], end = arrived.id.begin() + arrived.first[t + 1];
    if (!std::is_sorted(begin, end)) std::sort(begin, end);  // only where events of several steps have met
  }
}

}  // namespace tessera::substrate
