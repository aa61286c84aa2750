// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "connectivity/modulator.hpp"

#include <algorithm>
#include <cmath>

#include "connectivity/saved_columns.hpp"

namespace tessera {
namespace {

bool later(std::int32_t time, const ModulatorEvent& event) { return time < event.time; }

}  // namespace

Modulator::Modulator(Source source, double dt_ms) : source_(source), dt_ms_(dt_ms) {}

double Modulator::faded(double level, std::int32_t steps) const { return level * std::exp(-steps * dt_ms_ / source_.tau_ms); }

void Modulator::add(std::int32_t time) {
  time += source_.delay;
  auto at = coming_.end();  // spikes come nearly in order
  while (at != coming_.begin() && (at - 1)->time > time) --at;
  if (at != coming_.begin() && (at - 1)->time == time) {
    ++(at - 1)->spikes;
  } else {
    coming_.insert(at, {time, 1});
  }
}

void Modulator::advance(std::int32_t now) {
  auto at = coming_.begin();
  for (; at != coming_.end() && at->time <= now; ++at) {
    const double before = events_.empty() ? 0.0 : faded(events_.back().level, at->time - events_.back().time);
    events_.push_back({at->time, before + at->spikes / source_.tau_ms});
  }
  coming_.erase(coming_.begin(), at);
}

void Modulator::need_after(std::int32_t time) {
  auto first = std::upper_bound(events_.begin(), events_.end(), time, later);
  if (first != events_.begin()) --first;  // what is left of it decays on
  events_.erase(events_.begin(), first);
}

Modulator::Window Modulator::window(std::int32_t seen, std::int32_t now) const {
  const auto first = std::upper_bound(events_.begin(), events_.end(), seen, later);
  const auto end = std::upper_bound(first, events_.end(), now, later);
  Window window;
  window.events = {first, end};
  if (first != events_.begin()) window.level = faded((first - 1)->level, seen - (first - 1)->time);
  return window;
}

std::size_t Modulator::bytes() const { return events_.capacity() * sizeof(ModulatorEvent) + coming_.capacity() * sizeof(Coming); }

std::size_t Modulator::saved_bytes() const {
  return 2 * sizeof(std::uint64_t) + events_.size() * (sizeof(std::int32_t) + sizeof(double)) + coming_.size() * sizeof(Coming);
}

void Modulator::save(std::vector<std::uint8_t>& bytes) const {
  const std::uint64_t sizes[] = {events_.size(), coming_.size()};
  put_column(bytes, sizes, 2);
  for (const ModulatorEvent& event : events_) {  // member by member: no padding
    put_column(bytes, &event.time, 1);
    put_column(bytes, &event.level, 1);
  }
  put_column(bytes, coming_.data(), coming_.size());
}

bool Modulator::load(std::span<const std::uint8_t>& bytes) {
  std::uint64_t sizes[2] = {0, 0};
  if (!take_column(bytes, sizes, 2)) return false;
  if (sizes[0] > bytes.size() / (sizeof(std::int32_t) + sizeof(double)) || sizes[1] > bytes.size() / sizeof(Coming)) return false;
  events_.assign(sizes[0], {});
  for (ModulatorEvent& event : events_) {
    if (!take_column(bytes, &event.time, 1) || !take_column(bytes, &event.level, 1)) return false;
  }
  coming_.assign(sizes[1], {});
  if (!take_column(bytes, coming_.data(), coming_.size())) return false;
  const auto ascending = [](const auto& list) {
    return std::is_sorted(list.begin(), list.end(), [](const auto& a, const auto& b) { return a.time < b.time; });
  };
  return ascending(events_) && ascending(coming_);
}

}  // namespace tessera
