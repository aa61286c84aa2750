// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "connectivity/exceptions.hpp"

#include <algorithm>

namespace tessera {
namespace {

/// A block has about this many entries, so that its beginning costs a small part of them.
constexpr std::uint64_t kEntriesPerBlock = 8;

}  // namespace

Exceptions::Exceptions(std::vector<Entry> dropped, std::vector<Entry> added, std::uint32_t sources) {
  const std::uint64_t all = dropped.size() + added.size();
  if (all == 0) return;
  while (block_bits_ < kMostBlockBits && (all << block_bits_) < kEntriesPerBlock * sources) ++block_bits_;
  std::sort(dropped.begin(), dropped.end(), [](const Entry& a, const Entry& b) {
    return a.first != b.first ? a.first < b.first : a.second > b.second;
  });
  std::sort(added.begin(), added.end());
  entries_.reserve(all);
  begin_.assign(((sources - 1) >> block_bits_) + 2, 0);
  const std::uint32_t in_block = (1u << block_bits_) - 1;
  auto drop = dropped.begin();
  auto add = added.begin();
  std::uint32_t block = 0, last_source = 0, added_here = 0;
  while (drop != dropped.end() || add != added.end()) {
    const bool drops = add == added.end() || (drop != dropped.end() && drop->first <= add->first);
    const auto [source, value] = drops ? *drop++ : *add++;
    while (block < source >> block_bits_) begin_[++block] = static_cast<std::uint32_t>(entries_.size());
    if (source != last_source) added_here = 0;
    last_source = source;
    if (!drops) most_added_ = std::max(most_added_, ++added_here);
    entries_.push_back((source & in_block) << (kValueBits + 1) | (drops ? 0 : kAdded) | value);
  }
  while (block + 1 < begin_.size()) begin_[++block] = static_cast<std::uint32_t>(entries_.size());
}

std::uint32_t Exceptions::apply(std::uint32_t source, std::uint32_t* targets, std::uint32_t n) const {
  if (entries_.empty()) return n;
  const std::uint32_t block = source >> block_bits_, wanted = source & ((1u << block_bits_) - 1);
  std::uint32_t at = begin_[block];
  const std::uint32_t end = begin_[block + 1];
  while (at < end && entries_[at] >> (kValueBits + 1) < wanted) ++at;
  for (; at < end && entries_[at] >> (kValueBits + 1) == wanted; ++at) {
    const std::uint32_t value = entries_[at] & (kAdded - 1);
    if ((entries_[at] & kAdded) != 0) {
      targets[n++] = value;
    } else {
      targets[value] = targets[--n];  // later places have been dropped already
    }
  }
  return n;
}

}  // namespace tessera
