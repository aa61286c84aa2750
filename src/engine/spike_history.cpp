// The step loop outside of its loop: set-up, what was kept for observers, history for checkpoints.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iterator>

#include "connectivity/in_flight.hpp"
#include "engine/step_loop.hpp"

namespace tessera {

StepLoop::StepLoop(std::vector<std::unique_ptr<Tile>>& tiles, const Placement& placement, Meetings meetings,
                   std::uint32_t max_delay_steps, std::uint32_t group_steps, const AllNeurons& neurons)
    : tiles_(&tiles), placement_(&placement), meetings_(std::move(meetings)), own_(neurons.of(placement.rank)),
      exchange_steps_(meetings_.local_interval),
      history_steps_((max_delay_steps + group_steps) + 2 * meetings_.local_interval),
      mask_(history_slots(history_steps_) - 1),
      tiles_of_worker_(static_cast<std::size_t>(placement.workers)),
      received_(tiles.size()), counters_(static_cast<std::size_t>(placement.workers)),
      spike_counts_(own_.size(), 0),
      remote_(neurons, meetings_.ranks ? placement.workers : 0, meetings_.remote_interval) {
  for (std::size_t t = 0; t < tiles.size(); ++t) {
    tiles_of_worker_[static_cast<std::size_t>(placement.tiles[t].worker)].push_back(t);
    outbox_.push_back({std::vector<std::vector<std::uint32_t>>(mask_ + 1), {}, {}, NeuronRanges::Cursor(own_)});
    received_[t].reserve(tiles.size() + static_cast<std::size_t>(placement.workers));
  }
  if (placement.groups > 1) learn_reach();
}

/// A delivery group is sent the spikes of those neurons only that have a synapse on one of its tiles.
void StepLoop::learn_reach() {
  const auto groups = static_cast<std::size_t>(placement_->groups);
  reach_.assign(groups, std::vector<bool>(own_.size(), false));
  for (std::size_t t = 0; t < tiles_->size(); ++t) {
    std::vector<bool>& reached = reach_[static_cast<std::size_t>(placement_->tiles[t].group)];
    for (const NeuronRange& range : own_.ranges()) {
      for (std::uint32_t i = 0; i < range.size; ++i) {
        if ((*tiles_)[t]->reaches(range.first + i)) reached[range.number + i] = true;
      }
    }
  }
  for (Outbox& outbox : outbox_) {
    outbox.to_group.assign(groups, std::vector<std::vector<std::uint32_t>>(mask_ + 1));
  }
}

void StepLoop::take_in(const Counters& counters, std::span<const Spike> spikes) {
  counters_.front().digest += counters.digest;
  counters_.front().spikes += counters.spikes;
  outbox_.front().kept.insert(outbox_.front().kept.end(), spikes.begin(), spikes.end());
}

namespace {

/// Sorts by step, then neuron. Spikes of a slice are many and its steps few: they are dealt out to their
/// steps, and a step's few are compared.
void sort_spikes(std::vector<Spike>& spikes) {
  if (spikes.empty()) return;
  const auto by_step = [](const Spike& a, const Spike& b) { return a.step < b.step; };
  const auto [first, last] = std::minmax_element(spikes.begin(), spikes.end(), by_step);
  const std::uint32_t begin = first->step, steps = last->step - begin + 1;
  if (steps / 4 > spikes.size()) {
    std::sort(spikes.begin(), spikes.end(), [](const Spike& a, const Spike& b) {
      return a.step != b.step ? a.step < b.step : a.neuron < b.neuron;
    });
    return;
  }
  std::vector<std::size_t> at(steps + 1, 0);
  for (const Spike& spike : spikes) ++at[spike.step - begin + 1];
  for (std::size_t s = 1; s <= steps; ++s) at[s] += at[s - 1];
  std::vector<Spike> sorted(spikes.size());
  for (const Spike& spike : spikes) sorted[at[spike.step - begin]++] = spike;  // at[s] becomes where step s ends
  std::size_t from = 0;
  for (std::size_t s = 0; s < steps; from = at[s++]) {
    std::sort(sorted.begin() + static_cast<std::ptrdiff_t>(from), sorted.begin() + static_cast<std::ptrdiff_t>(at[s]),
              [](const Spike& a, const Spike& b) { return a.neuron < b.neuron; });
  }
  spikes.swap(sorted);
}

}  // namespace

std::vector<Spike> StepLoop::take_spikes() {
  std::vector<Spike> spikes;
  for (Outbox& outbox : outbox_) {
    spikes.insert(spikes.end(), outbox.kept.begin(), outbox.kept.end());
    outbox.kept.clear();
  }
  sort_spikes(spikes);
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
  if (outbox_.empty()) return;  // a rank without neurons
  std::vector<std::uint32_t>& own = outbox_.front().spikes[slot(step)];
  std::copy_if(neurons.begin(), neurons.end(), std::back_inserter(own), [this](std::uint32_t id) { return own_.has(id); });
  for (const auto& tile : *tiles_) tile->receive_again(step, now, {&neurons, 1});
}

void StepLoop::begin(ThreadTeam& team) {
  team.run([&](int worker) {
    Counters counters;
    const bool whole = begin_worker(team, static_cast<std::size_t>(worker), counters);
    Counters& total = counters_[static_cast<std::size_t>(worker)];
    total.digest += counters.digest;
    total.spikes += whole ? counters.spikes : 0;
    total.messages += counters.messages;
    total.message_bytes += counters.message_bytes;
  });
  begun_ = true;
}

void StepLoop::play_back(ThreadTeam& team, std::int64_t begin, std::span<const std::span<const std::uint32_t>> spikes) {
  team.run([&](int worker) {
    for (const std::size_t t : tiles_of_worker_[static_cast<std::size_t>(worker)]) {
      for (std::size_t i = 0; i < spikes.size(); ++i) {
        if (!spikes[i].empty()) (*tiles_)[t]->receive_more(begin + static_cast<std::int64_t>(i), {&spikes[i], 1});
      }
    }
  });
}

void StepLoop::settle() {
  if (meetings_.ranks == nullptr) return;
  meetings_.ranks->settle();
  remote_.settle();
}

}  // namespace tessera
