// A fan: all that one source population sends into one tile. Stored rows are fans written down, and
// procedural delivery draws them again.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "connectivity/listed_rows.hpp"
#include "connectivity/tile_layout.hpp"
#include "connectivity/weight_units.hpp"
#include "kernels/draw_rows.hpp"

namespace tessera {

/// Why the rows of a bundle are too long for any tile, or "".
[[nodiscard]] std::string row_problem(const Wiring& wiring, const Bundle& bundle);

/// Which bundles a store holds.
using BundleChoice = std::function<bool(const Bundle&)>;

class Fan {
 public:
  /// `by_group`: draws are asked for one delay group at a time, so corrected bundles are among the uniform ones
  /// as well; their corrections are with the listed ones.
  /// `bundles` are those of the population on the tile, each with its chunk's place.
  struct Target {
    const Bundle* bundle;
    const BlockLayout* block;
  };
  Fan(const Wiring& wiring, const WeightUnits& units, std::span<const Target> bundles, std::uint32_t source_population,
      std::uint32_t first_source, bool by_group);

  [[nodiscard]] std::uint32_t population() const { return population_; }
  [[nodiscard]] std::uint32_t first_source() const { return first_source_; }  ///< global id
  [[nodiscard]] std::uint32_t sources() const { return sources_; }
  [[nodiscard]] bool empty() const { return uniform_.empty() && listed_.size() == 0; }
  /// The bundles that are drawn row by row.
  [[nodiscard]] const ListedRows& listed() const { return listed_; }
  [[nodiscard]] std::size_t uniform_bundles() const { return uniform_.size(); }
  [[nodiscard]] std::uint32_t first_group() const { return first_group_; }
  [[nodiscard]] std::uint32_t groups() const { return groups_; }
  /// Of all its sources together.
  [[nodiscard]] double expected_synapses() const { return expected_synapses_; }
  /// Whether its synapses may be in more than one delay group.
  [[nodiscard]] bool several_groups() const { return several_groups_; }
  /// Largest expected count of one source, bundle and delay group.
  [[nodiscard]] double largest_mean_count() const { return largest_mean_count_; }
  [[nodiscard]] DrawStreams streams() const {
    return {uniform_.size(), stream_.data(), place_.data()};
  }
  [[nodiscard]] const std::uint32_t* steps(std::uint32_t group) const {
    return steps_.data() + (group - first_group_) * uniform_.size();
  }
  /// Entries of a source's count record: [group][bundle].
  [[nodiscard]] std::size_t record_size() const { return groups_ * uniform_.size(); }
  /// Count records of the eight sources from 8 * block on (fewer at the end), one after the other; or of several blocks.
  template <class Count>
  void count_block(std::uint32_t block, Count* records) const {
    count_blocks(block, 1, records);
  }
  template <class Count>
  void count_blocks(std::uint32_t first, std::uint32_t blocks, Count* records) const;
  static constexpr std::uint32_t kMostBlocks = 32;  ///< at once
  template <class Count>
  void count_source(std::uint32_t source, Count* record) const;

 private:
  template <class Count>
  void split(std::size_t bundle, std::uint32_t source, std::uint32_t count, Count* record) const;

  const Wiring* wiring_;
  std::uint32_t population_, first_source_, sources_;
  std::vector<Target> uniform_;
  ListedRows listed_;
  std::vector<std::uint32_t> stream_, place_, steps_;
  std::uint32_t first_group_ = 0, groups_ = 0;
  double largest_mean_count_ = 0.0, expected_synapses_ = 0.0;
  bool several_groups_ = false;
};

/// The fans of every source population into a tile with the bundles of one store, empty ones left out.
[[nodiscard]] std::vector<Fan> make_fans(const Wiring& wiring, const WeightUnits& units,
                                         const TileLayout& layout, const BundleChoice& holds, bool by_group = false);

}  // namespace tessera
