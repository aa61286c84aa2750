// Where the gradient of a batch is the sum of slices: a batch is cut into ranges of samples, each is
// computed for itself, and the results are added along a binary tree that depends on their number alone.
// So slices can be dealt out to ranks, and the sum has the same bits on any number of them.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "tessera/training.hpp"

namespace tessera::training {

/// A node of the tree: the sum of the slices begin .. end.
struct SliceRange {
  std::uint32_t begin = 0, end = 0;
  bool operator==(const SliceRange&) const = default;
};

/// Whether `right` is the other half of `left` in the tree over `slices`: the left half of a node has a
/// power of two of slices, and begins at a multiple of the whole.
[[nodiscard]] bool are_halves(SliceRange left, SliceRange right, std::uint32_t slices);

/// The additions that turn neighbouring nodes (in order, covering what they cover) into as few as possible:
/// node `first` gets node `second` added to it. What is left are the nodes that are no `second`.
[[nodiscard]] std::vector<std::pair<std::size_t, std::size_t>> merges_of(
    const std::vector<SliceRange>& nodes, std::uint32_t slices);

/// Slices of rank `rank`.
[[nodiscard]] SliceRange slices_of_rank(std::uint32_t slices, int rank, int ranks);
/// The nodes that this rank's slices add up to.
[[nodiscard]] std::vector<SliceRange> nodes_of_rank(std::uint32_t slices, int rank, int ranks);

/// First sample of a slice of a batch.
[[nodiscard]] constexpr std::uint32_t first_sample(std::uint32_t samples, std::uint32_t slice, std::uint32_t slices) {
  return static_cast<std::uint32_t>(std::uint64_t{samples} * slice / slices);
}
/// Samples begin .. end of a batch.
void cut_samples(const SpikeBatch& batch, std::uint32_t begin, std::uint32_t end, SpikeBatch& part);
/// Samples of a slice.
inline void cut_slice(const SpikeBatch& batch, std::uint32_t slice, std::uint32_t slices, SpikeBatch& part) {
  cut_samples(batch, first_sample(batch.samples, slice, slices), first_sample(batch.samples, slice + 1, slices), part);
}

}  // namespace tessera::training
