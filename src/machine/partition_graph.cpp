// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "machine/partition_graph.hpp"

#include <algorithm>
#include <numeric>
#include <queue>

namespace tessera {
namespace {

constexpr std::uint32_t kNowhere = 0xffffffffu;
constexpr int kMostPasses = 12;

struct NetsOfVertices {
  std::vector<std::uint64_t> begin;
  std::vector<std::uint32_t> nets;
};

NetsOfVertices nets_of(const PinGraph& g) {
  NetsOfVertices n;
  n.begin.assign(g.vertices() + std::size_t{1}, 0);
  for (const std::uint32_t v : g.pins) ++n.begin[v + 1];
  for (std::uint32_t v = 0; v < g.vertices(); ++v) n.begin[v + 1] += n.begin[v];
  n.nets.resize(g.pins.size());
  std::vector<std::uint64_t> at(n.begin.begin(), n.begin.end() - 1);
  for (std::uint32_t e = 0; e < g.nets(); ++e) {
    for (std::uint64_t i = g.begin[e]; i < g.begin[e + 1]; ++i) n.nets[at[g.pins[i]]++] = e;
  }
  return n;
}

class Refiner {
 public:
  Refiner(const PinGraph& graph, std::uint32_t parts, std::uint64_t capacity, Parts& division)
      : g_(graph), k_(parts), capacity_(capacity), part_(division), nets_(nets_of(graph)) {
    load_.assign(k_, 0);
    for (std::uint32_t v = 0; v < g_.vertices(); ++v) load_[part_[v]] += g_.vertex_weight[v];
    count_.assign(std::size_t{g_.nets()} * k_, 0);
    for (std::uint32_t e = 0; e < g_.nets(); ++e) {
      for (std::uint64_t i = g_.begin[e]; i < g_.begin[e + 1]; ++i) ++count(e, part_[g_.pins[i]]);
    }
    leave_.assign(g_.vertices(), 0.0);
    join_.assign(std::size_t{g_.vertices()} * k_, 0.0);
    for (std::uint32_t v = 0; v < g_.vertices(); ++v) price(v);
    heaviest_ = *std::max_element(g_.vertex_weight.begin(), g_.vertex_weight.end());
  }

  bool run() {
    for (int pass = 0; pass < kMostPasses; ++pass) {
      if (!improve()) break;
    }
    return excess() == 0;
  }

 private:
  struct Move {
    double gain;
    std::uint32_t vertex, to, stamp;
    bool operator<(const Move& o) const {
      if (gain != o.gain) return gain < o.gain;
      return std::pair(vertex, to) > std::pair(o.vertex, o.to);
    }
  };

