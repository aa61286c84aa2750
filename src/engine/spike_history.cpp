// The step loop outside of its loop: set-up, what was kept for observers, history for checkpoints.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "connectivity/in_flight.hpp"
#include "engine/step_loop.hpp"

namespace tessera {

StepLoop::StepLoop(std::vector<std::unique_ptr<Tile>>& tiles, const Placement& placement,
                   std::uint32_t exchange_steps, std::uint32_t max_delay_steps, std::uint32_t group_steps,
                   std::uint32_t neurons)
    : tiles_(&tiles), placement_(&placement), exchange_steps_(exchange_steps),
      history_steps_((max_delay_steps + group_steps) + 2 * exchange_steps),
      mask_(history_slots(history_steps_) - 1),
      tiles_of_worker_(static_cast<std::size_t>(placement.workers)), outbox_(tiles.size()),
      received_(tiles.size()), counters_(static_cast<std::size_t>(placement.workers)),
      spike_counts_(neurons, 0) {
  for (std::size_t t = 0; t < tiles.size(); ++t) {
    tiles_of_worker_[static_cast<std::size_t>(placement.tiles[t].worker)].push_back(t);
    outbox_[t].spikes.resize(mask_ + 1);
    received_[t].reserve(tiles.size());
  }
  if (placement.groups > 1) learn_reach();
}

/// A delivery group is sent the spikes of those neurons only that have a synapse on one of its tiles.
void StepLoop::learn_reach() {
  const auto groups = static_cast<std::size_t>(placement_->groups);
  reach_.assign(groups, std::vector<bool>(spike_counts_.size(), false));
  for (std::size_t t = 0; t < tiles_->size(); ++t) {
    std::vector<bool>& reached = reach_[static_cast<std::size_t>(placement_->tiles[t].group)];
    for (std::uint32_t neuron = 0; neuron < reached.size(); ++neuron) {
      if ((*tiles_)[t]->reaches(neuron)) reached[neuron] = true;
    }
  }
  for (Outbox& outbox : outbox_) {
    outbox.to_group.assign(groups, std::vector<std::vector<std::uint32_t>>(mask_ + 1));
  }
}

std::vector<Spike> StepLoop::take_spikes() {
  std::vector<Spike> spikes;
  for (Outbox& outbox : outbox_) {
    spikes.insert(spikes.end(), outbox.kept.begin(), outbox.kept.end());
    outbox.kept.clear();
  }
  std::sort(spikes.begin(), spikes.end(), [](const Spike& a, const Spike& b) {
    return a.step != b.step ? a.step < b.step : a.neuron < b.neuron;
  });
  return spikes;
}

std::vector<std::uint32_t> StepLoop::history(std::int64_t step) const {
  std::vector<std::uint32_t> neurons;
  for (const Outbox& outbox : outbox_) {
    const std::vector<std::uint32_t>& spikes = outbox.spikes[slot(step)];
    neurons.insert(neurons.end(), spikes.begin(), spikes.end());
  }
  std::sort(neurons.begin(), neurons.end());
  return neurons;
}

void StepLoop::restore(std::int64_t step, std::int64_t now, std::span<const std::uint32_t> neurons) {
  for (Outbox& outbox : outbox_) outbox.spikes[slot(step)].clear();
  outbox_.front().spikes[slot(step)].assign(neurons.begin(), neurons.end());
  const std::span<const std::uint32_t> all = outbox_.front().spikes[slot(step)];
  for (const auto& tile : *tiles_) tile->receive_again(step, now, {&all, 1});
}

}  // namespace tessera
