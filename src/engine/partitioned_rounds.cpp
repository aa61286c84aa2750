// What is executed when, by which threads. Runs of a round are on different chips: here they are in memory together, and
// as many of them as there are threads run at one time, each with threads of its own. So do those of a turn in lock-step,
// which need of each other what was spiked before it. Who runs a part is nothing that its spikes depend on.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <cmath>

#include "engine/partitioned_impl.hpp"
#include "tessera/errors.hpp"

namespace tessera {
namespace {

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

std::int64_t whole_steps(double time_ms, double dt_ms) {
  const double steps = std::round(time_ms / dt_ms);
  if (!(steps >= 0.0 && steps < 4294967295.0) || std::abs(steps * dt_ms - time_ms) > 1e-6 * dt_ms + 1e-9 * time_ms) {
    throw InputError("The model time of a run must be a multiple of dt (" + std::to_string(dt_ms) +
                     " ms), not negative, and have at most 4,294,967,294 steps; it is " + std::to_string(time_ms) + " ms.");
  }
  return static_cast<std::int64_t>(steps);
}

}  // namespace

void PartitionedSimulation::Impl::make_lanes() {
  const auto threads = static_cast<std::size_t>(team->size());
  const std::size_t most = std::min<std::size_t>({options.partition.chips, threads, options.partition.runs.size()});
  if (most < 2) return;
  lanes = std::make_unique<ThreadTeam>(static_cast<int>(most));
  for (std::size_t lane = 0; lane < most; ++lane) lane_teams.push_back(std::make_unique<ThreadTeam>(static_cast<int>(threads / most)));
}

/// Whether a run that needs no other one of the wave can be in memory with it.
bool PartitionedSimulation::Impl::fits_beside(const Wave& wave, const Group& group) const {
  if (lane_teams.empty() || wave.parts.size() >= lane_teams.size()) return false;
  const Part &last = parts[wave.parts.back()], &next = parts[group.parts.front()];
  if (groups[wave.groups.back()].parts.size() > 1 || group.parts.size() > 1 || last.run == 0) return false;
  const PartitionRun &before = options.partition.runs[last.run - 1], &run = options.partition.runs[next.run - 1];
  if (run.round != before.round || run.chip <= before.chip) return false;
  if (context.connectivity != Connectivity::stored || memory_limit() == 0) return true;
  std::uint64_t rows = expected_bytes(next);
  for (const std::uint32_t p : wave.parts) rows += expected_bytes(parts[p]);
  return rows <= memory_limit() / 2;
}

/// Lanes without a part would leave their threads idle: where half of them would, one part at a time has all threads. Rows
/// that leave memory do so one part after the other.
std::size_t PartitionedSimulation::Impl::lanes_for(const Wave& wave) const {
  const std::size_t all = lane_teams.size(), used = std::min(all, wave.parts.size());
  return 2 * used > all && !rows_leave_memory(groups[wave.groups.front()]) ? used : 1;
}

/// Groups in their order; with several chips, those that follow each other in one round together.
void PartitionedSimulation::Impl::make_waves() {
  for (std::uint32_t g = 0; g < groups.size();) {
    Wave wave{{g}, groups[g].parts, 1};
    for (std::uint32_t next = g + 1; next < groups.size() && fits_beside(wave, groups[next]); ++next) {
      wave.groups.push_back(next);
      wave.parts.push_back(groups[next].parts.front());
    }
    wave.lanes = lanes_for(wave);
    if (wave.lanes == 1) wave = {{g}, groups[g].parts, 1};
    g += static_cast<std::uint32_t>(wave.groups.size());
    for (const std::uint32_t p : wave.parts) parts[p].beside = wave.groups.size() > 1 ? g : 0;
    waves.push_back(std::move(wave));
  }
}

/// work(i) for every part of the wave, in its lane.
void PartitionedSimulation::Impl::each_part(const Wave& wave, const std::function<void(std::size_t)>& work) {
  if (wave.lanes == 1) {
    for (std::size_t i = 0; i < wave.parts.size(); ++i) work(i);
    return;
  }
  lanes->run([&](int lane) {
    for (auto i = static_cast<std::size_t>(lane); i < wave.parts.size(); i += wave.lanes) work(i);
  });
}

void PartitionedSimulation::Impl::build(Wave& wave) {
  const auto start = Clock::now();
  for (const std::uint32_t g : wave.groups) {
    if (rows_leave_memory(groups[g])) groups[g].parked = std::make_unique<ScratchFile>(options.scratch_folder);
  }
  ScratchFile* const parked = groups[wave.groups.front()].parked.get();
  each_part(wave, [&](std::size_t i) {
    Part& part = parts[wave.parts[i]];
    std::unique_ptr<ChipCircuits> circuits;
    if (part.run > 0 && circuits_differ(options.machine)) {
      circuits = std::make_unique<ChipCircuits>(network, models, context.kernels, options, options.partition.runs[part.run - 1]);
    }
    part.here = std::make_unique<ChipPart>(context, part.chunks, static_cast<int>(wave.parts[i]), std::move(circuits),
                                           team_of(wave, i % wave.lanes));
    part.traces = part.here->make_traces();
    if (part.run > 0 && (!event_links.in.is_perfect() || !event_noise.empty())) part.link.emplace(event_links.in, end, parts.size());
    if (part.run > 0 && event_links.out.most > 0) part.out.emplace(event_links.out);
    part.reached_by = part.here->reached_by(part.link.has_value());
    part.memory = part.here->memory();
    if (parked != nullptr) part.here->park(*parked);
  });
  check_order(wave);
  construction_seconds += seconds_since(start);
}

/// No part may need one that has not run when it does. Where rows are drawn when they are needed, nobody knows.
void PartitionedSimulation::Impl::check_order(Wave& wave) const {
  if (context.connectivity != Connectivity::stored) return;
  const auto all = static_cast<std::uint32_t>(neurons->total());
  std::vector<bool> runs_later(all, true);
  const auto mark = [&](std::uint32_t p) {
    for (const NeuronRange& range : neurons->of(static_cast<int>(p)).ranges()) {
      std::fill_n(runs_later.begin() + range.first, range.size, false);
    }
  };
  for (std::uint32_t g = 0; g < wave.groups.front(); ++g) std::for_each(groups[g].parts.begin(), groups[g].parts.end(), mark);
  for (const std::uint32_t g : wave.groups) {
    std::for_each(groups[g].parts.begin(), groups[g].parts.end(), mark);
    for (const std::uint32_t p : groups[g].parts) {
      for (std::uint32_t i = 0; i < all; ++i) {
        if (!parts[p].reached_by[i] || !runs_later[i]) continue;
        throw InputError("Run " + std::to_string(parts[p].run) + " of the partition needs the spikes of a later run, with which it "
                         "is not in lock-step.");
      }
    }
  }
}

/// False: the observer wants to stop. Threads share a turn's parts, and read the spikes that others had before it; what they
/// leave is taken in the order of the parts.
bool PartitionedSimulation::Impl::run_wave(const Wave& wave, RunObserver& observer) {
  std::int64_t turn = rate_window();
  for (const std::uint32_t g : wave.groups) turn = std::min(turn, groups[g].turn_steps);
  Group& first = groups[wave.groups.front()];
  std::vector<std::vector<Spike>> spikes(wave.parts.size());
  for (std::int64_t from = 0; from < end; from += turn) {
    const std::int64_t to = std::min(from + turn, end);
    each_part(wave, [&](std::size_t i) {
      Part& part = parts[wave.parts[i]];
      if (first.parked) part.here->unpark(*first.parked);
      play_back(part, from);
      spikes[i] = part.here->advance(from, to, part.traces);
      if (first.parked) part.here->park(*first.parked);
    });
    for (std::size_t i = 0; i < wave.parts.size(); ++i) {
      Part& part = parts[wave.parts[i]];
      if (part.out) part.out->limit(spikes[i]);
      part.log.append(spikes[i], to);
      check_activity(part, to);
    }
    first.turns += first.parts.size() > 1 ? first.parts.size() : 0;
    if (wants_to_stop(observer, (to - from) * static_cast<std::int64_t>(wave.parts.size()))) return false;
  }
  for (const std::uint32_t p : wave.parts) count_rest(parts[p]);
  return true;
}

/// The step that all parts have reached.
std::int64_t PartitionedSimulation::Impl::reached() const {
  std::int64_t step = end;
  for (const Part& part : parts) step = std::min(step, std::max<std::int64_t>(0, part.log.end()));
  return step;
}

void PartitionedSimulation::Impl::run(double time_ms, RunObserver& observer) {
  if (end > 0) throw InputError("The parts of a network run once, from the beginning to the end.");
  end = whole_steps(time_ms, network.dt_ms);
  const auto start = Clock::now();
  last_asked = std::chrono::duration<double>(start.time_since_epoch()).count();
  bool goes_on = end > 0 && !observer.stop_requested();
  for (Wave& wave : waves) {
    if (!goes_on) break;
    build(wave);
    try {
      goes_on = run_wave(wave, observer);
    } catch (const ActivityError&) {
      put_away(wave);
      hand_out(reached(), observer);
      throw;
    }
    put_away(wave);
  }
  hand_out(reached(), observer);
  run_seconds = seconds_since(start) - construction_seconds;
}

}  // namespace tessera