  std::uint32_t& count(std::uint32_t net, std::uint32_t part) { return count_[std::size_t{net} * k_ + part]; }
  double& join(std::uint32_t vertex, std::uint32_t part) { return join_[std::size_t{vertex} * k_ + part]; }
  // What is saved when v leaves its part, and what it costs to join another.
  void price(std::uint32_t v) {
    leave_[v] = 0.0;
    for (std::uint32_t p = 0; p < k_; ++p) join(v, p) = 0.0;
    for (std::uint64_t i = nets_.begin[v]; i < nets_.begin[v + 1]; ++i) {
      const std::uint32_t e = nets_.nets[i];
      if (count(e, part_[v]) == 1) leave_[v] += g_.net_weight[e];
      for (std::uint32_t p = 0; p < k_; ++p) {
        if (count(e, p) == 0) join(v, p) += g_.net_weight[e];
      }
    }
  }
  [[nodiscard]] std::uint64_t excess() const {
    std::uint64_t sum = 0;
    for (const std::uint64_t load : load_) sum += load > capacity_ ? load - capacity_ : 0;
    return sum;
  }
  void offer(std::uint32_t v) {
    if (locked_[v]) return;
    ++stamp_[v];
    for (std::uint32_t p = 0; p < k_; ++p) {
      if (p != part_[v]) heap_[part_[v]].push({leave_[v] - join(v, p), v, p, stamp_[v]});
    }
  }
  void touch(std::uint32_t v) {
    if (locked_[v] || dirty_[v]) return;
    dirty_[v] = true;
    changed_.push_back(v);
  }
  // Of all pins of a net, those in `part` (or all): their price changes.
  void move(std::uint32_t v, std::uint32_t to) {
    const std::uint32_t from = part_[v];
    for (std::uint64_t i = nets_.begin[v]; i < nets_.begin[v + 1]; ++i) {
      const std::uint32_t e = nets_.nets[i];
      const double w = g_.net_weight[e];
      const std::uint32_t left = --count(e, from), there = ++count(e, to);
      if (left > 1 && there > 2) continue;
      for (std::uint64_t j = g_.begin[e]; j < g_.begin[e + 1]; ++j) {
        const std::uint32_t u = g_.pins[j];
        if (left == 0) join(u, from) += w;
        if (there == 1) join(u, to) -= w;
        if (u == v) continue;
        if (left == 1 && part_[u] == from) leave_[u] += w;
        if (there == 2 && part_[u] == to) leave_[u] -= w;
        touch(u);
      }
    }
    load_[from] -= g_.vertex_weight[v];
    load_[to] += g_.vertex_weight[v];
    part_[v] = to;
    leave_[v] = 0.0;
    for (std::uint64_t i = nets_.begin[v]; i < nets_.begin[v + 1]; ++i) {
      if (count(nets_.nets[i], to) == 1) leave_[v] += g_.net_weight[nets_.nets[i]];
    }
  }
  // The best move out of `from` that leaves no part above `most`; others stay in the heap's side.
  bool best_of(std::uint32_t from, std::uint64_t most, Move& found) {
    auto& heap = heap_[from];
    std::vector<Move> later;
    bool any = false;
    while (!heap.empty() && later.size() < 64) {
      const Move m = heap.top();
      if (locked_[m.vertex] || part_[m.vertex] != from || stamp_[m.vertex] != m.stamp) {
        heap.pop();
        continue;
      }
      if (load_[m.to] + g_.vertex_weight[m.vertex] <= most) {
        found = m;
        any = true;
        break;
      }
      later.push_back(m);
      heap.pop();
    }
    for (const Move& m : later) heap.push(m);
    return any;
  }
  bool choose(Move& best) {
    const std::uint64_t loose = capacity_ + heaviest_;
    bool any = false;
    bool over = false;
    for (std::uint32_t p = 0; p < k_; ++p) over = over || load_[p] > capacity_;
    for (std::uint32_t p = 0; p < k_; ++p) {
      if (over && load_[p] <= capacity_) continue;
      Move m{};
      if (best_of(p, loose, m) && (!any || best < m)) {
        best = m;
        any = true;
      }
    }
    return any;
  }

  // One pass: every vertex moves once at most, the best first, also where that costs; then back to the best moment.
  bool improve() {
    locked_.assign(g_.vertices(), false);
    dirty_.assign(g_.vertices(), false);
    stamp_.assign(g_.vertices(), 0);
    heap_.assign(k_, {});
    for (std::uint32_t v = 0; v < g_.vertices(); ++v) offer(v);
    std::vector<std::pair<std::uint32_t, std::uint32_t>> done;  // vertex, where it was
    std::uint64_t least_excess = excess();
    const std::uint64_t first_excess = least_excess;
    double gain = 0.0, best_gain = 0.0;
    std::size_t best_at = 0;
    const std::size_t patience = std::max<std::size_t>(200, g_.vertices() / 4);
    Move m{};
    while (done.size() < best_at + patience && choose(m)) {
      gain += m.gain;
      done.emplace_back(m.vertex, part_[m.vertex]);
      locked_[m.vertex] = true;
      move(m.vertex, m.to);
      for (const std::uint32_t u : changed_) {
        dirty_[u] = false;
        offer(u);
      }
      changed_.clear();
      const std::uint64_t now = excess();
      if (now < least_excess || (now == least_excess && gain > best_gain + 1e-9)) {
        least_excess = now;
        best_gain = gain;
        best_at = done.size();
      }
    }
    while (done.size() > best_at) {
      move(done.back().first, done.back().second);
      done.pop_back();
    }
    changed_.clear();
    for (std::uint32_t v = 0; v < g_.vertices(); ++v) price(v);
    return best_gain > 1e-9 || least_excess < first_excess;
  }

