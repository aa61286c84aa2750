// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "machine/partition_pack.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>

namespace tessera {
namespace {

[[noreturn]] void refuse_neuron(const PartitionSlice& slice, Limits& limits) {
  const PartitionSlice one{slice.population, slice.first, 1};
  const DividedPopulation& p = limits.network().populations[slice.population];
  std::vector<Problem> problems;
  for (const Limits::Excess& e : limits.exceeded(limits.usage(std::vector{one}))) {
    const bool events = e.limit.starts_with("events");
    problems.push_back({{"", 0, 0, p.name},
                        fmt::format("{}{}: one neuron of '{}' alone takes {:.6g}{}, but a run has {:.6g}: {:.6g} too many. {} would help.",
                                    static_cast<char>(std::toupper(e.limit[0])), e.limit.substr(1), p.name, e.used, events ? " per clock" : "",
                                    e.available, e.used - e.available,
                                    e.limit == "sources" ? "Fewer sources (sparser or local input, a pool), or a machine that tells more of them apart"
                                    : events             ? "Lower rates, longer time steps, or a machine with a faster link"
                                                         : "Fewer synapses per neuron, or a larger machine")});
  }
  if (problems.empty()) problems.push_back({{"", 0, 0, p.name}, fmt::format("One neuron of '{}' is more than a run holds.", p.name)});
  throw InputError(problems);
}

class Cutter {
 public:
  Cutter(const std::vector<Group>& groups, const std::vector<Order>& orders, Limits& limits)
      : groups_(groups), orders_(orders), limits_(limits), at_(groups.size()), neurons_of_(limits.network().populations.size(), 0) {}

  Runs cut(const Sequence& sequence) {
    for (const Portion& portion : sequence) {
      if (portion.new_run) close();
      const Group& group = groups_[portion.group];
      if (group.is_cut()) {
        if (group.recurrent) begin_component(portion.group);
        add_some(portion.group, portion.neurons);
      } else {
        add_whole(orders_[portion.group].slices);
      }
    }
    close();
    return std::move(runs_);
  }

 private:
  struct Place {
    std::size_t slice = 0;
    std::uint32_t done = 0;  // of that slice
    std::size_t next_break = 0;
  };

