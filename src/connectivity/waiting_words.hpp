// Words that wait for the step in which they are added: a list of small blocks per step, out of one pool.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstdint>
#include <vector>

#include "base/aligned_array.hpp"
#include "kernels/deliver.hpp"

namespace tessera {

/// A list is one pointer, behind its last word: a block begins at a multiple of its size, so the pointer says when it is full,
/// and adding a word reads nothing of the block, which is in memory rather than in a cache.
class WaitingWords {
 public:
  static constexpr std::size_t kBlockBytes = 256, kBlockWords = 62;
  static constexpr std::size_t kPoolBytes = std::size_t{64} << 10;  ///< by which the pool grows

  /// Words wait for at most this many steps.
  explicit WaitingWords(std::uint32_t longest_wait) : lists_(lists_for(longest_wait), nullptr), mask_(lists_.size() - 1) {}
  [[nodiscard]] static std::size_t lists_for(std::uint32_t longest_wait) { return std::bit_ceil(longest_wait + 1); }

  void add(std::int64_t step, std::uint32_t word) {
    std::uint32_t*& end = lists_[static_cast<std::size_t>(step) & mask_];
    if (reinterpret_cast<std::uintptr_t>(end) % kBlockBytes == 0) end = new_block(end);  // full, or there is none
    *end++ = word;
  }

  /// Hands over the words of a step; they stay where they are until something is added.
  void take(std::int64_t step, std::vector<RowVisit>& visits) {
    std::uint32_t*& end = lists_[static_cast<std::size_t>(step) & mask_];
    for (const std::uint32_t* words_end = end; words_end != nullptr;) {
      Block& block = block_before(words_end);
      visits.push_back({block.words, static_cast<std::uint32_t>(words_end - block.words)});
      Block* const next = block.next;
      free_.push_back(&block);
      words_end = next == nullptr ? nullptr : next->words + kBlockWords;
    }
    end = nullptr;
  }

  [[nodiscard]] std::size_t bytes() const {
    return pools_.size() * kPoolBytes + lists_.size() * sizeof(lists_[0]) + free_.capacity() * sizeof(free_[0]);
  }

 private:
  struct Block {  // four cache lines
    Block* next;
    std::uint32_t words[kBlockWords];
  };
  static_assert(sizeof(Block) == kBlockBytes);

  [[nodiscard]] static Block& block_before(const std::uint32_t* end) {
    return *reinterpret_cast<Block*>((reinterpret_cast<std::uintptr_t>(end) - 1) / kBlockBytes * kBlockBytes);
  }

  std::uint32_t* new_block(std::uint32_t* full) {
    if (free_.empty()) grow();
    Block& block = *free_.back();
    free_.pop_back();
    block.next = full == nullptr ? nullptr : &block_before(full);
    return block.words;
  }

  /// Pages begin at multiples of a block's size.
  void grow() {
    AlignedArray<Block>& pool = pools_.emplace_back(kPoolBytes / kBlockBytes);
    for (std::size_t b = pool.size(); b-- > 0;) free_.push_back(&pool[b]);
  }

  std::vector<std::uint32_t*> lists_;  ///< null: empty
  std::size_t mask_;
  std::vector<Block*> free_;  ///< the next one is found without reading a block
  std::vector<AlignedArray<Block>> pools_;
};

}  // namespace tessera
