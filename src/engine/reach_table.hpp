// Which other ranks need the spikes of which own neurons. Every rank finds that out alone, from the counts that
// rows are drawn from. Takes two bytes for every (neuron, rank) pair, four for every neuron that has one, and a
// fifth of a byte for every neuron.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstdint>
#include <span>
#include <vector>

#include "base/thread_team.hpp"
#include "connectivity/wiring.hpp"
#include "engine/neuron_ranges.hpp"

namespace tessera {

class ReachTable {
 public:
  ReachTable() = default;
  /// reached[i]: the numbers of own neurons that have synapses on rank i of the neighbours, ascending.
  ReachTable(std::uint32_t neurons, const std::vector<std::vector<std::uint32_t>>& reached);

  /// The neighbours that need the spikes of an own neuron, by their place in the list of neighbours.
  [[nodiscard]] std::span<const std::uint16_t> neighbours_of(std::uint32_t number) const {
    const std::uint64_t word = some_[number / 64], bit = std::uint64_t{1} << number % 64;
    if ((word & bit) == 0) return {};
    const std::size_t i = before_[number / 64] + static_cast<std::size_t>(std::popcount(word & (bit - 1)));
    return std::span(neighbours_).subspan(begin_[i], begin_[i + 1] - begin_[i]);
  }
  [[nodiscard]] std::uint64_t pairs() const { return neighbours_.size(); }
  [[nodiscard]] std::uint64_t bytes() const {
    return some_.size() * sizeof some_[0] + before_.size() * sizeof before_[0] + begin_.size() * sizeof begin_[0] +
           neighbours_.size() * sizeof neighbours_[0];
  }

 private:
  std::vector<std::uint64_t> some_;        ///< a bit per neuron: some rank needs it
  std::vector<std::uint32_t> before_;      ///< such neurons before each word of bits
  std::vector<std::uint32_t> begin_;       ///< per such neuron, and the end
  std::vector<std::uint16_t> neighbours_;
};

/// The table of a placement's rank; `to` are the ranks it sends to. Throws RunError for more than 65,536 of
/// them and more than 4,294,967,295 pairs.
[[nodiscard]] ReachTable make_reach_table(Wiring& wiring, const std::vector<std::uint32_t>& rank_of_chunk, int rank,
                                          std::span<const int> to, ThreadTeam& team);

}  // namespace tessera
