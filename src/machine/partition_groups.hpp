// What may be cut where: recurrent components, and neurons that do not need each other.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "machine/run_needs.hpp"

namespace tessera {

struct Group {
  std::vector<PartitionSlice> slices;  ///< by population, then neuron
  std::vector<std::uint32_t> before;   ///< groups that send to this one
  bool recurrent = false;              ///< a component; else its neurons do not reach each other
  bool fits = true;                    ///< a component that a chip holds, and which is not cut
  double exchange_ms = 0.0;            ///< component: its shortest delay
  std::uint64_t neurons = 0, circuits = 0;
  [[nodiscard]] bool is_cut() const { return !recurrent || !fits; }
};

/// In an order in which no group sends to an earlier one.
[[nodiscard]] std::vector<Group> groups_of(const DividedNetwork& network, Limits& limits);

/// Strongly connected components of a graph (edges of vertex v: to[begin[v]] .. to[begin[v + 1]]), numbered so that no
/// edge leads from a higher number to a lower one.
[[nodiscard]] std::vector<std::uint32_t> strong_components(const std::vector<std::uint64_t>& begin, const std::vector<std::uint32_t>& to);

}  // namespace tessera
