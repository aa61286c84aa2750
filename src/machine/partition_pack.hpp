// Cuts a sequence of neurons into runs, and finds sequences that need few runs.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "machine/partition_groups.hpp"

namespace tessera {

using Slices = std::vector<PartitionSlice>;
using Runs = std::vector<Slices>;

/// The neurons of a group, one after the other. A new run begins at the slices in `breaks` (ascending).
struct Order {
  Slices slices;
  std::vector<std::size_t> breaks;
  std::string method = "index order";
};

/// The next `neurons` of a group.
struct Portion {
  std::uint32_t group = 0;
  std::uint64_t neurons = 0;
  bool new_run = false;
  friend bool operator==(const Portion&, const Portion&) = default;
};
using Sequence = std::vector<Portion>;

/// Fills run after run (next fit), which is the best that can be done with a sequence. Throws InputError when one neuron,
/// or a component, is more than a run holds.
[[nodiscard]] Runs cut(const std::vector<Group>& groups, const std::vector<Order>& orders, const Sequence& sequence, Limits& limits);

/// All groups whole, in their order: the greedy baseline.
[[nodiscard]] Sequence whole(const std::vector<Group>& groups);
/// The sequence with the fewest runs by circuits, of all that keep every group behind those that send to it; empty where
/// there are too many to look at, or circuits are not what counts.
[[nodiscard]] Sequence best_by_circuits(const std::vector<Group>& groups, const Limits& limits);
/// Fills what is left of a run with whatever is ready and fits.
[[nodiscard]] Sequence best_fit(const std::vector<Group>& groups, const Limits& limits);

/// What is minimised, in this order.
struct Cost {
  std::uint64_t runs = 0;
  double copies = 0.0, events = 0.0;  ///< by sources, and by their events
  double peak = 0.0;
  bool by_events = false;
  [[nodiscard]] bool operator<(const Cost& other) const;
};
[[nodiscard]] Cost cost_of(const Runs& runs, Limits& limits);

/// Slices in ascending order, neighbours joined.
[[nodiscard]] Slices sorted(Slices slices);

}  // namespace tessera
