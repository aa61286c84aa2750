// Divides a network of single synapses: vertices are neurons, a net is a source with its targets. What is minimised is the
// sum over nets of weight x parts that have one of its targets.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

namespace tessera {

struct PinGraph {
  std::vector<std::uint64_t> vertex_weight;
  std::vector<double> net_weight;
  std::vector<std::uint64_t> begin;       ///< of every net in `pins`, one more
  std::vector<std::uint32_t> pins;        ///< vertices, each once in a net
  std::vector<std::uint32_t> vertex_of;   ///< of every net: the vertex that is its source, or 0xffffffff
  [[nodiscard]] std::uint32_t vertices() const { return static_cast<std::uint32_t>(vertex_weight.size()); }
  [[nodiscard]] std::uint32_t nets() const { return static_cast<std::uint32_t>(net_weight.size()); }
};

using Parts = std::vector<std::uint32_t>;  ///< of every vertex

/// No part is heavier than `capacity`; empty when none such was found. The same for the same graph.
[[nodiscard]] Parts divide_graph(const PinGraph& graph, std::uint32_t parts, std::uint64_t capacity);

[[nodiscard]] double connectivity(const PinGraph& graph, const Parts& parts, std::uint32_t count);

/// Moves and swaps vertices while that helps (Fiduccia and Mattheyses 1982, for several parts), and until no part is
/// heavier than `capacity`. False when it could not get there.
bool refine(const PinGraph& graph, std::uint32_t parts, std::uint64_t capacity, Parts& division);

/// Parts of about equal weight by METIS; empty when this build has none. `seed` varies the result.
[[nodiscard]] Parts metis_parts(const PinGraph& graph, std::uint32_t parts, int seed);
[[nodiscard]] bool has_metis();

}  // namespace tessera
