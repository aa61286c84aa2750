// Networks and machines to divide, and plain loops that count what a run takes: an oracle that shares nothing with the
// partitioner.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tessera/partition.hpp"

namespace tessera::partitions {

inline Population neurons(const std::string& name, std::uint32_t size) {
  Population p;
  p.name = name;
  p.size = size;
  p.model = "iaf_psc_exp";
  return p;
}

inline Projection listed(const std::string& source, const std::string& target, std::vector<std::pair<std::uint32_t, std::uint32_t>> pairs) {
  Projection p;
  p.name = source + "_" + target;
  p.source = source;
  p.target = target;
  p.rule.kind = ConnectivityRule::Kind::explicit_list;
  for (const auto& [s, t] : pairs) p.rule.list.push_back({s, t, 1.0, 1.0});
  return p;
}

inline Projection all_to_all(const std::string& source, const std::string& target) {
  Projection p;
  p.name = source + "_" + target;
  p.source = source;
  p.target = target;
  p.rule.kind = ConnectivityRule::Kind::all_to_all;
  p.weight = Distribution::constant(1.0);
  p.delay_ms = Distribution::constant(1.0);
  return p;
}

/// Neurons numbered through, with everything that lands on each.
struct Plain {
  std::vector<std::string> names;
  std::vector<std::uint32_t> base;                    // of every population
  std::vector<std::vector<std::uint32_t>> sources;    // of every neuron, once for each synapse
  std::vector<std::uint32_t> population;

  explicit Plain(const Network& network) {
    for (const Population& p : network.populations) {
      base.push_back(static_cast<std::uint32_t>(population.size()));
      population.insert(population.end(), p.size, static_cast<std::uint32_t>(names.size()));
      names.push_back(p.name);
    }
    sources.resize(population.size());
    for (const Projection& p : network.projections) {
      const std::size_t from = network.index_of(p.source), to = network.index_of(p.target);
      if (p.rule.kind == ConnectivityRule::Kind::all_to_all) {
        for (std::uint32_t s = 0; s < network.populations[from].size; ++s) {
          for (std::uint32_t t = 0; t < network.populations[to].size; ++t) sources[base[to] + t].push_back(base[from] + s);
        }
      }
      for (const auto& s : p.rule.list) sources[base[to] + s.target].push_back(base[from] + s.source);
    }
  }
  [[nodiscard]] std::uint64_t circuits(std::uint32_t neuron, const MachineDescription& m) const {
    const std::uint64_t rows = sources[neuron].size();
    if (m.circuits.fan_in == 0 || rows <= m.circuits.fan_in) return 1;
    std::uint64_t joined = m.circuits.join_multiple;
    while (joined * m.circuits.fan_in < rows) joined += m.circuits.join_multiple;
    return joined;
  }
  [[nodiscard]] std::uint64_t circuits(const std::vector<std::uint32_t>& run, const MachineDescription& m) const {
    std::uint64_t sum = 0;
    for (const std::uint32_t n : run) sum += circuits(n, m);
    return sum;
  }
  [[nodiscard]] std::set<std::uint32_t> needed(const std::vector<std::uint32_t>& run) const {
    std::set<std::uint32_t> all;
    for (const std::uint32_t n : run) all.insert(sources[n].begin(), sources[n].end());
    return all;
  }
  [[nodiscard]] std::uint64_t outside(const std::vector<std::uint32_t>& run) const {
    const std::set<std::uint32_t> own(run.begin(), run.end());
    std::uint64_t count = 0;
    for (const std::uint32_t s : needed(run)) count += own.count(s) == 0;
    return count;
  }
  [[nodiscard]] bool fits(const std::vector<std::uint32_t>& run, const MachineDescription& m) const {
    return circuits(run, m) <= m.circuits_per_chip() && (m.sources.external == 0 || outside(run) <= m.sources.external);
  }
  /// The neurons of every run.
  [[nodiscard]] std::vector<std::vector<std::uint32_t>> runs_of(const Partition& p) const {
    std::vector<std::vector<std::uint32_t>> runs;
    for (const PartitionRun& run : p.runs) {
      runs.emplace_back();
      for (const PartitionSlice& s : run.slices) {
        const auto at = std::find(names.begin(), names.end(), p.populations[s.population].name) - names.begin();
        for (std::uint32_t i = 0; i < s.count; ++i) runs.back().push_back(base[static_cast<std::size_t>(at)] + s.first + i);
      }
    }
    return runs;
  }
  [[nodiscard]] std::uint64_t copies(const std::vector<std::vector<std::uint32_t>>& runs) const {
    std::uint64_t sum = 0;
    for (const auto& run : runs) sum += needed(run).size();
    return sum;
  }
  /// Whether runs have an order in which spikes are there before they are needed.
  [[nodiscard]] bool is_acyclic(const std::vector<std::vector<std::uint32_t>>& runs) const {
    std::vector<std::uint32_t> run_of(population.size(), 0);
    for (std::uint32_t r = 0; r < runs.size(); ++r) {
      for (const std::uint32_t n : runs[r]) run_of[n] = r;
    }
    std::vector<std::set<std::uint32_t>> waits(runs.size());
    for (std::uint32_t r = 0; r < runs.size(); ++r) {
      for (const std::uint32_t s : needed(runs[r])) {
        if (run_of[s] != r) waits[r].insert(run_of[s]);
      }
    }
    std::vector<bool> done(runs.size(), false);
    for (std::size_t found = 1; found > 0;) {
      found = 0;
      for (std::uint32_t r = 0; r < runs.size(); ++r) {
        if (done[r] || !std::all_of(waits[r].begin(), waits[r].end(), [&](std::uint32_t w) { return done[w]; })) continue;
        done[r] = true;
        ++found;
      }
    }
    return std::all_of(done.begin(), done.end(), [](bool d) { return d; });
  }
};

inline MachineDescription machine_of(std::uint32_t circuits, std::uint32_t fan_in, std::uint32_t join_multiple = 1) {
  MachineDescription m;
  m.name = "test";
  m.circuits.per_tile = circuits;
  m.circuits.fan_in = fan_in;
  m.circuits.join_at_most = fan_in > 0 ? circuits : 1;
  m.circuits.join_multiple = fan_in > 0 ? std::min(join_multiple, circuits) : 1;
  return m;
}

inline training::Layer layer(const std::string& name, std::uint32_t size) {
  training::Layer l;
  l.name = name;
  l.size = size;
  return l;
}

}  // namespace tessera::partitions
