// Running a simulation in slices, and the check that its activity stays within bounds. Rank 0 decides how long a
// slice is; what a slice brought is settled between ranks before anybody acts on it.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <numeric>
#include <tuple>

#include "engine/simulation_impl.hpp"
#include "tessera/errors.hpp"

namespace tessera {
namespace {

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

constexpr double kSliceSeconds = 0.1;
constexpr std::int64_t kFirstSlice = 50, kShortestSlice = 10;
constexpr double kRateWindow_ms = 100.0;

std::int64_t whole_steps(double time_ms, double dt_ms, std::int64_t now) {
  const char* const too_long = "A simulation can run for at most 4,294,967,294 steps.";
  if (time_ms / dt_ms >= std::numeric_limits<std::uint32_t>::max()) throw InputError(too_long);
  const std::int64_t steps = std::isfinite(time_ms) ? std::llround(time_ms / dt_ms) : 0;
  if (!(time_ms >= 0.0) || std::abs(static_cast<double>(steps) * dt_ms - time_ms) > 1e-6 * dt_ms + 1e-9 * time_ms) {
    throw InputError("The model time of a run must be a multiple of dt (" + std::to_string(dt_ms) +
                     " ms) and not negative; it is " + std::to_string(time_ms) + " ms.");
  }
  if (now + steps >= std::numeric_limits<std::uint32_t>::max()) throw InputError(too_long);
  return steps;
}

/// As many steps as should take a tenth of a second, when so many took so long.
std::uint64_t next_slice(std::int64_t steps, double took) {
  const double longer = took > 0.0 ? std::min(2.0, kSliceSeconds / took) : 2.0;
  return static_cast<std::uint64_t>(std::max<std::int64_t>(kShortestSlice, std::llround(static_cast<double>(steps) * longer)));
}

}  // namespace

/// Steps over which rates are averaged. Windows end at the same steps however a run is sliced.
std::int64_t Simulation::Impl::rate_window() const {
  return std::max<std::int64_t>(1, std::llround(kRateWindow_ms / network.dt_ms));
}

/// Of the first neuron of all ranks.
ActivityError Simulation::Impl::not_finite(Tile::NotFinite first) const {
  const auto order = [](const Tile::NotFinite& f) {
    return std::tuple(f.step < 0, f.step, f.population, f.neuron);
  };
  for (const Tile::NotFinite& found : ranks.all(first)) first = order(found) < order(first) ? found : first;
  const std::string& name = network.populations[first.population].name;
  if (first.projection != Tile::NotFinite::kNoProjection) {
    const Projection& projection = network.projections[first.projection];
    return ActivityError("A weight of projection '" + projection.name + "', of a synapse of neuron " +
                             std::to_string(first.neuron) + " of population '" + name + "', is not a finite number at step " +
                             std::to_string(first.step) + " (" + std::to_string(static_cast<double>(first.step) * network.dt_ms) +
                             " ms). Check the parameters of its plasticity (" + projection.plasticity->rule + ").",
                         name, first.neuron, first.step);
  }
  return ActivityError("The membrane potential of neuron " + std::to_string(first.neuron) + " of population '" +
                           name + "' is not a finite number at step " + std::to_string(first.step) + " (" +
                           std::to_string(static_cast<double>(first.step) * network.dt_ms) +
                           " ms). Check its input weights and initial values.",
                       name, first.neuron, first.step);
}

/// The neuron with the most spikes in the window, the first of equal ones.
std::uint64_t Simulation::Impl::busiest(std::size_t population) const {
  struct Busy {
    std::uint64_t spikes = 0, neuron = std::numeric_limits<std::uint64_t>::max();
    bool operator<(const Busy& other) const {
      return spikes != other.spikes ? spikes < other.spikes : neuron > other.neuron;
    }
  };
  const std::vector<std::uint32_t>& counts = loop->spike_counts();
  NeuronRanges::Cursor numbers(loop->own());
  Busy most;
  for (const std::uint32_t c : placement.own_chunks) {
    const Chunk& chunk = wiring->chunks()[c];
    if (chunk.population != population) continue;
    const std::uint32_t first = numbers.number_of(context.first_id[population] + chunk.begin);
    for (std::uint32_t i = 0; i < chunk.size; ++i) most = std::max(most, Busy{counts[first + i], chunk.begin + i});
  }
  const std::vector<Busy> all = ranks.all(most);
  return std::max_element(all.begin(), all.end())->neuron;
}

/// Whether a population, with its spikes on all ranks, has left the limit in the window that ends now.
std::optional<ActivityError> Simulation::Impl::check_rates(std::span<const std::uint64_t> spikes) const {
  const double window_ms = static_cast<double>(now - window_begin) * network.dt_ms;
  for (std::size_t p = 0; p < network.populations.size(); ++p) {
    const Population& population = network.populations[p];
    const double rate = static_cast<double>(spikes[p]) / population.size / window_ms * 1000.0;
    if (!(rate > network.rate_limit_hz) || population.kind != Population::Kind::neurons) continue;
    const std::uint64_t neuron = busiest(p);
    return ActivityError("Population '" + population.name + "' fires at " + std::to_string(rate) +
                             " spikes/s, above the limit of " + std::to_string(network.rate_limit_hz) +
                             " spikes/s (rate_limit), at step " + std::to_string(now) +
                             "; its most active neuron is " + std::to_string(neuron) + ".",
                         population.name, neuron, now);
  }
  return std::nullopt;
}

/// Adds a window's spikes to the populations; says when the network has left its bounds.
std::optional<ActivityError> Simulation::Impl::check_activity() {
  Tile::NotFinite first;
  for (const auto& tile : tiles) {
    const Tile::NotFinite found = tile->find_not_finite();
    const auto order = [](const Tile::NotFinite& f) { return std::tuple(f.step, f.population, f.neuron); };
    if (found.step >= 0 && (first.step < 0 || order(found) < order(first))) first = found;
  }
  if (device != nullptr) first = device->find_not_finite();
  const bool window_ends = now - window_begin >= rate_window();
  std::vector<std::uint64_t> sums = window_ends ? own_population_spikes() : std::vector<std::uint64_t>();
  sums.push_back(own_spikes() - spikes_checked);
  sums.push_back(first.step >= 0 ? 1 : 0);
  spikes_checked = own_spikes();
  ranks.sum(sums);
  slice_spikes += sums[sums.size() - 2];
  if (sums.back() > 0) return not_finite(first);
  if (!window_ends) return std::nullopt;
  for (std::size_t p = 0; p < population_spikes.size(); ++p) population_spikes[p] += sums[p];
  std::optional<ActivityError> problem = check_rates(sums);
  std::fill(loop->spike_counts().begin(), loop->spike_counts().end(), 0);
  window_begin = now;
  return problem;
}

std::vector<std::uint64_t> Simulation::Impl::own_population_spikes() const {
  std::vector<std::uint64_t> spikes(network.populations.size(), 0);
  const std::vector<std::uint32_t>& counts = loop->spike_counts();
  NeuronRanges::Cursor numbers(loop->own());
  for (const std::uint32_t c : placement.own_chunks) {
    const Chunk& chunk = wiring->chunks()[c];
    const auto begin = counts.begin() + numbers.number_of(context.first_id[chunk.population] + chunk.begin);
    spikes[chunk.population] = std::accumulate(begin, begin + chunk.size, spikes[chunk.population]);
  }
  return spikes;
}

/// The end of the window in which a step lies, or that begins with it.
std::int64_t Simulation::Impl::window_after(std::int64_t step) const {
  const std::int64_t end = window_begin + rate_window();
  return step < end ? end : step + rate_window();
}

/// Observers of a device have their turn after every launch, while the next one is under way.
std::int64_t Simulation::Impl::launch_end() const {
  return (now / device->launch_steps() + 1) * device->launch_steps();
}

/// Advances to a step, and checks the activity where windows end. A device may go on, at most to `end`, and
/// what it has begun by the next call counts.
std::optional<ActivityError> Simulation::Impl::advance_to(std::int64_t to, std::int64_t end) {
  std::optional<ActivityError> problem;
  while (now < to && !problem) {
    std::int64_t until = std::min(to, window_begin + rate_window());
    if (rewiring != nullptr) {
      if (now > 0 && rewiring->next_after(now - 1) == now) rewiring->act(now);
      until = std::min(until, rewiring->next_after(now));
    }
    std::int64_t reached = until;
    if (device != nullptr) {
      reached = device->advance(now, until, std::min(end, window_after(until)), keep_spikes, *loop);
    } else {
      loop->advance(*team, now, until);
    }
    steps_advanced += static_cast<std::uint64_t>(reached - now);
    now = reached;
    ranks.enter("checking the activity", now);
    problem = check_activity();
  }
  return problem;
}

/// Settles how long the run is and whether spikes are kept, as rank 0 says. False: a rank wants to stop at once.
bool Simulation::Impl::begin_slices(std::int64_t steps, RunObserver& observer) {
  ranks.enter("beginning a run", now);
  const auto wanted = static_cast<std::uint64_t>(steps);
  std::uint64_t values[] = {ranks.first() && observer.wants_spikes() ? 1u : 0u,
                            steps > 0 && observer.stop_requested() ? 1u : 0u, wanted, ~wanted};
  ranks.most(values);
  if (values[2] != ~values[3]) {
    throw InputError("Ranks were asked to run for different times, between " + std::to_string(~values[3]) + " and " +
                     std::to_string(values[2]) + " steps.");
  }
  loop->keep_spikes(values[0] > 0);
  keep_spikes = values[0] > 0;
  return values[1] == 0;
}

void Simulation::Impl::run(double time_ms, RunObserver& observer) {
  const std::int64_t steps = whole_steps(time_ms, network.dt_ms, now);
  const auto start = Clock::now();
  const std::int64_t end = now + steps;
  Slice slice;
  slice.stop = begin_slices(steps, observer) ? 0 : 1;
  slice.next_steps = kFirstSlice;
  while (now < end && (slice.stop == 0 || (device != nullptr && device->ahead()))) {
    const auto slice_start = Clock::now();
    const std::int64_t from = now, slice_end = std::min(now + static_cast<std::int64_t>(slice.next_steps), end);
    const std::int64_t to = device == nullptr ? slice_end : std::min(slice_end, launch_end());
    slice_spikes = 0;
    prepare_samples(from, to);
    const std::optional<ActivityError> problem = advance_to(to, slice.stop == 0 ? end : 0);
    const auto recording = Clock::now();
    ranks.enter("collecting what was recorded", now);
    const std::vector<Spike> spikes = collect_spikes(from);
    collect_samples();
    slice = {};
    std::exception_ptr failure;  // of the observer
    try {
      if (ranks.first()) hand_out(spikes, observer);
      observer_seconds += seconds_since(recording);
      const double took = seconds_since(slice_start);
      const double model_seconds = static_cast<double>(now - from) * network.dt_ms / 1000.0;
      if (ranks.first() && !problem) {
        observer.on_progress({static_cast<double>(now) * network.dt_ms, static_cast<double>(end) * network.dt_ms,
                              seconds_since(start), took / model_seconds,
                              static_cast<double>(slice_spikes) / model_seconds});
        slice.next_steps = next_slice(now - from, took);
      }
      if (now < end && !problem) slice.stop = observer.stop_requested() ? 1 : 0;
    } catch (...) {
      failure = std::current_exception();
    }
    loop->settle();
    settle_slice(slice, failure);
    if (problem) {
      run_seconds += seconds_since(start);
      throw *problem;
    }
  }
  run_seconds += seconds_since(start);
}

/// Between ranks: whether one wants to stop, how long the next slice is. Throws on all of them what the observer
/// of one has thrown.
void Simulation::Impl::settle_slice(Slice& slice, const std::exception_ptr& failure) const {
  ranks.enter("ending a slice", now);
  std::uint64_t sums[] = {slice.stop, slice.next_steps, failure ? 1u : 0u};
  ranks.sum(sums);
  if (sums[2] > 0) ranks.settle_failures(failure);
  slice = {sums[0], std::max<std::uint64_t>(sums[1], kShortestSlice)};
}

}  // namespace tessera
