// Starting points from METIS (Karypis and Kumar 1998), which divides vertices joined by weighted edges.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <metis.h>

#include <algorithm>
#include <limits>

#include "machine/partition_graph.hpp"

namespace tessera {
namespace {

struct Edges {
  std::vector<idx_t> begin, to, weight;
};

// Both directions of every pair once. A net whose source is no vertex of the graph is one itself, without weight.
Edges edges_of(const PinGraph& g, idx_t& vertices) {
  std::vector<std::pair<idx_t, idx_t>> pairs;
  pairs.reserve(2 * g.pins.size());
  vertices = static_cast<idx_t>(g.vertices());
  for (std::uint32_t e = 0; e < g.nets(); ++e) {
    const idx_t source = g.vertex_of[e] != 0xffffffffu ? static_cast<idx_t>(g.vertex_of[e]) : vertices++;
    for (std::uint64_t i = g.begin[e]; i < g.begin[e + 1]; ++i) {
      const auto target = static_cast<idx_t>(g.pins[i]);
      if (target == source) continue;
      pairs.emplace_back(source, target);
      pairs.emplace_back(target, source);
    }
  }
  std::sort(pairs.begin(), pairs.end());
  Edges edges;
  edges.begin.assign(static_cast<std::size_t>(vertices) + 1, 0);
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (i > 0 && pairs[i] == pairs[i - 1]) {
      ++edges.weight.back();
      continue;
    }
    ++edges.begin[static_cast<std::size_t>(pairs[i].first) + 1];
    edges.to.push_back(pairs[i].second);
    edges.weight.push_back(1);
  }
  for (std::size_t v = 0; v + 1 < edges.begin.size(); ++v) edges.begin[v + 1] += edges.begin[v];
  return edges;
}

}  // namespace

bool has_metis() { return true; }

Parts metis_parts(const PinGraph& g, std::uint32_t parts, int seed) {
  if (parts < 2) return Parts(g.vertices(), 0);
  if (g.pins.size() > static_cast<std::size_t>(std::numeric_limits<idx_t>::max()) / 4) return {};
  idx_t vertices = 0;
  Edges edges = edges_of(g, vertices);
  std::vector<idx_t> weight(static_cast<std::size_t>(vertices), 0), part(static_cast<std::size_t>(vertices));
  for (std::uint32_t v = 0; v < g.vertices(); ++v) weight[v] = static_cast<idx_t>(std::min<std::uint64_t>(g.vertex_weight[v], 1'000'000));
  idx_t constraints = 1, count = static_cast<idx_t>(parts), cut = 0, options[METIS_NOPTIONS];
  METIS_SetDefaultOptions(options);
  options[METIS_OPTION_SEED] = seed;
  options[METIS_OPTION_UFACTOR] = 1;
  options[METIS_OPTION_NUMBERING] = 0;
  const int result = METIS_PartGraphKway(&vertices, &constraints, edges.begin.data(), edges.to.data(), weight.data(), nullptr,
                                         edges.weight.data(), &count, nullptr, nullptr, options, &cut, part.data());
  if (result != METIS_OK) return {};
  return {part.begin(), part.begin() + g.vertices()};
}

}  // namespace tessera
