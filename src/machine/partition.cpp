// Divides a network into runs: groups, orders of their neurons, sequences of groups; the cheapest is taken.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "tessera/partition.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "machine/partition_orders.hpp"
#include "machine/partition_result.hpp"

namespace tessera {
namespace {

void require_possible(const DividedNetwork& n, const MachineDescription& m, const PartitionOptions& options) {
  std::vector<Problem> problems = validate(m);
  if (problems.empty()) problems = n.problems;
  if (options.activity < 0.0 || options.activity > 1.0) problems.push_back({{}, "The activity must be above 0 and at most 1."});
  if (n.populations.empty()) problems.push_back({{}, "The network has no neurons to put onto a machine."});
  for (const EventOrigin& s : n.sources) {
    const double clocks = m.events.clock_ns > 0.0 ? n.step_ms / m.speedup * 1e6 / m.events.clock_ns : 1.0;
    if (!s.known || m.events.per_source_per_clock == 0.0 || s.peak / clocks <= m.events.per_source_per_clock) continue;
    problems.push_back({{"", 0, 0, s.name},
                        fmt::format("Events of a source: one of '{}' has {:.6g} in a clock, but {:.6g} are possible: {:.6g} too many. Lower rates or longer time steps would help.",
                                    s.name, s.peak / clocks, m.events.per_source_per_clock, s.peak / clocks - m.events.per_source_per_clock)});
  }
  if (!problems.empty()) throw InputError(problems);
}

void require_no_lock_step(const std::vector<Group>& groups, Limits& limits) {
  std::vector<Problem> problems;
  for (const Group& g : groups) {
    if (!g.recurrent || g.fits) continue;
    std::string names;
    for (const PartitionSlice& s : g.slices) {
      const std::string name = "'" + limits.network().populations[s.population].name + "'";
      if (names.find(name) == std::string::npos) names += (names.empty() ? "" : ", ") + name;
    }
    for (const Limits::Excess& e : limits.exceeded(limits.usage(g.slices))) {
      problems.push_back({{"", 0, 0, limits.network().populations[g.slices.front().population].name},
                          fmt::format("Recurrent component of {}: it takes {:.6g} {}, but a run has {:.6g}: {:.6g} too many. To allow lock-step, a larger machine, or "
                                      "fewer neurons would help.",
                                      names, e.used, e.limit, e.available, e.used - e.available)});
    }
  }
  if (!problems.empty()) throw InputError(problems);
}

// A group that begins a run of its own keeps its tiles whole. Kept where no run is lost by it.
void align(const std::vector<Group>& groups, const std::vector<Order>& orders, Limits& limits, Sequence& sequence, Runs& runs, Cost& cost) {
  if (sequence.size() > 50 || limits.network().neurons() > 200'000) return;
  for (std::size_t i = 1; i < sequence.size(); ++i) {
    Sequence other = sequence;
    other[i].new_run = true;
    Runs tried = cut(groups, orders, other, limits);
    if (tried.size() > runs.size()) continue;
    const Cost now = cost_of(tried, limits);
    if (!(now < cost)) continue;
    cost = now;
    runs = std::move(tried);
    sequence = std::move(other);
  }
}

struct Found {
  Runs runs;
  std::string method;
};

std::string methods(const std::vector<Group>& groups, const std::vector<Order>& orders, const DividedNetwork& n) {
  std::string text;
  for (std::size_t g = 0; g < groups.size() && g < 20; ++g) {
    if (orders[g].method == "index order") continue;
    text += fmt::format("{}{}: {}", text.empty() ? "" : "; ", n.populations[groups[g].slices.front().population].name, orders[g].method);
  }
  return text.empty() ? "index order" : text;
}

Found search(const std::vector<Group>& groups, Limits& limits) {
  std::vector<Order> plain, best;
  for (const Group& g : groups) plain.push_back(index_order(g));
  for (const Group& g : groups) best.push_back(best_order(g, limits));
  Found found{cut(groups, plain, whole(groups), limits), "index order"};
  Cost cost = cost_of(found.runs, limits);
  const std::uint64_t baseline = found.runs.size();
  std::vector<Sequence> tried;
  for (const Sequence& candidate : {whole(groups), best_by_circuits(groups, limits), best_fit(groups, limits)}) {
    if (candidate.empty() || std::find(tried.begin(), tried.end(), candidate) != tried.end()) continue;
    const bool only_index = std::all_of(best.begin(), best.end(), [](const Order& o) { return o.method == "index order"; });
    for (const std::vector<Order>* orders : {&plain, &best}) {
      const bool baseline_again = orders == &plain && tried.empty() && groups.size() == 1;
      if (baseline_again || (orders == &best && only_index)) continue;
      Sequence sequence = candidate;
      Runs runs = cut(groups, *orders, sequence, limits);
      if (runs.size() > baseline) continue;
      Cost now = cost_of(runs, limits);
      align(groups, *orders, limits, sequence, runs, now);
      if (!(now < cost)) continue;
      cost = now;
      found = {std::move(runs), orders == &plain ? "index order" : methods(groups, best, limits.network())};
    }
    tried.push_back(candidate);
  }
  if (auto all = best_of_all(groups, limits, found.runs.size())) {
    if (cost_of(*all, limits) < cost) found = {std::move(*all), "all divisions tried"};
  }
  return found;
}

void add_notes(const DividedNetwork& n, const MachineDescription& m, const PartitionOptions& options, Partition& p) {
  if (!n.events_known())
    p.notes.push_back(fmt::format("Events: {}, so peaks count one event of every source in a step, and no limit of events is checked.",
                                  n.training ? "a training file states no rates (give an activity)" : "the model does not state the mean rates of all populations"));
  const bool drawn = std::any_of(n.links.begin(), n.links.end(), [](const EventLink& l) { return l.kind != EventLink::Kind::all && l.kind != EventLink::Kind::one_to_one && l.kind != EventLink::Kind::window && l.kind != EventLink::Kind::listed; });
  if (drawn) p.notes.push_back("Synapses are drawn: sources and copies are expected ones; what is compared with a limit is exceeded with a chance below one in a million.");
  if (m.events.in_per_clock > 0.0 && options.activity > 0.0 && n.training) p.notes.push_back(fmt::format("Events: {:.6g} of all sources spike in the busiest step.", options.activity));
}

Partition divide_and_describe(const DividedNetwork& n, const MachineDescription& machine, const PartitionOptions& options) {
  require_possible(n, machine, options);
  Limits limits(n, machine);
  const std::vector<Group> groups = groups_of(n, limits);
  if (!options.lock_step && options.stated.empty()) require_no_lock_step(groups, limits);
  Found found;
  if (options.stated.empty()) {
    found = search(groups, limits);
  } else {
    std::vector<Order> orders;
    for (const Group& g : groups) orders.push_back(best_order(g, limits));
    found = {complete(groups, orders, limits, options), "stated"};
  }
  Partition p = describe(found.runs, groups, limits, options.chips > 0 ? options.chips : machine.chips);
  p.method = found.method;
  p.bound.runs = bound_of_runs(groups, limits, p.runs_bound_by);
  p.bound.playback_copies = bound_of_copies(limits);
  add_notes(n, machine, options, p);
  return p;
}

}  // namespace

Partition partition(const Network& network, const NeuronCatalogue& models, const MachineDescription& machine, const PartitionOptions& options) {
  return divide_and_describe(divide(network, models, machine, options), machine, options);
}

Partition partition(const training::Network& network, const MachineDescription& machine, const PartitionOptions& options) {
  return divide_and_describe(divide(network, machine, options), machine, options);
}

}  // namespace tessera
