// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "connectivity/corrections.hpp"

#include <algorithm>

namespace tessera {

void RepeatedTargets::start(const DrawnRow& row, std::uint32_t n) {
  if (marks_.empty()) marks_.resize(kLargestChunk + 1);
  if (++mark_ == 0) {
    std::fill(marks_.begin(), marks_.end(), 0);
    mark_ = 1;
  }
  marks_[row.self] = mark_;
  if (at_.size() <= n) at_.resize(n + n / 2 + 1);
}

// Candidate j of synapse k of a group is word j % 4 of block (group, k) of round j / 4.
const std::vector<RepeatedTargets::Repeat>& RepeatedTargets::replace(const DrawnRow& row, std::uint32_t n) {
  repeats_.clear();
  if (n == 0) return repeats_;
  if (index_.size() < n + kRowPadding) {
    index_.resize(2 * n + kRowPadding);
    candidates_.resize(4 * index_.size());
  }
  std::uint32_t group = 0, begin = 0;
  for (std::uint32_t i = 0; i < n; ++i) {
    while (at_[i] >= begin + row.counts[group]) begin += row.counts[group++];
    index_[i] = (row.first_group + group) << 20 | (at_[i] - begin);
    repeats_.push_back({at_[i], group, 0});
  }
  draw_blocks(row.key, Purpose::redirect, 0, index_.data(), n, candidates_.data());
  for (std::uint32_t i = 0; i < n; ++i) {
    const std::uint32_t* words = candidates_.data() + 4 * i;
    RandomWords later{};
    for (std::uint32_t j = 0;; ++j) {
      if (j > 0 && j % 4 == 0) {
        later = random_words(row.key.key, round_of(Purpose::redirect, j / 4), index_[i], row.key.source, row.key.stream);
        words = later.data();
      }
      const auto target = static_cast<std::uint32_t>(static_cast<std::uint64_t>(words[j % 4]) * row.chunk_size >> 32);
      if (marks_[target] == mark_) continue;
      if (row.distinct) marks_[target] = mark_;
      repeats_[i].target = target;
      break;
    }
  }
  return repeats_;
}

}  // namespace tessera