  const PinGraph& g_;
  std::uint32_t k_;
  std::uint64_t capacity_, heaviest_ = 1;
  Parts& part_;
  NetsOfVertices nets_;
  std::vector<std::uint64_t> load_;
  std::vector<std::uint32_t> count_, stamp_, changed_;
  std::vector<double> leave_, join_;
  std::vector<bool> locked_, dirty_;
  std::vector<std::priority_queue<Move>> heap_;
};

// Without METIS: vertices in the order in which a search in breadth finds them, from one at the rim, cut into parts.
Parts grown_parts(const PinGraph& g, std::uint32_t parts) {
  const NetsOfVertices nets = nets_of(g);
  const auto search = [&](std::uint32_t start) {
    std::vector<std::uint32_t> order;
    std::vector<bool> seen(g.vertices(), false), used(g.nets(), false);
    for (std::uint32_t offset = 0; offset < g.vertices(); ++offset) {
      const std::uint32_t root = (start + offset) % g.vertices();
      if (seen[root]) continue;
      seen[root] = true;
      order.push_back(root);
      for (std::size_t at = order.size() - 1; at < order.size(); ++at) {
        const std::uint32_t v = order[at];
        for (std::uint64_t i = nets.begin[v]; i < nets.begin[v + 1]; ++i) {
          const std::uint32_t e = nets.nets[i];
          if (used[e]) continue;
          used[e] = true;
          for (std::uint64_t j = g.begin[e]; j < g.begin[e + 1]; ++j) {
            if (seen[g.pins[j]]) continue;
            seen[g.pins[j]] = true;
            order.push_back(g.pins[j]);
          }
        }
      }
    }
    return order;
  };
  const std::vector<std::uint32_t> order = search(search(0).back());
  const std::uint64_t all = std::accumulate(g.vertex_weight.begin(), g.vertex_weight.end(), std::uint64_t{0});
  Parts part(g.vertices());
  std::uint64_t before = 0;
  for (const std::uint32_t v : order) {
    part[v] = static_cast<std::uint32_t>(std::min<std::uint64_t>(parts - 1, before * parts / std::max<std::uint64_t>(1, all)));
    before += g.vertex_weight[v];
  }
  return part;
}

}  // namespace

double connectivity(const PinGraph& g, const Parts& part, std::uint32_t count) {
  std::vector<std::uint32_t> seen(count, kNowhere);
  double sum = 0.0;
  for (std::uint32_t e = 0; e < g.nets(); ++e) {
    for (std::uint64_t i = g.begin[e]; i < g.begin[e + 1]; ++i) {
      if (seen[part[g.pins[i]]] == e) continue;
      seen[part[g.pins[i]]] = e;
      sum += g.net_weight[e];
    }
  }
  return sum;
}

bool refine(const PinGraph& graph, std::uint32_t parts, std::uint64_t capacity, Parts& division) {
  return Refiner(graph, parts, capacity, division).run();
}

Parts divide_graph(const PinGraph& graph, std::uint32_t parts, std::uint64_t capacity) {
  if (parts == 0 || graph.vertices() == 0 || graph.nets() == 0) return {};
  constexpr std::uint64_t kMostPrices = 16'000'000;  // doubles, in refining
  if (std::uint64_t{graph.vertices() + graph.nets()} * parts > kMostPrices) return {};
  std::vector<Parts> starts;
  const int tries = graph.pins.size() < 1'000'000 ? 4 : 1;
  for (int seed = 1; seed <= tries && has_metis(); ++seed) {
    if (Parts found = metis_parts(graph, parts, seed); !found.empty()) starts.push_back(std::move(found));
  }
  if (starts.empty()) starts.push_back(grown_parts(graph, parts));
  Parts best;
  double least = 0.0;
  for (Parts& division : starts) {
    if (!refine(graph, parts, capacity, division)) continue;
    const double now = connectivity(graph, division, parts);
    if (!best.empty() && now >= least) continue;
    least = now;
    best = std::move(division);
  }
  return best;
}

}  // namespace tessera
