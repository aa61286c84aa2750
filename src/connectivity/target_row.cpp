// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "connectivity/target_row.hpp"

#include <algorithm>

#include "kernels/split_delays.hpp"

namespace tessera {

namespace {
std::uint32_t open_targets(std::uint32_t chunk_size, std::uint32_t self) {
  return chunk_size - (self < chunk_size ? 1 : 0);
}
}  // namespace

void TargetRow::draw(const RowKey& key, std::uint32_t n, std::uint32_t chunk_size, std::uint32_t self) {
  std::uint32_t* out = start(n);
  draw_places(key, 0, (n + kRowBlock - 1) / kRowBlock, open_targets(chunk_size, self), self, out);
  size_ = n;
}

// The step of a draw is not asked for: all have the same code, and its bits are taken off again.
void TargetRow::append_grouped(const RowKey& key, std::uint32_t n, std::uint32_t chunk_size, const DelayTable& delays) {
  per_group_.resize(delays.groups);
  codes_.assign(delays.groups, 0);
  split_delays(key.key, key.source, key.stream, n, delays.group_thresholds.data(), delays.groups, per_group_.data());
  const GroupedRow row{key.source, key.stream, chunk_size << 16, delays.first_group, delays.groups, per_group_.data(), codes_.data()};
  for (std::uint32_t g = enqueue_groups(queue_, row, 0); g < row.groups; g = enqueue_groups(queue_, row, g)) finish_grouped(key.key);
}

void TargetRow::finish_grouped(RandomKey key) {
  const std::size_t wanted = size_ + 4 * DrawQueue::kCapacity + DrawQueue::kSlack;
  if (targets_.size() < wanted) targets_.resize(2 * wanted);
  const std::size_t n = draw_entries_in_order(queue_, key, {}, targets_.data() + size_);
  constexpr std::uint32_t kTargets = RingShape{}.slots() - 1;
  for (std::size_t k = 0; k < n; ++k) targets_[size_ + k] &= kTargets;
  size_ += static_cast<std::uint32_t>(n);
  queue_.size = 0;
}

void TargetRow::next_mark() {
  if (marks_.empty()) marks_.resize(kLargestChunk);
  if (++mark_ == 0) {
    std::fill(marks_.begin(), marks_.end(), 0);
    mark_ = 1;
  }
}

// Draws with replacement go on until n targets are different; what came before stays. Which targets these
// are does not depend on how targets are named, so every set is equally likely. More than half of a chunk
// is drawn as what is missing.
void TargetRow::draw_distinct(const RowKey& key, std::uint32_t n, std::uint32_t chunk_size, std::uint32_t self) {
  const std::uint32_t open = open_targets(chunk_size, self);
  if (n > open / 2) {
    draw_distinct(key, open - n, chunk_size, self);
    return invert(chunk_size, self);
  }
  std::uint32_t* out = start(n);
  std::uint32_t blocks = (n + kRowBlock - 1) / kRowBlock, first_block = 0;
  if (drawn_.size() < std::size_t{blocks} * kRowBlock) drawn_.resize(std::size_t{blocks} * kRowBlock);
  next_mark();
  std::uint8_t* const marks = marks_.data();
  const std::uint8_t mark = mark_;
  std::uint32_t size = 0;
  while (size < n) {
    draw_places(key, first_block, blocks, open, self, drawn_.data());
    const std::uint32_t* next = drawn_.data();
    const std::uint32_t* const end = next + std::size_t{blocks} * kRowBlock;
    while (size < n && next < end) {
      // As many as are still missing cannot be too many.
      const std::uint32_t* const pause = next + std::min<std::ptrdiff_t>(end - next, n - size);
      for (; next < pause; ++next) {
        out[size] = *next;
        size += marks[*next] != mark ? 1 : 0;
        marks[*next] = mark;
      }
    }
    first_block += blocks;
    blocks = 1;
  }
  size_ = n;
}

void TargetRow::invert(std::uint32_t chunk_size, std::uint32_t self) {
  next_mark();
  for (std::uint32_t i = 0; i < size_; ++i) marks_[targets_[i]] = mark_;
  if (self < chunk_size) marks_[self] = mark_;
  std::uint32_t* out = start(chunk_size);
  for (std::uint32_t t = 0; t < chunk_size; ++t) {
    out[size_] = t;
    size_ += marks_[t] != mark_ ? 1 : 0;
  }
}

void TargetRow::fill(std::uint32_t chunk_size, std::uint32_t self) {
  std::uint32_t* out = start(chunk_size);
  for (std::uint32_t t = 0; t < chunk_size; ++t) out[t] = t + (t >= self ? 1 : 0);
  size_ = open_targets(chunk_size, self);
}

}  // namespace tessera
