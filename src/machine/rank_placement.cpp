// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "machine/rank_placement.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <queue>
#include <tuple>

#include "connectivity/value_tables.hpp"
#include "network/sheet.hpp"

namespace tessera {
namespace {

/// The 32 areas of a multi-area model differ by this much: each may still be the whole of a rank.
constexpr double kLargestGroup = 1.3;

/// Chunks that stay together.
struct Piece {
  double load = 0.0;
  std::vector<std::uint32_t> chunks;
};

/// The heaviest piece first, each to the rank with the least load; of equal ones the first.
std::vector<std::uint32_t> deal_out(std::vector<Piece> pieces, std::size_t chunk_count, int ranks) {
  std::stable_sort(pieces.begin(), pieces.end(), [](const Piece& a, const Piece& b) { return a.load > b.load; });
  using Rank = std::pair<double, std::uint32_t>;  // load, number
  std::priority_queue<Rank, std::vector<Rank>, std::greater<>> lightest;
  for (int r = 0; r < ranks; ++r) lightest.emplace(0.0, static_cast<std::uint32_t>(r));
  std::vector<std::uint32_t> rank_of(chunk_count, 0);
  for (const Piece& piece : pieces) {
    const auto [load, rank] = lightest.top();
    lightest.pop();
    for (const std::uint32_t c : piece.chunks) rank_of[c] = rank;
    lightest.emplace(load + piece.load, rank);
  }
  return rank_of;
}

/// Populations that grow together (union-find).
class Groups {
 public:
  explicit Groups(std::vector<double> loads) : load_(std::move(loads)), parent_(load_.size()) {
    std::iota(parent_.begin(), parent_.end(), std::size_t{0});
  }
  std::size_t of(std::size_t population) {
    while (parent_[population] != population) {
      population = parent_[population] = parent_[parent_[population]];
    }
    return population;
  }
  bool join(std::size_t a, std::size_t b, double largest) {
    a = of(a), b = of(b);
    if (a == b || load_[a] + load_[b] > largest) return false;
    parent_[std::max(a, b)] = std::min(a, b);
    load_[std::min(a, b)] = load_[a] + load_[b];
    return true;
  }

 private:
  std::vector<double> load_;
  std::vector<std::size_t> parent_;
};

struct Bond {
  std::uint32_t shortest = 0;
  double mean_delay_ms = 0.0;
  double synapses = 0.0;
  std::size_t source = 0, target = 0;
};

// Wide distributions of delays all begin at the shortest one: what lies near is told by the mean.
double mean_delay_ms(const Network& network, const Projection& p) {
  if (p.rule.kind == ConnectivityRule::Kind::explicit_list) {
    double sum = 0.0;
    for (const auto& synapse : p.rule.list) sum += synapse.delay_ms;
    return p.rule.list.empty() ? 0.0 : sum / static_cast<double>(p.rule.list.size());
  }
  if (!has_distance_delay(p)) return p.delay_ms.mean();
  const Span span = distances(p, *network.find(p.source), *network.find(p.target));
  return distance_delay_ms(p, 0.5 * (span.shortest + span.longest));
}

std::vector<Bond> bonds_of(const Network& network) {
  std::vector<Bond> bonds;
  for (const Projection& p : network.projections) {
    const std::size_t source = network.index_of(p.source), target = network.index_of(p.target);
    if (source == target) continue;
    bonds.push_back({shortest_delay_steps(network, p), mean_delay_ms(network, p),
                     expected_synapses(p, network.populations[source], network.populations[target]), source, target});
  }
  std::stable_sort(bonds.begin(), bonds.end(), [](const Bond& a, const Bond& b) {
    return std::tuple(a.shortest, a.mean_delay_ms, -a.synapses) < std::tuple(b.shortest, b.mean_delay_ms, -b.synapses);
  });
  return bonds;
}

/// Cuts the chunks of a heavy population into runs of about equal load.
void cut(const std::vector<std::uint32_t>& chunks, const std::vector<double>& loads, double whole, double share,
         std::vector<Piece>& pieces) {
  const double runs = std::ceil(whole / share);
  double before = 0.0;
  int run = -1;
  for (const std::uint32_t c : chunks) {
    const int here = static_cast<int>((before + 0.5 * loads[c]) / whole * runs);
    if (here != run) pieces.emplace_back();
    run = here;
    pieces.back().chunks.push_back(c);
    pieces.back().load += loads[c];
    before += loads[c];
  }
}

std::vector<Piece> pack(const Network& network, const std::vector<Chunk>& chunks, const std::vector<double>& loads,
                        int ranks) {
  const double share = std::accumulate(loads.begin(), loads.end(), 0.0) / ranks;
  std::vector<double> of_population(network.populations.size(), 0.0);
  std::vector<std::vector<std::uint32_t>> chunks_of(network.populations.size());
  for (std::uint32_t c = 0; c < chunks.size(); ++c) {
    of_population[chunks[c].population] += loads[c];
    chunks_of[chunks[c].population].push_back(c);
  }
  double piece_count = 0.0;  // fewer pieces than ranks would leave some without work
  for (const double load : of_population) piece_count += load > kLargestGroup * share ? std::ceil(load / share) : 1.0;
  Groups groups(of_population);
  for (const Bond& bond : bonds_of(network)) {
    if (piece_count <= ranks) break;
    if (groups.join(bond.source, bond.target, kLargestGroup * share)) piece_count -= 1.0;
  }
  std::vector<Piece> pieces, joined(network.populations.size());
  for (std::size_t p = 0; p < chunks_of.size(); ++p) {
    if (of_population[p] > kLargestGroup * share) {
      cut(chunks_of[p], loads, of_population[p], share, pieces);
      continue;
    }
    Piece& group = joined[groups.of(p)];
    group.load += of_population[p];
    group.chunks.insert(group.chunks.end(), chunks_of[p].begin(), chunks_of[p].end());
  }
  for (Piece& group : joined) {
    if (!group.chunks.empty()) pieces.push_back(std::move(group));
  }
  return pieces;
}

}  // namespace

std::vector<std::uint32_t> ranks_of_chunks(const Network& network, const std::vector<Chunk>& chunks,
                                           const std::vector<double>& loads, RankPlacement placement, int ranks) {
  if (ranks == 1) return std::vector<std::uint32_t>(chunks.size(), 0);
  if (placement == RankPlacement::pack) return deal_out(pack(network, chunks, loads, ranks), chunks.size(), ranks);
  std::vector<Piece> pieces;
  for (std::uint32_t c = 0; c < chunks.size(); ++c) pieces.push_back({loads[c], {c}});
  return deal_out(std::move(pieces), chunks.size(), ranks);
}

std::uint32_t shortest_delay_steps(const Network& network, const Projection& projection) {
  if (projection.rule.kind == ConnectivityRule::Kind::explicit_list) {
    double shortest = kMaxDelaySteps * network.dt_ms;
    for (const auto& synapse : projection.rule.list) shortest = std::min(shortest, synapse.delay_ms);
    return delay_steps(shortest, network.dt_ms);
  }
  if (!has_distance_delay(projection)) return DelayTable::range_of(projection.delay_ms, network.dt_ms).first;
  const Span span = distances(projection, *network.find(projection.source), *network.find(projection.target));
  return delay_steps(distance_delay_ms(projection, span.shortest), network.dt_ms);
}

}  // namespace tessera
