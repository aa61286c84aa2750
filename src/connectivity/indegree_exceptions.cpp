// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "connectivity/indegree_exceptions.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace tessera {
namespace {

using Entry = Exceptions::Entry;

/// Entries ordered by source: those of 0 .. sources-1, by counting.
std::vector<Entry> by_source(const std::vector<Entry>& entries, std::uint32_t sources) {
  std::vector<std::uint32_t> begin(sources + 1, 0);
  for (const Entry& entry : entries) ++begin[entry.first + 1];
  for (std::uint32_t s = 0; s < sources; ++s) begin[s + 1] += begin[s];
  std::vector<Entry> sorted(entries.size());
  for (const Entry& entry : entries) sorted[begin[entry.first]++] = entry;
  return sorted;
}

/// Marks of a chunk's targets, one source after the other.
class Marks {
 public:
  explicit Marks(std::uint32_t targets) : mark_(targets + 1, 0) {}
  void next() { ++now_; }
  /// Whether the target had no mark; it has one afterwards.
  bool put(std::uint32_t target) {
    const bool fresh = mark_[target] != now_;
    mark_[target] = now_;
    return fresh;
  }

 private:
  std::uint32_t now_ = 0;
  std::vector<std::uint32_t> mark_;
};

class Search {
 public:
  explicit Search(const IndegreeChunk& chunk)
      : chunk_(chunk), marks_(chunk.targets), missing_(chunk.targets, 0), until_victim_(chunk.targets, kNone),
        place_(chunk.targets, 0) {}

  Exceptions run() {
    if (!chunk_.exact) choose_victims();
    for (std::uint32_t source = 0; source < chunk_.sources; ++source) {
      chunk_.multapses ? drop_multiple(source) : drop_distinct(source);
    }
    std::vector<std::uint32_t> open;  // a target for every source that it misses
    for (std::uint32_t t = 0; t < chunk_.targets; ++t) open.insert(open.end(), missing_[t], t);
    for (std::uint32_t round = 0; !open.empty(); ++round) open = ask(round, open);
    return Exceptions(std::move(dropped_), std::move(added_), chunk_.sources);
  }

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;

  /// The target that would be a source's own; outside of the chunk, so never met: none is.
  [[nodiscard]] std::uint32_t self_of(std::uint32_t source) const {
    const std::uint32_t target = source - chunk_.first_target;
    return chunk_.no_self && target < chunk_.targets ? target : chunk_.targets;
  }

  void count_different(std::vector<std::uint32_t>& different);
  void choose_victims();
  bool is_victim(std::uint32_t target);
  void drop(std::uint32_t source, std::uint32_t place, std::uint32_t target);
  void drop_multiple(std::uint32_t source);
  void drop_distinct(std::uint32_t source);
  std::vector<std::uint32_t> ask(std::uint32_t round, const std::vector<std::uint32_t>& open);
  std::vector<std::uint32_t> choose_new(const std::vector<Entry>& asked);

