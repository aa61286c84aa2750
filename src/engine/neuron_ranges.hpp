// The neurons of a rank, numbered through: what a process keeps for each of its neurons is an array over these
// numbers, and lists between ranks name neurons by them.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "connectivity/chunks.hpp"

namespace tessera {

/// Neurons first .. first + size - 1 (global ids) have the numbers from `number` on.
struct NeuronRange {
  std::uint32_t first = 0, size = 0, number = 0;
};

/// The ranges of one rank in ascending order, by id as by number. A view: the array lives in AllNeurons.
class NeuronRanges {
 public:
  NeuronRanges() = default;
  explicit NeuronRanges(std::span<const NeuronRange> ranges) : ranges_(ranges) {}

  [[nodiscard]] std::uint32_t size() const {
    return ranges_.empty() ? 0 : ranges_.back().number + ranges_.back().size;
  }
  [[nodiscard]] std::span<const NeuronRange> ranges() const { return ranges_; }
  [[nodiscard]] bool has(std::uint32_t id) const {
    const NeuronRange* range = last_up_to(id, &NeuronRange::first);
    return range != nullptr && id - range->first < range->size;
  }

  /// Looks neurons up one after the other: those of a list are mostly in the range of the one before.
  class Cursor {
   public:
    explicit Cursor(const NeuronRanges& all) : all_(&all) {}
    /// The number of an id that is in one of the ranges.
    [[nodiscard]] std::uint32_t number_of(std::uint32_t id) {
      if (id - at_.first >= at_.size) at_ = *all_->last_up_to(id, &NeuronRange::first);
      return id - at_.first + at_.number;
    }
    /// The id of a number below size().
    [[nodiscard]] std::uint32_t id_of(std::uint32_t number) {
      if (number - at_.number >= at_.size) at_ = *all_->last_up_to(number, &NeuronRange::number);
      return number - at_.number + at_.first;
    }

   private:
    const NeuronRanges* all_;
    NeuronRange at_;
  };

 private:
  [[nodiscard]] const NeuronRange* last_up_to(std::uint32_t value, std::uint32_t NeuronRange::*key) const {
    const auto after = std::upper_bound(ranges_.begin(), ranges_.end(), value,
                                        [key](std::uint32_t v, const NeuronRange& r) { return v < r.*key; });
    return after == ranges_.begin() ? nullptr : &*(after - 1);
  }
  std::span<const NeuronRange> ranges_;
};

/// The neurons of every rank: 12 bytes for every run of chunks that lie on one rank, 4 for every rank.
class AllNeurons {
 public:
  /// `first_id`: global id of every population's first neuron.
  AllNeurons(const std::vector<Chunk>& chunks, const std::vector<std::uint32_t>& first_id,
             const std::vector<std::uint32_t>& rank_of_chunk, int ranks)
      : begin_(static_cast<std::size_t>(ranks) + 1, 0) {
    for (const bool counting : {true, false}) {  // how many ranges a rank has, then the ranges
      std::vector<NeuronRange> open(static_cast<std::size_t>(ranks));
      std::vector<std::uint32_t> at(begin_.begin(), begin_.end() - 1);
      for (std::size_t c = 0; c < chunks.size(); ++c) {
        const std::uint32_t first = first_id[chunks[c].population] + chunks[c].begin, r = rank_of_chunk[c];
        NeuronRange& range = open[r];
        const bool goes_on = range.size > 0 && range.first + range.size == first;
        if (!goes_on) {
          range = {first, 0, range.number + range.size};
          if (counting) ++begin_[r + 1];
          ++at[r];
        }
        range.size += chunks[c].size;
        if (!counting) ranges_[at[r] - 1] = range;
      }
      if (!counting) break;
      for (std::size_t r = 1; r < begin_.size(); ++r) begin_[r] += begin_[r - 1];
      ranges_.resize(begin_.back());
    }
  }
  /// Neurons of the network.
  [[nodiscard]] std::uint64_t total() const {
    std::uint64_t neurons = 0;
    for (const NeuronRange& range : ranges_) neurons += range.size;
    return neurons;
  }
  [[nodiscard]] NeuronRanges of(int rank) const {
    const auto r = static_cast<std::size_t>(rank);
    return NeuronRanges(std::span(ranges_).subspan(begin_[r], begin_[r + 1] - begin_[r]));
  }

 private:
  std::vector<std::uint32_t> begin_;
  std::vector<NeuronRange> ranges_;
};

}  // namespace tessera
