// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "engine/reach_table.hpp"

#include <algorithm>
#include <limits>

#include "tessera/errors.hpp"

namespace tessera {
ReachTable::ReachTable(std::uint32_t neurons, const std::vector<std::vector<std::uint32_t>>& reached)
    : some_((neurons + 63) / 64, 0) {
  std::uint64_t pairs = 0;
  for (const auto& numbers : reached) {
    pairs += numbers.size();
    for (const std::uint32_t number : numbers) some_[number / 64] |= std::uint64_t{1} << number % 64;
  }
  if (reached.size() > 65536 || pairs > std::numeric_limits<std::uint32_t>::max()) {
    throw RunError("The table of who needs which neuron would have " + std::to_string(pairs) + " entries for " +
                   std::to_string(reached.size()) + " ranks; 4,294,967,295 and 65,536 are possible. Use the exchange " +
                   "'collective'.");
  }
  std::uint32_t some = 0;
  for (const std::uint64_t word : some_) {
    before_.push_back(some);
    some += static_cast<std::uint32_t>(std::popcount(word));
  }
  const auto place_of = [this](std::uint32_t number) {
    const std::uint64_t below = (std::uint64_t{1} << number % 64) - 1;
    return before_[number / 64] + static_cast<std::size_t>(std::popcount(some_[number / 64] & below));
  };
  begin_.assign(std::size_t{some} + 1, 0);
  for (const auto& numbers : reached) {
    for (const std::uint32_t number : numbers) ++begin_[place_of(number) + 1];
  }
  for (std::size_t i = 1; i < begin_.size(); ++i) begin_[i] += begin_[i - 1];
  neighbours_.resize(pairs);
  std::vector<std::uint32_t> at(begin_.begin(), begin_.end() - 1);
  for (std::size_t n = 0; n < reached.size(); ++n) {
    for (const std::uint32_t number : reached[n]) neighbours_[at[place_of(number)]++] = static_cast<std::uint16_t>(n);
  }
}

ReachTable make_reach_table(const Wiring& wiring, const std::vector<std::uint32_t>& rank_of_chunk, int rank,
                            std::span<const int> to) {
  struct Own {
    std::uint32_t begin, end, number;  ///< sources of their population; the number of the first
  };
  const Network& network = wiring.network();
  std::vector<std::vector<Own>> own(network.populations.size());
  std::uint32_t neurons = 0;
  std::vector<std::vector<std::uint32_t>> chunks_of(to.size());
  for (std::uint32_t c = 0; c < rank_of_chunk.size(); ++c) {
    const Chunk& chunk = wiring.chunks()[c];
    const auto owner = static_cast<int>(rank_of_chunk[c]);
    if (owner == rank) {
      own[chunk.population].push_back({chunk.begin, chunk.begin + chunk.size, neurons});
      neurons += chunk.size;
    } else if (const auto at = std::lower_bound(to.begin(), to.end(), owner); at != to.end() && *at == owner) {
      chunks_of[static_cast<std::size_t>(at - to.begin())].push_back(c);
    }
  }
  // Per population: the projections into it, with their sources' population.
  std::vector<std::vector<std::pair<std::uint32_t, std::size_t>>> projections_into(network.populations.size());
  for (std::uint32_t p = 0; p < network.projections.size(); ++p) {
    projections_into[network.index_of(network.projections[p].target)].emplace_back(p, network.index_of(network.projections[p].source));
  }
  std::vector<std::vector<std::uint32_t>> reached(to.size());
  std::vector<bool> marks(neurons);
  for (std::size_t n = 0; n < to.size(); ++n) {
    std::fill(marks.begin(), marks.end(), false);
    for (const std::uint32_t chunk : chunks_of[n]) {
      for (const auto& [p, source] : projections_into[wiring.chunks()[chunk].population]) {
        for (const Own& part : own[source]) {
          wiring.find_reaching(p, chunk, part.begin, part.end, marks.begin() + part.number);
        }
      }
    }
    for (std::uint32_t i = 0; i < neurons; ++i) {
      if (marks[i]) reached[n].push_back(i);
    }
  }
  return ReachTable(neurons, reached);
}

}  // namespace tessera
