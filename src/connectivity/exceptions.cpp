// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "connectivity/exceptions.hpp"

#include <algorithm>

namespace tessera {
namespace {

/// A block has about this many entries, so that its beginning costs a small part of them.
constexpr std::uint64_t kEntriesPerBlock = 8;

/// Entries in order of their sources, and by `before` inside of a source. They often come source by source.
template <class Before>
void order(std::vector<Exceptions::Entry>& entries, const Before& before) {
  const auto by_source = [](const Exceptions::Entry& a, const Exceptions::Entry& b) { return a.first < b.first; };
  if (!std::is_sorted(entries.begin(), entries.end(), by_source)) std::stable_sort(entries.begin(), entries.end(), by_source);
  for (auto begin = entries.begin(); begin != entries.end();) {
    const auto end = std::find_if(begin, entries.end(), [&](const Exceptions::Entry& e) { return e.first != begin->first; });
    std::sort(begin, end, before);
    begin = end;
  }
}

}  // namespace

Exceptions::Exceptions(std::vector<Entry> dropped, std::vector<Entry> added, std::uint32_t sources) {
  const std::uint64_t all = dropped.size() + added.size();
  if (all == 0) return;
  while (block_bits_ < kMostBlockBits && (all << block_bits_) < kEntriesPerBlock * sources) ++block_bits_;
  order(dropped, [](const Entry& a, const Entry& b) { return a.second > b.second; });
  order(added, [](const Entry& a, const Entry& b) { return a.second < b.second; });
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
  visit(source, [&](std::uint32_t place) { targets[place] = targets[--n]; },  // later places have been dropped already
        [&](std::uint32_t target) { targets[n++] = target; });
  return n;
}

}  // namespace tessera
