// Sequences of groups that leave little of a run empty.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>
#include <numeric>

#include "machine/partition_pack.hpp"

namespace tessera {
namespace {

constexpr std::uint64_t kMostStates = 4'000'000;

// What a group is cut into: equal items that may be placed one by one.
struct Items {
  std::uint64_t number = 0, circuits = 0;
};

bool items_of(const Group& g, const Limits& limits, Items& items) {
  if (!g.is_cut()) {
    items = {1, g.circuits};
    return true;
  }
  const auto& populations = limits.network().populations;
  items = {g.neurons, populations[g.slices.front().population].circuits};
  return std::all_of(g.slices.begin(), g.slices.end(), [&](const PartitionSlice& s) {
    const DividedPopulation& p = populations[s.population];
    return p.circuits_before.empty() && p.circuits == items.circuits;
  });
}

void push(Sequence& sequence, std::uint32_t group, std::uint64_t neurons) {
  if (!sequence.empty() && sequence.back().group == group) {
    sequence.back().neurons += neurons;
  } else {
    sequence.push_back({group, neurons, false});
  }
}

}  // namespace

Sequence whole(const std::vector<Group>& groups) {
  Sequence sequence;
  for (std::uint32_t g = 0; g < groups.size(); ++g) sequence.push_back({g, groups[g].neurons, false});
  return sequence;
}

// Dynamic programming over how many items of each group are placed. Of two ways to place the same items, the one that
// has used less (runs, then circuits of the last run) stays ahead whatever follows, so the least is all to remember.
Sequence best_by_circuits(const std::vector<Group>& groups, const Limits& limits) {
  if (limits.has_tiles() || groups.size() > 40) return {};
  const std::uint64_t capacity = limits.machine().circuits_per_chip();
  std::vector<Items> items(groups.size());
  std::vector<std::uint64_t> stride(groups.size() + 1, 1);
  for (std::size_t g = 0; g < groups.size(); ++g) {
    if (!items_of(groups[g], limits, items[g]) || items[g].circuits > capacity) return {};
    if (stride[g] > kMostStates / (items[g].number + 1)) return {};
    stride[g + 1] = stride[g] * (items[g].number + 1);
  }
  const std::uint64_t states = stride.back();
  constexpr std::uint64_t kFar = std::numeric_limits<std::uint64_t>::max();
  std::vector<std::uint64_t> used(states, kFar);
  std::vector<std::uint8_t> last(states, 0xff);
  used[0] = 0;
  const auto placed = [&](std::uint64_t state, std::size_t g) { return state / stride[g] % (items[g].number + 1); };
  for (std::uint64_t state = 0; state < states; ++state) {
    if (used[state] == kFar) continue;
    for (std::size_t g = 0; g < groups.size(); ++g) {
      if (placed(state, g) == items[g].number) continue;
      const auto& before = groups[g].before;
      if (!std::all_of(before.begin(), before.end(), [&](std::uint32_t b) { return placed(state, b) == items[b].number; })) continue;
      const std::uint64_t rest = used[state] % capacity;
      std::uint64_t now = used[state];
      if (rest + items[g].circuits > capacity) now += capacity - rest;
      now += items[g].circuits;
      if (now >= used[state + stride[g]]) continue;
      used[state + stride[g]] = now;
      last[state + stride[g]] = static_cast<std::uint8_t>(g);
    }
  }
  std::vector<std::uint32_t> backwards;
  for (std::uint64_t state = states - 1; state > 0; state -= stride[last[state]]) backwards.push_back(last[state]);
  Sequence sequence;
  for (auto g = backwards.rbegin(); g != backwards.rend(); ++g) push(sequence, *g, groups[*g].is_cut() ? 1 : groups[*g].neurons);
  return sequence;
}

Sequence best_fit(const std::vector<Group>& groups, const Limits& limits) {
  if (limits.has_tiles() || groups.size() > 5000) return {};
  const std::uint64_t capacity = limits.machine().circuits_per_chip();
  std::vector<std::uint64_t> left(groups.size());
  std::vector<std::uint32_t> waits(groups.size());
  std::vector<std::vector<std::uint32_t>> after(groups.size());
  std::vector<std::uint32_t> ready;
  for (std::uint32_t g = 0; g < groups.size(); ++g) {
    left[g] = groups[g].neurons;
    waits[g] = static_cast<std::uint32_t>(groups[g].before.size());
    for (const std::uint32_t b : groups[g].before) after[b].push_back(g);
    if (waits[g] == 0) ready.push_back(g);
  }
  const auto size = [&](std::uint32_t g) { return groups[g].is_cut() ? std::max<std::uint64_t>(1, groups[g].circuits / groups[g].neurons) : groups[g].circuits; };
  Sequence sequence;
  std::uint64_t room = capacity;
  while (!ready.empty()) {
    // The largest piece that fits; where none does, the largest begins a run.
    std::sort(ready.begin(), ready.end(), [&](std::uint32_t a, std::uint32_t b) { return std::pair(size(b), a) < std::pair(size(a), b); });
    auto found = std::find_if(ready.begin(), ready.end(), [&](std::uint32_t g) { return size(g) <= room; });
    if (found == ready.end()) {
      room = capacity;
      found = ready.begin();
    }
    const std::uint32_t g = *found;
    const std::uint64_t taken = groups[g].is_cut() ? std::min(left[g], std::max<std::uint64_t>(1, room / size(g))) : left[g];
    push(sequence, g, taken);
    left[g] -= taken;
    const std::uint64_t used = groups[g].is_cut() ? taken * size(g) : size(g);
    room = used >= room ? (used == room ? 0 : capacity) : room - used;
    if (left[g] > 0) continue;
    ready.erase(found);
    for (const std::uint32_t a : after[g]) {
      if (--waits[a] == 0) ready.push_back(a);
    }
  }
  return sequence;
}

}  // namespace tessera
