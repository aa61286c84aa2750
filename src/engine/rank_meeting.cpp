// The step loop over ranks: what its threads do at a meeting when there are other ranks. Worker 0, the thread
// that called run(), is the only one that talks to them; it packs and sends first, so that messages travel while
// all workers take in the lists of their own rank.
//
// Nothing may be thrown between barriers: a failure of worker 0 is kept, and all workers leave the loop.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "engine/step_loop.hpp"

namespace tessera {

/// Called after the workers have met. False: the loop ends because of a failure.
bool StepLoop::meet_ranks(ThreadTeam& team, std::size_t worker, Interval interval, std::int64_t& unsent,
                          Counters& counters) {
  const std::int64_t next = interval.end + meetings_.local_interval;
  const bool due = interval.last || next - unsent > meetings_.remote_interval;
  if (due && worker == 0) send_to_ranks(unsent, interval.end);
  if (!meetings_.in_order) receive(worker, interval.begin, interval.end);
  if (!due) return true;
  if (worker == 0) {
    const auto start = Clock::now();
    wait_for_ranks();
    const double waited = std::chrono::duration<double>(Clock::now() - start).count();
    counters.phases.wait += waited;
    counters.phases.exchange -= waited;  // the caller adds the whole meeting
  }
  team.barrier();
  if (failure_) return false;
  const auto steps = static_cast<std::uint64_t>(interval.end - unsent);
  if (!remote_.unpack(static_cast<int>(worker), steps, meetings_.ranks->arrived())) damaged_ = true;
  team.barrier();
  if (damaged_) return false;
  receive_from_ranks(worker, unsent, interval.end);
  unsent = interval.end;
  return true;
}

void StepLoop::send_to_ranks(std::int64_t begin, std::int64_t end) {
  try {
    RankExchange& ranks = *meetings_.ranks;
    ranks.enter(begin);
    ranks.begin();
    for (std::int64_t step = begin; step < end; ++step) {
      for (const Outbox& outbox : outbox_) ranks.put(static_cast<std::uint64_t>(step - begin), outbox.spikes[slot(step)]);
    }
    ranks.start();
  } catch (...) {
    failure_ = std::current_exception();
  }
}

void StepLoop::wait_for_ranks() {
  if (failure_) return;
  try {
    meetings_.ranks->finish();
  } catch (...) {
    failure_ = std::current_exception();
  }
}

void StepLoop::receive_from_ranks(std::size_t worker, std::int64_t begin, std::int64_t end) {
  for (const std::size_t t : tiles_of_worker_[worker]) {
    for (std::int64_t step = begin; step < end; ++step) {
      std::vector<std::span<const std::uint32_t>>& lists = meetings_.in_order ? lists_for(t, step) : received_[t];
      if (!meetings_.in_order) lists.clear();
      remote_.add_lists(static_cast<std::uint64_t>(step - begin), lists);
      if (meetings_.in_order) {
        (*tiles_)[t]->receive(step, lists);
      } else if (!lists.empty()) {
        (*tiles_)[t]->receive_more(step, lists);
      }
    }
  }
}

}  // namespace tessera
