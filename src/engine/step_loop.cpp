// THE loop. Everything a simulation does while time passes happens in advance_worker().
//
// Order inside a tile, step t -> t+1:
//   deliver  adds what is due at t to ring slot t (and to the rest of the ring behind it);
//   update   consumes and clears slot t, advances the neurons, collects who crossed the threshold;
//   send     writes those spikes into the tile's outbox, one list per delivery group.
// Before step 0, spikes at time 0 are sent and received as those of step -1.
// Every `exchange_steps` steps all workers meet once; then every tile receives the new lists.
// Why one meeting is enough:
// 1. A spike of step e with delay d is due in slot e + d. With a ring of G slots (4 to 32), its delay
//    group g = (d - 1) / G is delivered at e + 1 + G g <= e + d, so it is never late for its slot, and at
//    most G - 1 slots early, so the ring has no two times in one slot.
// 2. exchange_steps = 1 + G * ((shortest delay - 1) / G): the first group that a spike can have is due
//    at e + exchange_steps or later, and that is after the meeting that follows step e.
// 3. A tile writes only its own state and its own outbox. Outbox slots hold longer history than any
//    tile still reads, and a slot written in one interval is read by others only after the meeting, so
//    nobody reads what is being written.
// 4. Over ranks, D being the shortest delay between two ranks: the same argument, with D in place of the
//    shortest delay. Ranks meet at the last meeting of their threads that is not later than step
//    1 + G * ((D - 1) / G) after the first step whose spikes were not sent, and at the end (rank_meeting.cpp).
// Sums are integers and every draw is keyed by what it is for, so the order of lists and the number of
// workers change nothing. Nothing here throws between meetings but on exhausted memory.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <utility>

#include "base/flush_subnormals.hpp"
#include "connectivity/in_flight.hpp"
#include "engine/step_loop.hpp"

