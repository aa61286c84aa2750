// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <numeric>

#include "machine/partition_result.hpp"

namespace tessera {

RunGraph::RunGraph(const Runs& runs, Limits& limits) : runs_(static_cast<std::uint32_t>(runs.size())) {
  const DividedNetwork& n = limits.network();
  const auto populations = static_cast<std::uint32_t>(n.populations.size());
  holders_.resize(populations);
  senders_.resize(runs_);
  std::vector<std::vector<std::uint32_t>> run_of(populations);  // of every neuron, where links name neurons
  for (const EventLink& link : n.links) {
    if (link.source < populations && link.has_shape()) run_of[link.source].resize(n.sources[link.source].size, kNone);
  }
  for (std::uint32_t r = 0; r < runs_; ++r) {
    for (const PartitionSlice& s : runs[r]) {
      if (holders_[s.population].empty() || holders_[s.population].back() != r) holders_[s.population].push_back(r);
      if (run_of[s.population].empty()) continue;
      std::fill_n(run_of[s.population].begin() + s.first, s.count, r);
    }
  }
  RunNeeds& needs = limits.needs();
  for (std::uint32_t r = 0; r < runs_; ++r) {
    needs.evaluate(runs[r]);
    for (std::uint32_t p = 0; p < populations; ++p) {
      if (needs.reaches_all(p)) {
        senders_[r].push_back(runs_ + p);
        continue;
      }
      for (const std::uint32_t neuron : needs.marked(p)) {
        const std::uint32_t other = run_of[p][neuron];
        if (other != r && other != kNone && needs.is_marked(p, neuron)) senders_[r].push_back(other);
      }
    }
    std::sort(senders_[r].begin(), senders_[r].end());
    senders_[r].erase(std::unique(senders_[r].begin(), senders_[r].end()), senders_[r].end());
  }
  // A run that holds a population whole sends to itself by way of it; that is no cycle.
  std::vector<std::vector<std::uint32_t>> receivers(runs_ + populations);
  for (std::uint32_t r = 0; r < runs_; ++r) {
    for (const std::uint32_t s : senders_[r]) {
      const bool only_here = s >= runs_ && holders_[s - runs_].size() == 1 && holders_[s - runs_][0] == r;
      if (!only_here) receivers[s].push_back(r);
    }
  }
  for (std::uint32_t p = 0; p < populations; ++p) {
    for (const std::uint32_t r : holders_[p]) receivers[r].push_back(runs_ + p);
  }
  std::vector<std::uint64_t> begin{0};
  std::vector<std::uint32_t> to;
  for (const auto& list : receivers) {
    to.insert(to.end(), list.begin(), list.end());
    begin.push_back(to.size());
  }
  component_ = strong_components(begin, to);
  // A run and a population may reach each other although no other run takes part: a run with the last part of a
  // population and what the whole of it sends to.
  component_.resize(runs_);
}

bool RunGraph::has_cycle() const {
  std::vector<std::uint32_t> seen = component_;
  std::sort(seen.begin(), seen.end());
  return std::adjacent_find(seen.begin(), seen.end()) != seen.end();
}

std::vector<std::uint32_t> RunGraph::order() const {
  // Components by the longest way to them, so that the given order stays where it can.
  std::vector<std::uint32_t> order(runs_), by_component(runs_), first;
  std::iota(order.begin(), order.end(), 0u);
  bool in_order = true;
  for (std::uint32_t r = 0; r < runs_ && in_order; ++r) {
    visit_senders(r, [&](std::uint32_t s) { in_order = in_order && (s < r || component_[s] == component_[r]); });
  }
  first.assign(*std::max_element(component_.begin(), component_.end()) + std::size_t{1}, kNone);
  for (std::uint32_t r = 0; r < runs_; ++r) first[component_[r]] = std::min(first[component_[r]], r);
  std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return in_order ? std::pair(first[component_[a]], a) < std::pair(first[component_[b]], b) : std::pair(component_[a], a) < std::pair(component_[b], b);
  });
  return order;
}

}  // namespace tessera
