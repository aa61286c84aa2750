// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "engine/device_sources.hpp"

#include <algorithm>

#include "connectivity/in_flight.hpp"

namespace tessera {

DeviceSources::DeviceSources(const TileContext& context, ThreadTeam& team) : team_(&team), first_(kFirstSpikeStep) {
  const Network& network = context.wiring->network();
  const std::vector<Chunk>& chunks = context.wiring->chunks();
  for (std::uint32_t c = 0; c < chunks.size(); ++c) {
    if (network.populations[chunks[c].population].kind == Population::Kind::neurons) continue;
    sources_.emplace_back(network, chunks[c], c, context.first_id[chunks[c].population] + chunks[c].begin, context.wiring->key());
  }
}

void DeviceSources::draw_until(std::int64_t to) {
  const std::int64_t from = first_ + static_cast<std::int64_t>(steps_.size());
  if (to <= from || sources_.empty()) return;
  struct Drawn {
    std::vector<std::uint32_t> ids;
    std::vector<std::size_t> ends;  ///< of steps
  };
  std::vector<Drawn> drawn(sources_.size());
  team_->run([&](int worker) {
    for (auto s = static_cast<std::size_t>(worker); s < sources_.size(); s += static_cast<std::size_t>(team_->size())) {
      for (std::int64_t step = from; step < to; ++step) {
        sources_[s].emit(step, drawn[s].ids);
        drawn[s].ends.push_back(drawn[s].ids.size());
      }
    }
  });
  for (std::size_t k = 0; k < static_cast<std::size_t>(to - from); ++k) {
    std::vector<std::uint32_t>& step = steps_.emplace_back();
    for (const Drawn& of : drawn) {
      const auto at = [&of](std::size_t i) { return of.ids.begin() + static_cast<std::ptrdiff_t>(i); };
      step.insert(step.end(), at(k == 0 ? 0 : of.ends[k - 1]), at(of.ends[k]));
    }
  }
}

const std::vector<std::uint32_t>& DeviceSources::of(std::int64_t step) const {
  const std::int64_t k = step - first_;
  return k < 0 || k >= static_cast<std::int64_t>(steps_.size()) ? none_ : steps_[static_cast<std::size_t>(k)];
}

void DeviceSources::forget_before(std::int64_t step) {
  while (first_ < step && !steps_.empty()) {
    steps_.pop_front();
    ++first_;
  }
}

void DeviceSources::restart(std::int64_t now) {
  steps_.clear();
  first_ = now == 0 ? kFirstSpikeStep : now;
}

}  // namespace tessera
