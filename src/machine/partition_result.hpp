// From runs to a Partition: who waits for whom, when, and how long it takes; bounds; stated runs; small networks.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "machine/partition_pack.hpp"

namespace tessera {

/// Which runs send to which. To keep it small, what all neurons of a population send goes by way of the population.
class RunGraph {
 public:
  RunGraph(const Runs& runs, Limits& limits);
  /// Of every run its component, numbered so that none sends to an earlier one.
  [[nodiscard]] const std::vector<std::uint32_t>& components() const { return component_; }
  /// Whether some runs need each other.
  [[nodiscard]] bool has_cycle() const;
  /// Runs so that none sends to an earlier one, those that need each other beside each other; else as they were.
  [[nodiscard]] std::vector<std::uint32_t> order() const;
  /// Calls `visit(run)` for every other run that sends to this one.
  template <class Visit>
  void visit_senders(std::uint32_t run, Visit&& visit) const {
    for (const std::uint32_t s : senders_[run]) {
      if (s < runs_) {
        visit(s);
      } else {
        for (const std::uint32_t holder : holders_[s - runs_]) {
          if (holder != run) visit(holder);
        }
      }
    }
  }

 private:
  std::uint32_t runs_ = 0;
  std::vector<std::vector<std::uint32_t>> senders_;  // of every run: runs, then runs_ + population
  std::vector<std::vector<std::uint32_t>> holders_;  // of every population
  std::vector<std::uint32_t> component_;
};

/// No partition has fewer runs; `by` says why.
[[nodiscard]] std::uint64_t bound_of_runs(const std::vector<Group>& groups, const Limits& limits, std::string& by);
/// None that divides the network has fewer copies.
[[nodiscard]] std::uint64_t bound_of_copies(Limits& limits);

/// The best of all partitions of a network of few pieces (components and neurons); nothing where there are too many.
[[nodiscard]] std::optional<Runs> best_of_all(const std::vector<Group>& groups, Limits& limits, std::uint64_t most_runs);

/// What is stated, with runs of its own for what is not. Throws InputError with all that is wrong with it.
[[nodiscard]] Runs complete(const std::vector<Group>& groups, const std::vector<Order>& orders, Limits& limits, const PartitionOptions& options);

/// Fills in runs, components, times and rounds.
[[nodiscard]] Partition describe(const Runs& runs, const std::vector<Group>& groups, Limits& limits, std::uint32_t chips);

}  // namespace tessera
