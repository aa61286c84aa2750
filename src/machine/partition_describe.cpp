// What is known of runs: what they take, when they run, how long it takes.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "machine/partition_result.hpp"

namespace tessera {
namespace {

// Runs of one component follow each other, and nothing else runs with them.
void schedule(const RunGraph& graph, Partition& p) {
  std::vector<std::uint32_t> busy;  // chips, by round
  const auto round_for = [&](std::uint32_t ready) {
    while (ready < busy.size() && busy[ready] >= p.chips) ++ready;
    if (ready >= busy.size()) busy.resize(ready + std::size_t{1}, 0);
    return ready;
  };
  for (std::uint32_t r = 0; r < p.runs.size(); ++r) {
    PartitionRun& run = p.runs[r];
    if (run.component != PartitionRun::kAlone) {
      const std::vector<std::uint32_t>& together = p.components[run.component].runs;
      if (together.front() != r) continue;
      const auto start = static_cast<std::uint32_t>(busy.size());
      for (std::uint32_t i = 0; i < together.size(); ++i) {
        p.runs[together[i]].round = start + i / p.chips;
        p.runs[together[i]].chip = i % p.chips;
      }
      busy.resize(start + (together.size() - 1) / p.chips + 1, p.chips);
      continue;
    }
    std::uint32_t ready = 0;
    graph.visit_senders(r, [&](std::uint32_t sender) {
      if (sender < r) ready = std::max(ready, p.runs[sender].round + 1);
    });
    run.round = round_for(ready);
    run.chip = busy[run.round]++;
  }
  p.rounds = static_cast<std::uint32_t>(busy.size());
}

// Runs that need each other, with the component they are of.
void find_components(const RunGraph& graph, const Runs& runs, const std::vector<Group>& groups, const DividedNetwork& n, Partition& p) {
  std::map<std::uint32_t, std::vector<std::uint32_t>> together;
  for (std::uint32_t r = 0; r < runs.size(); ++r) together[graph.components()[r]].push_back(r);
  std::vector<std::vector<std::uint32_t>> runs_with(n.populations.size());
  for (std::uint32_t r = 0; r < runs.size(); ++r) {
    for (const PartitionSlice& s : runs[r]) {
      if (runs_with[s.population].empty() || runs_with[s.population].back() != r) runs_with[s.population].push_back(r);
    }
  }
  for (const auto& [number, members] : together) {
    if (members.size() < 2) continue;
    RecurrentComponent c;
    c.runs = members;
    c.exchange_ms = HUGE_VAL;
    std::vector<bool> has(n.populations.size(), false);
    for (const std::uint32_t r : members) {
      p.runs[r].component = static_cast<std::uint32_t>(p.components.size());
      c.circuits += p.runs[r].circuits;
      for (const PartitionSlice& s : runs[r]) has[s.population] = true;
    }
    for (std::uint32_t i = 0; i < has.size(); ++i) {
      if (has[i]) c.populations.push_back(i);
    }
    for (const EventLink& link : n.links) {
      if (link.source < has.size() && has[link.source] && has[link.target]) c.exchange_ms = std::min(c.exchange_ms, link.shortest_delay_ms);
    }
    c.turns = static_cast<std::uint64_t>(std::ceil(n.sample_ms / c.exchange_ms - 1e-9));
    p.components.push_back(std::move(c));
  }
  for (const Group& g : groups) {
    if (!g.recurrent) continue;
    RecurrentComponent c;
    for (const PartitionSlice& s : g.slices) {
      if (c.populations.empty() || c.populations.back() != s.population) c.populations.push_back(s.population);
    }
    const PartitionSlice& first = g.slices.front();
    for (const std::uint32_t r : runs_with[first.population]) {
      const bool holds = std::any_of(runs[r].begin(), runs[r].end(), [&](const PartitionSlice& s) {
        return s.population == first.population && s.first <= first.first && first.first < s.first + s.count;
      });
      if (holds && p.runs[r].component == PartitionRun::kAlone) c.runs = {r};
    }
    if (c.runs.empty()) continue;
    c.circuits = g.circuits;
    c.exchange_ms = g.exchange_ms;
    p.components.push_back(std::move(c));
  }
}

void predict(const MachineDescription& m, const DividedNetwork& n, double events, Partition& p) {
  PartitionPrediction& t = p.predicted;
  const double sample = n.sample_ms / m.speedup, load = m.times.reconfiguration_ms;
  std::vector<bool> in_turns(p.rounds, false);
  double exchanges = 0.0;
  for (const RecurrentComponent& c : p.components) {
    if (c.runs.size() < 2) continue;
    const double visits = static_cast<double>(c.turns) * static_cast<double>((c.runs.size() - 1) / p.chips + 1);
    for (const std::uint32_t r : c.runs) in_turns[p.runs[r].round] = true;
    t.chip_ms += visits * (c.exchange_ms / m.speedup + m.times.section_ms);
    if (c.runs.size() > p.chips) t.reconfiguration_ms += visits * load;
    exchanges += visits;
  }
  for (std::uint32_t round = 0; round < p.rounds; ++round) {
    if (in_turns[round]) continue;
    t.chip_ms += sample + m.times.section_ms;
    if (p.runs.size() > p.chips) t.reconfiguration_ms += load;
    exchanges += 1.0;
  }
  t.transfer_ms = exchanges * m.times.host_ms;
  if (m.times.events_per_second > 0.0) t.transfer_ms += events / m.times.events_per_second * 1000.0;
}

}  // namespace

Partition describe(const Runs& runs, const std::vector<Group>& groups, Limits& limits, std::uint32_t chips) {
  const DividedNetwork& n = limits.network();
  Partition p;
  p.network = n.name;
  p.machine = limits.machine().name;
  p.training = n.training;
  p.chips = chips;
  for (const DividedPopulation& population : n.populations) p.populations.push_back(population);
  double copies = 0.0, copied = 0.0, events = 0.0;
  for (const Slices& slices : runs) {
    PartitionRun run;
    run.slices = slices;
    const Limits::Usage usage = limits.usage(slices);
    run.neurons = usage.neurons;
    run.circuits = usage.circuits;
    run.tiles = static_cast<std::uint32_t>(usage.tiles);
    run.sources = usage.sources;
    run.bytes = limits.bytes_available() > 0.0 ? static_cast<std::uint64_t>(std::ceil(usage.bytes)) : 0;
    run.events_in = usage.events_in;
    run.events_out = usage.events_out;
    run.events_known = n.events_known();
    run.limited_by = limits.tightest(usage).limit;
    const std::vector<Needed>& needed = limits.needs().evaluate(slices);
    for (std::size_t s = 0; s < needed.size(); ++s) {
      copies += needed[s].with_target;
      copied += needed[s].with_target * n.sources[s].events;
      events += needed[s].outside * n.sources[s].events;
    }
    for (const PartitionSlice& s : slices)
      events += s.count * (n.sources[s.population].events + n.populations[s.population].private_events);
    p.runs.push_back(std::move(run));
  }
  p.playback_copies = static_cast<std::uint64_t>(std::ceil(copies - 1e-6 * std::max(1.0, copies)));
  p.playback_events = n.events_known() ? copied : 0.0;
  const RunGraph graph(runs, limits);
  find_components(graph, runs, groups, n, p);
  schedule(graph, p);
  predict(limits.machine(), n, events, p);
  return p;
}

}  // namespace tessera
