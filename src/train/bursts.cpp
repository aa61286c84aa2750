// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "train/bursts.hpp"

#include <cmath>
#include <vector>

namespace tessera::training {

double burst_strength(const BurstRegulariser& bursts, std::uint32_t epoch) {
  return bursts.strength * std::pow(bursts.epoch_factor, static_cast<double>(epoch));
}

void add_bursts(Worker& worker, double strength, std::uint32_t neurons, SpikeLists& lists) {
  worker.each(lists.recordings.size(), [&](std::size_t job) {
    Recording& r = lists.recordings[job];
    std::vector<std::uint32_t> count(neurons, 0);
    for (std::size_t b = 0; b + 1 < r.spikes.first.size(); ++b) {
      const std::size_t begin = r.spikes.first[b], end = r.spikes.first[b + 1];
      for (std::size_t e = begin; e < end; ++e) ++count[r.spikes.id[e]];
      for (Stream* stream : {&r.spikes, &r.others}) {
        for (std::size_t e = stream->first[b]; e < stream->first[b + 1]; ++e) {
          const std::uint32_t n = count[stream->id[e]];
          if (n > 0) stream->ds[e] += static_cast<float>(burst_slope(strength, lists.samples, neurons, n));
        }
      }
      for (std::size_t e = begin; e < end; ++e) count[r.spikes.id[e]] = 0;
    }
  });
}

}  // namespace tessera::training