  const IndegreeChunk& chunk_;
  Marks marks_;
  std::vector<std::uint32_t> missing_;  ///< synapses that every target has too few when it has dropped some
  // Targets with too many: the ranks of those they lose among their different synapses, counted source by
  // source. Of every target: how many come before the next one it loses, and where that and later ranks are.
  std::vector<std::uint32_t> until_victim_, victims_, victim_, victims_end_;
  // Of targets that a row has met: the place that stays; those it has met again; those it loses.
  std::vector<std::uint32_t> place_, repeated_here_, victims_here_;
  std::vector<Entry> dropped_, added_;
};

void Search::count_different(std::vector<std::uint32_t>& different) {
  for (std::uint32_t source = 0; source < chunk_.sources; ++source) {
    const DrawnTargets row = chunk_.draws(source);
    const std::uint32_t self = self_of(source);
    if (chunk_.multapses) {
      for (std::uint32_t k = 0; k < row.n; ++k) different[row.targets[k]] += row.targets[k] != self ? 1 : 0;
      continue;
    }
    marks_.next();
    marks_.put(self);
    for (std::uint32_t k = 0; k < row.n; ++k) different[row.targets[k]] += marks_.put(row.targets[k]) ? 1 : 0;
  }
}

/// Any set of as many as are too many is equally likely.
void Search::choose_victims() {
  std::vector<std::uint32_t> different(chunk_.targets, 0);
  count_different(different);
  Marks chosen(*std::max_element(different.begin(), different.end()));
  for (std::uint32_t t = 0; t < chunk_.targets; ++t) {
    const auto begin = static_cast<std::ptrdiff_t>(victims_.size());
    chosen.next();
    RandomStream stream(chunk_.key, Purpose::surplus, t, chunk_.stream);
    for (std::uint32_t left = different[t] - std::min(different[t], chunk_.degree); left > 0;) {
      const std::uint32_t rank = stream.next_evenly_below(different[t]);
      if (!chosen.put(rank)) continue;
      victims_.push_back(rank);
      --left;
    }
    std::sort(victims_.begin() + begin, victims_.end());
    victim_.push_back(static_cast<std::uint32_t>(begin));
    victims_end_.push_back(static_cast<std::uint32_t>(victims_.size()));
    missing_[t] = chunk_.degree - std::min(different[t], chunk_.degree);
    if (victim_[t] < victims_end_[t]) until_victim_[t] = victims_[victim_[t]];
  }
}

/// Whether the next different synapse of a target is one that it loses.
bool Search::is_victim(std::uint32_t target) {
  if (until_victim_[target]-- > 0) return false;
  const std::uint32_t rank = victims_[victim_[target]];
  until_victim_[target] = ++victim_[target] < victims_end_[target] ? victims_[victim_[target]] - rank - 1 : kNone;
  return true;
}

void Search::drop(std::uint32_t source, std::uint32_t place, std::uint32_t target) {
  dropped_.emplace_back(source, place);
  if (chunk_.exact) ++missing_[target];
}

void Search::drop_multiple(std::uint32_t source) {
  const DrawnTargets row = chunk_.draws(source);
  const std::uint32_t self = self_of(source);
  for (std::uint32_t k = 0; k < row.n; ++k) {
    if (row.targets[k] == self || is_victim(row.targets[k])) drop(source, k, row.targets[k]);
  }
}

// Places of a row have delays of their own, early ones the shorter ones. So any of several synapses of a pair
// must be as likely to stay as the first.
void Search::drop_distinct(std::uint32_t source) {
  const DrawnTargets row = chunk_.draws(source);
  const std::uint32_t self = self_of(source);
  RandomStream coins(chunk_.key, Purpose::repeated, source, chunk_.stream);
  victims_here_.clear();
  repeated_here_.clear();
  marks_.next();
  for (std::uint32_t k = 0; k < row.n; ++k) {
    const std::uint32_t target = row.targets[k];
    if (target == self) {
      drop(source, k, target);
    } else if (marks_.put(target)) {
      place_[target] = k;
      if (is_victim(target)) victims_here_.push_back(target);
    } else {
      const auto before = std::count(repeated_here_.begin(), repeated_here_.end(), target);
      repeated_here_.push_back(target);
      std::uint32_t loser = k;
      if (coins.next_evenly_below(2 + static_cast<std::uint32_t>(before)) == 0) std::swap(loser, place_[target]);
      drop(source, loser, target);
    }
  }
  for (const std::uint32_t target : victims_here_) dropped_.emplace_back(source, place_[target]);
}

/// A round gives every open target a source; targets whose source is not a new one ask again.
std::vector<std::uint32_t> Search::ask(std::uint32_t round, const std::vector<std::uint32_t>& open) {
  std::vector<Entry> asked;
  for (std::uint32_t i = 0; i < open.size(); ++i) {
    const std::uint32_t own = chunk_.first_target + open[i];
    RandomStream stream(chunk_.key, round_of(Purpose::redirect, round), i, chunk_.stream);
    std::uint32_t source = stream.next_evenly_below(chunk_.sources - (chunk_.no_self ? 1 : 0));
    source += chunk_.no_self && source >= own ? 1 : 0;
    asked.emplace_back(source, open[i]);
  }
  asked = by_source(asked, chunk_.sources);
  if (!chunk_.multapses) return choose_new(asked);
  added_ = std::move(asked);
  return {};
}

/// Goes source by source, so that a row is drawn once for all that ask for it. Returns the targets that were
/// refused.
std::vector<std::uint32_t> Search::choose_new(const std::vector<Entry>& asked) {
  std::vector<std::uint32_t> refused;
  std::vector<Entry> accepted;
  auto before = added_.begin();
  for (std::size_t i = 0; i < asked.size();) {
    const std::uint32_t source = asked[i].first;
    const DrawnTargets row = chunk_.draws(source);
    marks_.next();
    for (std::uint32_t k = 0; k < row.n; ++k) marks_.put(row.targets[k]);
    while (before != added_.end() && before->first < source) ++before;
    for (; before != added_.end() && before->first == source; ++before) marks_.put(before->second);
    for (; i < asked.size() && asked[i].first == source; ++i) {
      if (marks_.put(asked[i].second)) {
        accepted.push_back(asked[i]);
      } else {
        refused.push_back(asked[i].second);
      }
    }
  }
  std::vector<Entry> both(added_.size() + accepted.size());
  std::merge(added_.begin(), added_.end(), accepted.begin(), accepted.end(), both.begin(),
             [](const Entry& a, const Entry& c) { return a.first < c.first; });
  added_ = std::move(both);
  return refused;
}

}  // namespace

Exceptions find_exceptions(const IndegreeChunk& chunk) { return Search(chunk).run(); }

}  // namespace tessera