  void close() {
    if (run_.empty()) return;
    runs_.push_back(sorted(std::move(run_)));
    run_.clear();
    used_ = {};
    std::fill(neurons_of_.begin(), neurons_of_.end(), 0);
    component_ = kNone;
  }
  void append(const Slices& slices) {
    run_.insert(run_.end(), slices.begin(), slices.end());
    for (const PartitionSlice& s : slices) neurons_of_[s.population] += s.count;
    if (limits_.has_tiles()) {
      used_ = limits_.quick_usage(run_);
      return;
    }
    const Limits::Usage more = limits_.quick_usage(slices);
    used_.circuits += more.circuits;
    used_.bytes += more.bytes;
    used_.synapses += more.synapses;
    used_.neurons += more.neurons;
  }
  [[nodiscard]] Slices with(const Slices& more) const {
    Slices all = run_;
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  // Two components in lock-step would have to wait for each other.
  void begin_component(std::uint32_t group) {
    if (component_ != kNone && component_ != group) close();
    component_ = group;
  }
  void add_whole(const Slices& slices) {
    const Slices all = with(slices);
    const bool fits = limits_.fits_quickly(limits_.quick_usage(all)) && (!limits_.has_slow_limits() || limits_.fits(limits_.usage(all)));
    if (!fits) close();
    append(slices);
  }

  // As many of the next neurons as the quick limits let in, up to the next break.
  Slices next_neurons(const Order& order, Place& place, std::uint64_t neurons) {
    Slices taken;
    Limits::Usage used = used_;
    std::vector<std::uint32_t> neurons_of = neurons_of_;
    while (neurons > 0 && place.slice < order.slices.size()) {
      if (place.next_break < order.breaks.size() && order.breaks[place.next_break] == place.slice && place.done == 0 && !taken.empty()) break;
      PartitionSlice s = order.slices[place.slice];
      const std::uint32_t whole_slice = s.count;
      s.first += place.done;
      s.count = static_cast<std::uint32_t>(std::min<std::uint64_t>(s.count - place.done, neurons));
      const std::uint32_t room = limits_.room_for(neurons_of, used, s);
      const bool full = room < s.count;
      s.count = room;
      if (room > 0) {
        taken.push_back(s);
        neurons_of[s.population] += room;
        const Limits::Usage more = limits_.quick_usage(Slices{s});
        used.circuits += more.circuits;
        used.bytes += more.bytes;
        used.synapses += more.synapses;
        if (limits_.has_tiles()) used.tiles = limits_.quick_usage(with(taken)).tiles;
        place.done += room;
        neurons -= room;
      }
      if (place.done == whole_slice) {
        ++place.slice;
        place.done = 0;
      }
      if (full) break;
    }
    return taken;
  }

  static Slices first_of(const Slices& slices, std::uint64_t neurons) {
    Slices some;
    for (PartitionSlice s : slices) {
      if (neurons == 0) break;
      s.count = static_cast<std::uint32_t>(std::min<std::uint64_t>(s.count, neurons));
      neurons -= s.count;
      some.push_back(s);
    }
    return some;
  }
  static std::uint64_t count(const Slices& slices) {
    std::uint64_t sum = 0;
    for (const PartitionSlice& s : slices) sum += s.count;
    return sum;
  }
  // What more neurons need only grows, so halves tell how many fit.
  std::uint64_t most_that_fit(const Slices& candidate) {
    std::uint64_t low = 0, high = count(candidate);
    if (!limits_.has_slow_limits() || limits_.fits(limits_.usage(with(candidate)))) return high;
    while (high - low > 1) {
      const std::uint64_t middle = low + (high - low) / 2;
      (limits_.fits(limits_.usage(with(first_of(candidate, middle)))) ? low : high) = middle;
    }
    return low;
  }
  static void advance(const Order& order, Place& place, std::uint64_t neurons) {
    while (neurons > 0) {
      const std::uint32_t left = order.slices[place.slice].count - place.done;
      const auto step = static_cast<std::uint32_t>(std::min<std::uint64_t>(left, neurons));
      place.done += step;
      neurons -= step;
      if (place.done == order.slices[place.slice].count) {
        ++place.slice;
        place.done = 0;
      }
    }
  }

  void add_some(std::uint32_t group, std::uint64_t neurons) {
    const Order& order = orders_[group];
    Place& place = at_[group];
    while (neurons > 0) {
      while (place.next_break < order.breaks.size() && order.breaks[place.next_break] < place.slice) ++place.next_break;
      if (place.next_break < order.breaks.size() && order.breaks[place.next_break] == place.slice && place.done == 0) {
        close();
        if (groups_[group].recurrent) component_ = group;
        ++place.next_break;
      }
      Place ahead = place;
      const Slices candidate = next_neurons(order, ahead, neurons);
      const std::uint64_t fit = candidate.empty() ? 0 : most_that_fit(candidate);
      if (fit == 0) {
        if (run_.empty()) refuse_neuron({order.slices[place.slice].population, order.slices[place.slice].first + place.done, 1}, limits_);
        close();
        if (groups_[group].recurrent) component_ = group;
        continue;
      }
      append(first_of(candidate, fit));
      advance(order, place, fit);
      neurons -= fit;
    }
  }

  const std::vector<Group>& groups_;
  const std::vector<Order>& orders_;
  Limits& limits_;
  std::vector<Place> at_;
  std::vector<std::uint32_t> neurons_of_;
  Runs runs_;
  Slices run_;
  Limits::Usage used_;
  std::uint32_t component_ = kNone;
};

}  // namespace

Slices sorted(Slices slices) {
  std::sort(slices.begin(), slices.end(), [](const PartitionSlice& a, const PartitionSlice& b) {
    return std::pair(a.population, a.first) < std::pair(b.population, b.first);
  });
  Slices joined;
  for (const PartitionSlice& s : slices) {
    if (!joined.empty() && joined.back().population == s.population && joined.back().first + joined.back().count == s.first) {
      joined.back().count += s.count;
    } else {
      joined.push_back(s);
    }
  }
  return joined;
}

Runs cut(const std::vector<Group>& groups, const std::vector<Order>& orders, const Sequence& sequence, Limits& limits) {
  return Cutter(groups, orders, limits).cut(sequence);
}

bool Cost::operator<(const Cost& other) const {
  if (runs != other.runs) return runs < other.runs;
  const double own = by_events ? events : copies, others = by_events ? other.events : other.copies;
  if (own < others * (1.0 - 1e-9)) return true;
  if (own > others * (1.0 + 1e-9)) return false;
  return peak < other.peak * (1.0 - 1e-9);
}

Cost cost_of(const Runs& runs, Limits& limits) {
  const DividedNetwork& n = limits.network();
  Cost cost{.runs = runs.size()};
  cost.by_events = n.events_known();
  for (const Slices& run : runs) {
    const std::vector<Needed>& needed = limits.needs().evaluate(run);
    double peak = 0.0;
    for (std::size_t s = 0; s < needed.size(); ++s) {
      cost.copies += needed[s].with_target;
      cost.events += needed[s].with_target * n.sources[s].events;
      peak += needed[s].outside * n.sources[s].peak;
    }
    cost.peak = std::max(cost.peak, peak);
  }
  return cost;
}

}  // namespace tessera