namespace tessera {

std::uint64_t spike_hash(std::uint32_t step, std::uint32_t neuron) noexcept {
  std::uint64_t x = (static_cast<std::uint64_t>(step) << 32 | neuron) + 0x9E3779B97F4A7C15ull;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
  return x ^ (x >> 31);
}

void StepLoop::advance(ThreadTeam& team, std::int64_t from, std::int64_t to) {
  team.run([&](int worker) { advance_worker(team, worker, from, to); });
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
  if (damaged_.exchange(false)) {
    throw CommunicationError("A list of spikes from another rank arrived damaged.", "exchange", -1);
  }
}

void StepLoop::advance_worker(ThreadTeam& team, int worker, std::int64_t from, std::int64_t to) {
  const auto w = static_cast<std::size_t>(worker);
  const FlushSubnormals flush_subnormals;
  Counters counters;  // on this worker's stack while the loop runs: no line is shared
  const auto seconds = [](Clock::time_point a, Clock::time_point b) {
    return std::chrono::duration<double>(b - a).count();
  };
  std::int64_t unsent = from;  // the first step whose spikes other ranks have not got
  if (from == 0 && !begun_ && !begin_worker(team, w, counters)) return;
  for (std::int64_t begin = from; begin < to; begin += exchange_steps_) {
    const std::int64_t end = std::min(begin + exchange_steps_, to);
    for (const std::size_t t : tiles_of_worker_[w]) {
      Tile& tile = *(*tiles_)[t];
      for (std::int64_t step = begin; step < end; ++step) {
        const auto start = Clock::now();
        tile.deliver(step);
        const auto delivered = Clock::now();
        std::vector<std::uint32_t>& spikes = outbox_[t].spikes[slot(step)];
        spikes.clear();
        tile.update(step, spikes);
        const auto updated = Clock::now();
        send(t, step, counters);
        sample(t, step);
        counters.phases.deliver += seconds(start, delivered);
        counters.phases.update += seconds(delivered, updated);
        counters.phases.record += seconds(updated, Clock::now());
      }
    }
    const auto arrived = Clock::now();
    team.barrier();
    const auto met = Clock::now();
    counters.phases.wait += seconds(arrived, met);
    if (meetings_.ranks == nullptr) {
      receive(w, begin, end);
    } else if (!meet_ranks(team, w, {begin, end, end == to}, unsent, counters)) {
      return;
    }
    counters.phases.exchange += seconds(met, Clock::now());
  }
  Counters& total = counters_[w];
  total.digest += counters.digest;
  total.spikes += counters.spikes;
  total.messages += counters.messages;
  total.message_bytes += counters.message_bytes;
  total.phases.deliver += counters.phases.deliver;
  total.phases.update += counters.phases.update;
  total.phases.wait += counters.phases.wait;
  total.phases.exchange += counters.phases.exchange;
  total.phases.record += counters.phases.record;
}

/// Spikes at time 0 end the step before the first one; they are exchanged like those of any step.
bool StepLoop::begin_worker(ThreadTeam& team, std::size_t worker, Counters& counters) {
  for (const std::size_t t : tiles_of_worker_[worker]) {
    std::vector<std::uint32_t>& spikes = outbox_[t].spikes[slot(kFirstSpikeStep)];
    spikes.clear();
    (*tiles_)[t]->begin(spikes);
    send(t, kFirstSpikeStep, counters);
  }
  team.barrier();
  std::int64_t unsent = kFirstSpikeStep;
  if (meetings_.ranks != nullptr) return meet_ranks(team, worker, {unsent, unsent + 1, true}, unsent, counters);
  receive(worker, unsent, unsent + 1);
  return true;
}

void StepLoop::send(std::size_t tile, std::int64_t step, Counters& counters) {
  Outbox& outbox = outbox_[tile];
  const std::vector<std::uint32_t>& spikes = outbox.spikes[slot(step)];
  const auto stamp = static_cast<std::uint32_t>(step + 1);
  for (const std::uint32_t neuron : spikes) {
    counters.digest += spike_hash(stamp, neuron);
    ++spike_counts_[outbox.numbers.number_of(neuron)];
    if (keep_spikes_) outbox.kept.push_back({stamp, neuron});
  }
  counters.spikes += spikes.size();
  for (std::size_t g = 0; g < outbox.to_group.size(); ++g) {
    std::vector<std::uint32_t>& chosen = outbox.to_group[g][slot(step)];
    chosen.clear();
    for (const std::uint32_t neuron : spikes) {
      if (reach_[g][outbox.numbers.number_of(neuron)]) chosen.push_back(neuron);
    }
  }
  const std::size_t groups = static_cast<std::size_t>(placement_->groups);
  for (std::size_t g = 0; g < groups; ++g) {
    const std::size_t n = list(tile, g, step).size();
    counters.messages += n > 0 ? 1 : 0;
    counters.message_bytes += n * sizeof(std::uint32_t);
  }
}

std::span<const std::uint32_t> StepLoop::list(std::size_t from_tile, std::size_t group,
                                              std::int64_t step) const {
  const Outbox& outbox = outbox_[from_tile];
  return outbox.to_group.empty() ? outbox.spikes[slot(step)] : outbox.to_group[group][slot(step)];
}

/// Takes in what the tiles of this rank have sent.
void StepLoop::receive(std::size_t worker, std::int64_t begin, std::int64_t end) {
  for (const std::size_t t : tiles_of_worker_[worker]) {
    for (std::int64_t step = begin; step < end; ++step) (*tiles_)[t]->receive(step, lists_for(t, step));
  }
}

std::vector<std::span<const std::uint32_t>>& StepLoop::lists_for(std::size_t tile, std::int64_t step) {
  const auto group = static_cast<std::size_t>(placement_->tiles[tile].group);
  std::vector<std::span<const std::uint32_t>>& lists = received_[tile];
  lists.clear();
  for (std::size_t from = 0; from < outbox_.size(); ++from) {
    const auto spikes = list(from, group, step);
    if (!spikes.empty()) lists.push_back(spikes);
  }
  return lists;
}

void StepLoop::sample(std::size_t tile, std::int64_t step) {
  for (SampleBuffer& buffer : samples_) {
    if ((step + 1) % buffer.interval != 0) continue;
    const auto row = static_cast<std::size_t>((step + 1 - buffer.first_step) / buffer.interval);
    double* values = buffer.values.data() + row * buffer.columns;
    for (const SampleBuffer::Part& part : buffer.parts) {
      if (part.tile == tile) (*tiles_)[tile]->read_state(part.chunk, buffer.variable, part.count, values + part.column);
    }
  }
}

}  // namespace tessera
