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

namespace {

/// Neurons of this rank that follow each other: sources of their population, and the number of the first.
struct OwnPart {
  std::uint32_t begin, end, number;
};

/// Where the neurons of this rank and the chunks of its neighbours are.
struct Homes {
  std::vector<std::vector<OwnPart>> own;               ///< per population
  std::vector<std::vector<std::uint32_t>> chunks;      ///< per neighbour
  std::vector<std::vector<std::uint32_t>> projections; ///< per target population
  std::uint32_t neurons = 0;

  Homes(const Wiring& wiring, const std::vector<std::uint32_t>& rank_of_chunk, int rank, std::span<const int> to)
      : own(wiring.network().populations.size()), chunks(to.size()), projections(own.size()) {
    for (std::uint32_t c = 0; c < rank_of_chunk.size(); ++c) {
      const Chunk& chunk = wiring.chunks()[c];
      const auto owner = static_cast<int>(rank_of_chunk[c]);
      if (owner == rank) {
        own[chunk.population].push_back({chunk.begin, chunk.begin + chunk.size, neurons});
        neurons += chunk.size;
      } else if (const auto at = std::lower_bound(to.begin(), to.end(), owner); at != to.end() && *at == owner) {
        chunks[static_cast<std::size_t>(at - to.begin())].push_back(c);
      }
    }
    for (std::uint32_t p = 0; p < wiring.network().projections.size(); ++p) {
      projections[wiring.target_population(p)].push_back(p);
    }
  }
};

/// Numbers of own neurons that have a synapse on a neighbour, or modulate some there, ascending.
std::vector<std::uint32_t> reaching(const Wiring& wiring, const Homes& homes, std::size_t neighbour, std::vector<bool>& marks) {
  marks.assign(homes.neurons, false);
  for (const std::uint32_t chunk : homes.chunks[neighbour]) {
    for (const std::uint32_t p : homes.projections[wiring.chunks()[chunk].population]) {
      for (const OwnPart& part : homes.own[wiring.source_population(p)]) {
        wiring.find_reaching(p, chunk, part.begin, part.end, marks.begin() + part.number);
      }
      const Projection& projection = wiring.network().projections[p];
      if (!has_modulator(projection)) continue;
      for (const OwnPart& part : homes.own[wiring.network().index_of(projection.plasticity->modulator)]) {
        std::fill_n(marks.begin() + part.number, part.end - part.begin, true);
      }
    }
  }
  std::vector<std::uint32_t> numbers;
  for (std::uint32_t i = 0; i < homes.neurons; ++i) {
    if (marks[i]) numbers.push_back(i);
  }
  return numbers;
}

}  // namespace

ReachTable make_reach_table(Wiring& wiring, const std::vector<std::uint32_t>& rank_of_chunk, int rank,
                            std::span<const int> to, ThreadTeam& team) {
  wiring.prepare_reaching();
  const Homes homes(wiring, rank_of_chunk, rank, to);
  std::vector<std::vector<std::uint32_t>> reached(to.size());
  team.run([&](int worker) {
    std::vector<bool> marks;
    for (auto n = static_cast<std::size_t>(worker); n < to.size(); n += static_cast<std::size_t>(team.size())) {
      reached[n] = reaching(wiring, homes, n, marks);
    }
  });
  return ReachTable(homes.neurons, reached);
}

}  // namespace tessera
