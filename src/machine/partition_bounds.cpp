// What no partition can do better, and small networks, of which all partitions are tried.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "machine/partition_result.hpp"

namespace tessera {
namespace {

// Runs in which a population has neurons, at least.
std::uint64_t runs_of(const DividedPopulation& p, const Limits& limits) {
  if (limits.has_tiles()) {
    const std::uint64_t tiles = (p.size - 1) / std::max(1u, p.per_tile) + 1;
    return (tiles - 1) / limits.machine().circuits.tiles + 1;
  }
  const std::uint64_t capacity = limits.machine().circuits_per_chip();
  if (p.circuits_before.empty()) return (p.size - 1) / std::max<std::uint64_t>(1, capacity / p.circuits) + 1;
  return (p.circuits_before.back() - 1) / capacity + 1;
}

std::uint64_t parts(double used, double available) { return available > 0.0 ? static_cast<std::uint64_t>(std::ceil(used / available * (1.0 - 1e-9))) : 0; }

class Search {
 public:
  Search(std::vector<Slices> pieces, Limits& limits) : pieces_(std::move(pieces)), limits_(limits) {}

  std::optional<Runs> best(std::uint64_t most_runs) {
    for (std::uint64_t runs = 1; runs <= most_runs && !best_; ++runs) {
      most_ = runs;
      place(0);
    }
    return best_;
  }

 private:
  // Pieces go into one of the runs so far, or a new one: every division once.
  void place(std::size_t piece) {
    if (piece == pieces_.size()) {
      consider();
      return;
    }
    for (std::size_t r = 0; r <= runs_.size() && r < most_; ++r) {
      if (r == runs_.size()) runs_.emplace_back();
      const std::size_t size = runs_[r].size();
      runs_[r].insert(runs_[r].end(), pieces_[piece].begin(), pieces_[piece].end());
      if (limits_.fits_quickly(limits_.quick_usage(runs_[r]))) place(piece + 1);
      runs_[r].resize(size);
      if (size == 0) runs_.pop_back();
    }
  }
  void consider() {
    Runs runs;
    for (const Slices& run : runs_) {
      runs.push_back(sorted(run));
      if (limits_.has_slow_limits() && !limits_.fits(limits_.usage(runs.back()))) return;
    }
    const Cost cost = cost_of(runs, limits_);
    if (best_ && !(cost < cost_)) return;
    const RunGraph graph(runs, limits_);
    if (graph.has_cycle()) return;
    cost_ = cost;
    Runs in_order;
    for (const std::uint32_t r : graph.order()) in_order.push_back(runs[r]);
    best_ = std::move(in_order);
  }

  std::vector<Slices> pieces_;
  Limits& limits_;
  Runs runs_;
  std::uint64_t most_ = 0;
  std::optional<Runs> best_;
  Cost cost_;
};

}  // namespace

std::uint64_t bound_of_runs(const std::vector<Group>& groups, const Limits& limits, std::string& by) {
  const DividedNetwork& n = limits.network();
  const MachineDescription& m = limits.machine();
  std::uint64_t bound = 0;
  const auto raise = [&](std::uint64_t runs, std::string why) {
    if (runs <= bound) return;
    bound = runs;
    by = std::move(why);
  };
  Limits::Usage all;
  Slices everything;
  for (std::uint32_t p = 0; p < n.populations.size(); ++p) everything.push_back({p, 0, n.populations[p].size});
  all = limits.quick_usage(everything);
  if (limits.has_tiles()) {
    raise(parts(static_cast<double>(all.tiles), m.circuits.tiles), fmt::format("{} tiles of {} a chip", all.tiles, m.circuits.tiles));
  } else {
    raise(parts(static_cast<double>(all.circuits), static_cast<double>(m.circuits_per_chip())),
          fmt::format("{} circuits of {} a chip", all.circuits, m.circuits_per_chip()));
    raise(parts(all.synapses, static_cast<double>(m.memory.synapses_per_tile)), fmt::format("{:.0f} synapses of {} a chip", all.synapses, m.memory.synapses_per_tile));
  }
  raise(parts(all.bytes, limits.bytes_available()), fmt::format("{:.0f} bytes of {:.0f} a chip", all.bytes, limits.bytes_available()));
  for (const DividedPopulation& p : n.populations)
    raise(runs_of(p, limits), fmt::format("'{}' alone: {} neurons of {} circuits", p.name, p.size, p.circuits));
  const auto large = static_cast<std::uint64_t>(std::count_if(groups.begin(), groups.end(), [&](const Group& g) {
    return !g.is_cut() && !limits.has_tiles() && 2 * g.circuits > m.circuits_per_chip();
  }));
  raise(large, fmt::format("{} recurrent components of more than half a chip", large));
  return std::max<std::uint64_t>(bound, 1);
}

// Every source is needed somewhere; a dense layer that takes several runs needs all its sources in each.
std::uint64_t bound_of_copies(Limits& limits) {
  const DividedNetwork& n = limits.network();
  Slices everything;
  for (std::uint32_t p = 0; p < n.populations.size(); ++p) everything.push_back({p, 0, n.populations[p].size});
  std::vector<double> copies;
  for (const Needed& needed : limits.needs().evaluate(everything)) copies.push_back(needed.with_target);
  for (const EventLink& link : n.links) {
    if (link.kind != EventLink::Kind::all) continue;
    const double runs = static_cast<double>(runs_of(n.populations[link.target], limits));
    copies[link.source] = std::max(copies[link.source], runs * n.sources[link.source].size);
  }
  double sum = 0.0;
  for (const double c : copies) sum += c;
  // Sums of chances are rounded here and there; whole numbers are not.
  return static_cast<std::uint64_t>(sum == std::round(sum) ? sum : std::floor(sum * (1.0 - 1e-6)));
}

std::optional<Runs> best_of_all(const std::vector<Group>& groups, Limits& limits, std::uint64_t most_runs) {
  constexpr std::size_t kMostPieces = 9;  // 21,147 divisions
  std::vector<Slices> pieces;
  for (const Group& g : groups) {
    if (g.recurrent && !g.fits) return std::nullopt;
    if (!g.is_cut()) {
      pieces.push_back(g.slices);
    } else {
      if (g.neurons > kMostPieces) return std::nullopt;
      for (const PartitionSlice& s : g.slices) {
        for (std::uint32_t i = 0; i < s.count; ++i) pieces.push_back({{s.population, s.first + i, 1}});
      }
    }
    if (pieces.size() > kMostPieces) return std::nullopt;
  }
  return Search(std::move(pieces), limits).best(most_runs);
}

}  // namespace tessera
