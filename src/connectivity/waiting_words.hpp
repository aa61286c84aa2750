// Words that wait for the step in which they are added: a list of small blocks per step, out of one pool.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstdint>
#include <vector>

#include "kernels/deliver.hpp"

namespace tessera {

class WaitingWords {
 public:
  /// Words wait for at most this many steps.
  explicit WaitingWords(std::uint32_t longest_wait) : lists_(std::bit_ceil(longest_wait + 1)), mask_(std::bit_ceil(longest_wait + 1) - 1) {}

  void add(std::int64_t step, std::uint32_t word) {
    std::uint32_t& head = lists_[static_cast<std::size_t>(step) & mask_];
    if (head == kNone || blocks_[head].size == kBlockWords) head = new_block(head);
    Block& block = blocks_[head];
    block.words[block.size++] = word;
  }

  /// Hands over the words of a step; they stay where they are until something is added.
  void take(std::int64_t step, std::vector<RowVisit>& visits) {
    std::uint32_t& head = lists_[static_cast<std::size_t>(step) & mask_];
    for (std::uint32_t b = head; b != kNone;) {
      Block& block = blocks_[b];
      visits.push_back({block.words, block.size});
      const std::uint32_t next = block.next;
      block.next = free_;
      free_ = b;
      b = next;
    }
    head = kNone;
  }

  [[nodiscard]] std::size_t bytes() const { return blocks_.capacity() * sizeof(Block) + lists_.size() * sizeof(lists_[0]); }

 private:
  static constexpr std::uint32_t kNone = 0xffffffffu;
  static constexpr std::uint32_t kBlockWords = 62;
  struct Block {  // four cache lines
    std::uint32_t next, size;
    std::uint32_t words[kBlockWords];
  };
  struct List {
    std::uint32_t head = kNone;
    operator std::uint32_t&() { return head; }
  };

  std::uint32_t new_block(std::uint32_t next) {
    std::uint32_t b = free_;
    if (b == kNone) {
      b = static_cast<std::uint32_t>(blocks_.size());
      blocks_.emplace_back();
    } else {
      free_ = blocks_[b].next;
    }
    blocks_[b].next = next;
    blocks_[b].size = 0;
    return b;
  }

  std::vector<List> lists_;
  std::uint32_t mask_;
  std::uint32_t free_ = kNone;
  std::vector<Block> blocks_;
};

}  // namespace tessera
