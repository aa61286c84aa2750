// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "machine/partition_groups.hpp"

#include <algorithm>
#include <cmath>
#include <queue>
#include <set>

namespace tessera {
namespace {

struct Graph {
  std::vector<std::uint64_t> begin;
  std::vector<std::uint32_t> to;
};

Graph graph_of(std::size_t vertices, const std::vector<std::pair<std::uint32_t, std::uint32_t>>& edges) {
  Graph g;
  g.begin.assign(vertices + 1, 0);
  for (const auto& [from, to] : edges) ++g.begin[from + 1];
  for (std::size_t v = 0; v < vertices; ++v) g.begin[v + 1] += g.begin[v];
  g.to.resize(edges.size());
  std::vector<std::uint64_t> at(g.begin.begin(), g.begin.end() - 1);
  for (const auto& [from, to] : edges) g.to[at[from]++] = to;
  return g;
}

void add_slice(std::vector<PartitionSlice>& slices, std::uint32_t population, std::uint32_t neuron) {
  if (!slices.empty() && slices.back().population == population && slices.back().first + slices.back().count == neuron) {
    ++slices.back().count;
  } else {
    slices.push_back({population, neuron, 1});
  }
}

// Populations that reach each other, whose links all name single pairs: components are those of their neurons.
class NeuronLevel {
 public:
  NeuronLevel(const DividedNetwork& network, std::vector<std::uint32_t> populations) : network_(network), populations_(std::move(populations)) {
    base_.assign(network.populations.size(), kNone);
    for (const std::uint32_t p : populations_) {
      base_[p] = vertices_;
      vertices_ += network.populations[p].size;
    }
  }

  std::vector<Group> groups() {
    collect_edges();
    const Graph graph = graph_of(vertices_, edges_);
    component_ = strong_components(graph.begin, graph.to);
    const std::uint32_t components = vertices_ > 0 ? *std::max_element(component_.begin(), component_.end()) + 1 : 0;
    std::vector<std::uint32_t> size(components, 0), level(components, 0);
    for (const std::uint32_t c : component_) ++size[c];
    find_levels(graph, components, level);
    // Single neurons of one level do not reach each other: they are one group.
    std::vector<std::uint32_t> group_of(components, kNone), of_level;
    std::vector<Group> groups;
    for (std::uint32_t c = 0; c < components; ++c) {
      if (size[c] > 1) {
        group_of[c] = static_cast<std::uint32_t>(groups.size());
        groups.emplace_back();
        groups.back().recurrent = true;
      } else {
        of_level.resize(std::max<std::size_t>(of_level.size(), level[c] + std::size_t{1}), kNone);
        if (of_level[level[c]] == kNone) {
          of_level[level[c]] = static_cast<std::uint32_t>(groups.size());
          groups.emplace_back();
        }
        group_of[c] = of_level[level[c]];
      }
    }
    for (const std::uint32_t p : populations_) {
      for (std::uint32_t i = 0; i < network_.populations[p].size; ++i) add_slice(groups[group_of[component_[base_[p] + i]]].slices, p, i);
    }
    std::vector<std::set<std::uint32_t>> before(groups.size());
    for (const auto& [from, to] : edges_) {
      const std::uint32_t a = group_of[component_[from]], b = group_of[component_[to]];
      if (a != b) before[b].insert(a);
    }
    for (std::size_t g = 0; g < groups.size(); ++g) groups[g].before.assign(before[g].begin(), before[g].end());
    return groups;
  }

 private:
  void collect_edges() {
    for (const std::uint32_t p : populations_) {
      for (const std::uint32_t l : network_.links_to[p]) {
        const EventLink& link = network_.links[l];
        if (link.source >= network_.populations.size() || base_[link.source] == kNone) continue;
        for (std::uint32_t i = 0; i < network_.populations[p].size; ++i) {
          if (link.kind == EventLink::Kind::one_to_one) {
            edges_.emplace_back(base_[link.source] + i, base_[p] + i);
            continue;
          }
          for (std::uint64_t s = link.begin[i]; s < link.begin[i + 1]; ++s) edges_.emplace_back(base_[link.source] + link.sources[s], base_[p] + i);
        }
      }
    }
  }
  void find_levels(const Graph& graph, std::uint32_t components, std::vector<std::uint32_t>& level) const {
    std::vector<std::vector<std::uint32_t>> members(components);
    for (std::uint32_t v = 0; v < vertices_; ++v) members[component_[v]].push_back(v);
    for (std::uint32_t c = 0; c < components; ++c) {
      for (const std::uint32_t v : members[c]) {
        for (std::uint64_t e = graph.begin[v]; e < graph.begin[v + 1]; ++e) {
          const std::uint32_t other = component_[graph.to[e]];
          if (other != c) level[other] = std::max(level[other], level[c] + 1);
        }
      }
    }
  }

