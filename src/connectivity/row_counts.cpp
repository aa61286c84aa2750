// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "connectivity/row_counts.hpp"

#include <algorithm>

namespace tessera {

RowCounts::RowCounts(const Wiring& wiring, const Bundle& bundle) {
  constexpr std::uint32_t kBlock = SourceTree::kBlock;
  const std::uint32_t sources = wiring.network().populations[bundle.source_population].size;
  wide_.resize(sources + kBlock);
  for (std::uint32_t block = 0; block * kBlock < sources; ++block) {
    wiring.block_counts(bundle, block, wide_.data() + block * kBlock);
  }
  wide_.resize(sources);
  for (const std::uint32_t count : wide_) draws_ += count;
  const auto [lowest, highest] = std::minmax_element(wide_.begin(), wide_.end());
  if (*highest - *lowest > 255) {
    wide_.shrink_to_fit();
    return;
  }
  lowest_ = *lowest;
  narrow_.reserve(sources);
  for (const std::uint32_t count : wide_) narrow_.push_back(static_cast<std::uint8_t>(count - lowest_));
  wide_ = std::vector<std::uint32_t>();  // {} would keep its memory
}

Wiring::Share RowCounts::share(const Wiring& wiring, const Bundle& bundle, std::uint32_t source) const {
  const std::uint32_t block = source / SourceTree::kBlock, begin = block * SourceTree::kBlock;
  Wiring::Share share{wiring.block_first(bundle, block), 0};
  if (narrow_.empty()) {
    for (std::uint32_t s = begin; s < source; ++s) share.first += wide_[s];
    share.count = wide_[source];
    return share;
  }
  for (std::uint32_t s = begin; s < source; ++s) share.first += narrow_[s];
  share.first += lowest_ * (source - begin);
  share.count = lowest_ + narrow_[source];
  return share;
}

}  // namespace tessera
