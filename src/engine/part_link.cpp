// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "engine/part_link.hpp"

#include <algorithm>

namespace tessera {

/// Spikes at time 0 end step -1, and ticks count from there.
std::int64_t PartLink::tick_of(std::int64_t step) const {
  return static_cast<std::int64_t>(substrate::tick_at_or_after(static_cast<std::uint32_t>(step + 1), link_.period)) - 1;
}

bool PartLink::has_room(std::uint32_t neuron, std::int64_t tick) {
  if (link_.per_source > 0) {
    Seen& seen = seen_[neuron];
    if (seen.tick != tick) seen = {tick, 0};
    if (seen.events++ >= link_.per_source) return false;
  }
  if (link_.most == 0) return true;
  std::uint32_t& taken = taken_[tick];
  return taken < link_.most && ++taken > 0;
}

void PartLink::take(std::int64_t step, std::span<const SentSpike> spikes, std::span<const std::uint32_t> slips) {
  for (std::size_t i = 0; i < spikes.size(); ++i) {
    substrate::LinkCounts& counts = counts_[spikes[i].from];
    ++counts.events;
    const std::int64_t tick = tick_of(step + (slips.empty() ? 0 : slips[i]));
    if (tick >= steps_) {
      ++counts.late;
    } else if (!has_room(spikes[i].neuron, tick)) {
      ++counts.dropped;
    } else {
      on_the_way_[tick].push_back(spikes[i].neuron);
    }
  }
}

std::vector<std::uint32_t> PartLink::arrived(std::int64_t step) {
  taken_.erase(taken_.begin(), taken_.upper_bound(step));
  const auto found = on_the_way_.find(step);
  if (found == on_the_way_.end()) return {};
  std::vector<std::uint32_t> neurons = std::move(found->second);
  on_the_way_.erase(found);
  std::sort(neurons.begin(), neurons.end());
  return neurons;
}

void OutLink::limit(std::vector<Spike>& spikes) {
  if (link_.most == 0) return;
  const auto stays = [this](const Spike& spike) {
    const std::uint32_t tick = substrate::tick_at_or_after(spike.step, link_.period);
    if (tick != tick_) {
      tick_ = tick;
      taken_ = 0;
    }
    if (taken_ < link_.most) {
      ++taken_;
      return false;
    }
    ++dropped_;
    return true;
  };
  spikes.erase(std::remove_if(spikes.begin(), spikes.end(), stays), spikes.end());
}

}  // namespace tessera
