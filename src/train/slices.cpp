// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "train/slices.hpp"

#include <algorithm>
#include <bit>

namespace tessera::training {

bool are_halves(SliceRange left, SliceRange right, std::uint32_t slices) {
  const std::uint32_t half = left.end - left.begin;
  return left.end == right.begin && std::has_single_bit(half) && left.begin % (2 * half) == 0 &&
         right.end == std::min(left.begin + 2 * half, slices);
}

std::vector<std::pair<std::size_t, std::size_t>> merges_of(const std::vector<SliceRange>& nodes,
                                                           std::uint32_t slices) {
  std::vector<std::pair<std::size_t, std::size_t>> merges;
  std::vector<std::pair<std::size_t, SliceRange>> open;
  for (std::size_t k = 0; k < nodes.size(); ++k) {
    open.emplace_back(k, nodes[k]);
    while (open.size() > 1 && are_halves(open[open.size() - 2].second, open.back().second, slices)) {
      merges.emplace_back(open[open.size() - 2].first, open.back().first);
      open[open.size() - 2].second.end = open.back().second.end;
      open.pop_back();
    }
  }
  return merges;
}

SliceRange slices_of_rank(std::uint32_t slices, int rank, int ranks) {
  const auto r = static_cast<std::uint64_t>(rank), n = static_cast<std::uint64_t>(ranks);
  return {static_cast<std::uint32_t>(r * slices / n), static_cast<std::uint32_t>((r + 1) * slices / n)};
}

std::vector<SliceRange> nodes_of_rank(std::uint32_t slices, int rank, int ranks) {
  const SliceRange own = slices_of_rank(slices, rank, ranks);
  std::vector<SliceRange> open;
  for (std::uint32_t s = own.begin; s < own.end; ++s) {
    open.push_back({s, s + 1});
    while (open.size() > 1 && are_halves(open[open.size() - 2], open.back(), slices)) {
      open[open.size() - 2].end = open.back().end;
      open.pop_back();
    }
  }
  return open;
}

void cut_samples(const SpikeBatch& batch, std::uint32_t begin, std::uint32_t end, SpikeBatch& part) {
  part.samples = end - begin;
  part.steps = batch.steps;
  part.channels = batch.channels;
  part.label.assign(batch.label.begin() + begin, batch.label.begin() + end);
  const std::size_t targets = batch.samples > 0 ? batch.target.size() / batch.samples : 0;
  part.target.assign(batch.target.begin() + static_cast<std::ptrdiff_t>(begin * targets),
                     batch.target.begin() + static_cast<std::ptrdiff_t>(end * targets));
  // Time-major: the lists of these samples lie together in every step.
  part.first.assign(1, 0);
  part.channel.clear();
  for (std::size_t step = 0; step < batch.steps; ++step) {
    const std::size_t first = step * batch.samples + begin, last = step * batch.samples + end;
    const auto offset = static_cast<std::uint32_t>(part.channel.size());
    for (std::size_t q = first; q < last; ++q)
      part.first.push_back(offset + batch.first[q + 1] - batch.first[first]);
    part.channel.insert(part.channel.end(), batch.channel.begin() + batch.first[first],
                        batch.channel.begin() + batch.first[last]);
  }
}

}  // namespace tessera::training