  const DividedNetwork& network_;
  std::vector<std::uint32_t> populations_, base_, component_;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> edges_;
  std::uint32_t vertices_ = 0;
};

bool names_single_pairs(const EventLink& link) { return link.kind == EventLink::Kind::listed || link.kind == EventLink::Kind::one_to_one; }

// Groups of one component of populations; `before` counts among themselves.
std::vector<Group> split(const DividedNetwork& n, const std::vector<std::uint32_t>& populations) {
  bool inside = false, pairs = true;
  double delay = HUGE_VAL;
  std::uint64_t neurons = 0;
  for (const std::uint32_t p : populations) neurons += n.populations[p].size;
  for (const std::uint32_t p : populations) {
    for (const std::uint32_t l : n.links_to[p]) {
      const EventLink& link = n.links[l];
      if (std::find(populations.begin(), populations.end(), link.source) == populations.end()) continue;
      inside = true;
      pairs = pairs && names_single_pairs(link);
      delay = std::min(delay, link.shortest_delay_ms);
    }
  }
  std::vector<Group> groups;
  if (inside && pairs) {
    groups = NeuronLevel(n, populations).groups();
  } else {
    groups.emplace_back();
    groups[0].recurrent = inside && neurons > 1;
    for (const std::uint32_t p : populations) groups[0].slices.push_back({p, 0, n.populations[p].size});
  }
  for (Group& g : groups) {
    if (g.recurrent) g.exchange_ms = delay;
  }
  return groups;
}

// Ready groups in the order in which they were found, that of the file.
std::vector<Group> in_order(std::vector<Group> groups) {
  std::vector<std::uint32_t> waits(groups.size()), place(groups.size());
  std::vector<std::vector<std::uint32_t>> after(groups.size());
  std::priority_queue<std::uint32_t, std::vector<std::uint32_t>, std::greater<>> ready;
  for (std::uint32_t g = 0; g < groups.size(); ++g) {
    waits[g] = static_cast<std::uint32_t>(groups[g].before.size());
    for (const std::uint32_t b : groups[g].before) after[b].push_back(g);
    if (waits[g] == 0) ready.push(g);
  }
  std::vector<Group> sorted;
  while (!ready.empty()) {
    const std::uint32_t g = ready.top();
    ready.pop();
    place[g] = static_cast<std::uint32_t>(sorted.size());
    sorted.push_back(std::move(groups[g]));
    for (const std::uint32_t a : after[g]) {
      if (--waits[a] == 0) ready.push(a);
    }
  }
  for (Group& g : sorted) {
    for (std::uint32_t& b : g.before) b = place[b];
  }
  return sorted;
}

}  // namespace

// Tarjan's algorithm without recursion. It numbers components from the last one on, so numbers are turned round.
std::vector<std::uint32_t> strong_components(const std::vector<std::uint64_t>& begin, const std::vector<std::uint32_t>& to) {
  const auto vertices = static_cast<std::uint32_t>(begin.size() - 1);
  std::vector<std::uint32_t> component(vertices, kNone), index(vertices, kNone), low(vertices, 0), stack;
  std::vector<std::pair<std::uint32_t, std::uint64_t>> path;
  std::uint32_t next = 0, components = 0;
  for (std::uint32_t root = 0; root < vertices; ++root) {
    if (index[root] != kNone) continue;
    path.emplace_back(root, begin[root]);
    while (!path.empty()) {
      auto& [v, edge] = path.back();
      if (index[v] == kNone) {
        index[v] = low[v] = next++;
        stack.push_back(v);
      }
      if (edge < begin[v + 1]) {
        const std::uint32_t w = to[edge++];
        if (index[w] == kNone) {
          path.emplace_back(w, begin[w]);
        } else if (component[w] == kNone) {
          low[v] = std::min(low[v], index[w]);
        }
        continue;
      }
      const std::uint32_t done = v;
      path.pop_back();
      if (!path.empty()) low[path.back().first] = std::min(low[path.back().first], low[done]);
      if (low[done] != index[done]) continue;
      std::uint32_t w = kNone;
      do {
        w = stack.back();
        stack.pop_back();
        component[w] = components;
      } while (w != done);
      ++components;
    }
  }
  for (std::uint32_t& c : component) c = components - 1 - c;
  return component;
}

std::vector<Group> groups_of(const DividedNetwork& n, Limits& limits) {
  const auto size = static_cast<std::uint32_t>(n.populations.size());
  std::vector<std::pair<std::uint32_t, std::uint32_t>> edges;
  for (const EventLink& link : n.links) {
    if (link.source < size) edges.emplace_back(link.source, link.target);
  }
  const Graph graph = graph_of(size, edges);
  const std::vector<std::uint32_t> component = strong_components(graph.begin, graph.to);
  std::vector<std::vector<std::uint32_t>> members(size);
  for (std::uint32_t p = 0; p < size; ++p) members[component[p]].push_back(p);
  std::vector<Group> groups;
  std::vector<std::vector<std::uint32_t>> groups_with(size);  // by population
  for (std::uint32_t p = 0; p < size; ++p) {
    const std::vector<std::uint32_t>& together = members[component[p]];
    if (together.front() != p) continue;
    const auto base = static_cast<std::uint32_t>(groups.size());
    for (Group& g : split(n, together)) {
      if (g.slices.empty()) continue;
      for (std::uint32_t& b : g.before) b += base;
      for (const PartitionSlice& s : g.slices) {
        auto& with = groups_with[s.population];
        if (with.empty() || with.back() != groups.size()) with.push_back(static_cast<std::uint32_t>(groups.size()));
      }
      groups.push_back(std::move(g));
    }
  }
  std::vector<std::set<std::uint32_t>> before(groups.size());
  for (std::size_t g = 0; g < groups.size(); ++g) before[g].insert(groups[g].before.begin(), groups[g].before.end());
  for (const auto& [from, to] : edges) {
    if (component[from] == component[to]) continue;
    for (const std::uint32_t b : groups_with[to]) before[b].insert(groups_with[from].begin(), groups_with[from].end());
  }
  for (std::size_t g = 0; g < groups.size(); ++g) groups[g].before.assign(before[g].begin(), before[g].end());
  for (Group& g : groups) {
    const Limits::Usage usage = limits.quick_usage(g.slices);
    g.neurons = usage.neurons;
    g.circuits = usage.circuits;
    if (g.recurrent) g.fits = limits.fits_quickly(usage) && (!limits.has_slow_limits() || limits.fits(limits.usage(g.slices)));
  }
  return in_order(std::move(groups));
}

}  // namespace tessera
