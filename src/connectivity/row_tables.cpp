// What listed rows are drawn from: stubs, their exceptions, and tables of counts.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>

#include "connectivity/wiring.hpp"
#include "tessera/errors.hpp"

namespace tessera {
namespace {

using Kind = ConnectivityRule::Kind;
using Entry = Exceptions::Entry;

constexpr std::uint64_t kMostStubs = std::numeric_limits<std::uint32_t>::max();
constexpr double kLongestRow = 5e5;  // mean, far below the 2^20 that a row's header and exceptions can count

/// Entries ordered by source: those of 0 .. sources-1 that `first` holds, by counting.
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
  explicit Marks(std::uint32_t targets) : mark_(targets, 0) {}
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

}  // namespace

std::unique_ptr<Wiring::RowTables> Wiring::tables_for(const Bundle& b) const {
  const ConnectivityRule& rule = projection(b).rule;
  auto tables = std::make_unique<RowTables>();
  if (b.drawing == Bundle::Drawing::uniform) return nullptr;
  if (rule.kind == Kind::pairwise_bernoulli) {
    tables->counts = BinomialTable(b.targets.size, rule.probability);
    if (b.self_projection && !rule.autapses) tables->counts_but_one = BinomialTable(b.targets.size - 1, rule.probability);
    return tables;
  }
  if (rule.kind != Kind::fixed_indegree) return nullptr;
  const std::uint32_t sources = network_->populations[b.source_population].size;
  const std::uint32_t open = sources - (b.self_projection && !rule.autapses ? 1 : 0);
  tables->inverted = !rule.multapses && rule.number > open / 2;
  const std::uint64_t degree = tables->inverted ? open - rule.number : rule.number;
  if (degree * b.targets.size > kMostStubs || degree > kMostStubs) {
    throw InputError("Projection '" + projection(b).name + "': fixed_indegree can make at most " +
                     std::to_string(kMostStubs / b.targets.size) + " synapses per target here; " +
                     std::to_string(rule.number) + " are asked for.");
  }
  tables->stubs = Stubs(b.targets.size, static_cast<std::uint32_t>(degree), key_, b.id);
  return tables;
}

// A target's stubs have N (1 - (1 - 1/N)^K) different sources on average; each of the others is dropped
// and added once, four bytes each time, and an eighth of that are beginnings of blocks.
double Wiring::expected_exception_bytes(const Bundle& b) const {
  const ConnectivityRule& rule = projection(b).rule;
  if (rule.kind != Kind::fixed_indegree || !tables_[b.index]) return 0.0;
  const double sources = network_->populations[b.source_population].size;
  const double degree = tables_[b.index]->stubs.permutation().per_target;
  const double own = b.self_projection && !rule.autapses ? degree / sources : 0.0;
  const double repeated = rule.multapses ? 0.0 : degree + sources * std::expm1(degree * std::log1p(-1.0 / std::max(sources, 2.0)));
  return 9.0 * b.targets.size * (own + repeated);
}

void Wiring::prepare_chunk(std::uint32_t chunk) {
  for (const Bundle& bundle : bundles_) {
    if (bundle.chunk == chunk) prepare_bundle(bundle);
  }
}

void Wiring::prepare_bundle(const Bundle& b) {
  const ConnectivityRule& rule = projection(b).rule;
  if (rule.kind != Kind::fixed_indegree && rule.kind != Kind::fixed_total_number) return;
  const std::uint32_t sources = network_->populations[b.source_population].size;
  if (cell_width_[b.projection] > 0) {
    cells_[b.index] = std::make_unique<SourceCells>(key_, b.id, items_[b.index], sources, cell_width_[b.projection]);
    return;
  }
  trees_[b.index] = std::make_unique<SourceTree>(tree_of(b, items_[b.index], true));
  if (rule.kind != Kind::fixed_indegree) return;
  if (!rule.multapses || (b.self_projection && !rule.autapses)) find_exceptions(b);
}

/// The argument is in exceptions.hpp. A round gives every open stub a source; rejected ones wait for the
/// next round. Rounds go source by source, so that a row is drawn once for all that ask for it.
void Wiring::find_exceptions(const Bundle& b) {
  const ConnectivityRule& rule = projection(b).rule;
  const std::uint32_t sources = network_->populations[b.source_population].size;
  const bool no_self = b.self_projection && !rule.autapses;
  const StubPermutation stubs = tables_[b.index]->stubs.permutation();
  if (static_cast<double>(stubs.stubs) / sources > kLongestRow) {
    throw InputError("Projection '" + projection(b).name + "' has more than 500,000 synapses per source and tile; " +
                     "use fewer synapses or more sources.");
  }
  std::vector<Entry> dropped, added;
  std::vector<std::uint32_t> open;  // targets that miss a source
  Marks marks(b.targets.size);
  TargetRow row;
  const auto draw_row = [&](std::uint32_t first, std::uint32_t count) {
    std::uint32_t* targets = row.start(count);
    stub_targets(stubs, first, count, targets);
    return targets;
  };
  const auto self_of = [&](std::uint32_t source) {
    return no_self ? source - b.targets.begin : b.targets.size;  // outside of the chunk: never met
  };
  std::uint32_t counts[SourceTree::kBlock] = {};
  std::vector<std::uint32_t> first(sources + 1, 0);
  for (std::uint32_t source = 0; source < sources; ++source) {
    if (source % SourceTree::kBlock == 0) block_counts(b, source / SourceTree::kBlock, counts);
    const std::uint32_t count = counts[source % SourceTree::kBlock];
    first[source + 1] = first[source] + count;
    const std::uint32_t self = self_of(source);
    if (rule.multapses && self >= b.targets.size) continue;
    const std::uint32_t* targets = draw_row(first[source], count);
    marks.next();
    if (self < b.targets.size) marks.put(self);
    for (std::uint32_t k = 0; k < count; ++k) {
      const bool fresh = rule.multapses ? targets[k] != self : marks.put(targets[k]);
      if (fresh) continue;
      dropped.emplace_back(source, k);
      open.push_back(targets[k]);
    }
  }
  for (std::uint32_t round = 0; !open.empty(); ++round) {
    std::vector<Entry> asked;
    for (std::uint32_t i = 0; i < open.size(); ++i) {
      const std::uint32_t own = b.targets.begin + open[i];
      RandomStream stream(key_, static_cast<Purpose>(static_cast<std::uint32_t>(Purpose::redirect) | round << 8), i, b.id);
      std::uint32_t source = stream.next_evenly_below(sources - (no_self ? 1 : 0));
      source += no_self && source >= own ? 1 : 0;
      asked.emplace_back(source, open[i]);
    }
    open.clear();
    if (rule.multapses) {
      added = std::move(asked);
      break;
    }
    asked = by_source(asked, sources);
    std::vector<Entry> accepted;
    auto before = added.begin();
    for (std::size_t i = 0; i < asked.size();) {
      const std::uint32_t source = asked[i].first;
      const std::uint32_t count = first[source + 1] - first[source];
      const std::uint32_t* targets = draw_row(first[source], count);
      marks.next();
      for (std::uint32_t k = 0; k < count; ++k) marks.put(targets[k]);
      while (before != added.end() && before->first < source) ++before;
      for (; before != added.end() && before->first == source; ++before) marks.put(before->second);
      for (; i < asked.size() && asked[i].first == source; ++i) {
        if (marks.put(asked[i].second)) {
          accepted.push_back(asked[i]);
        } else {
          open.push_back(asked[i].second);
        }
      }
    }
    std::vector<Entry> both(added.size() + accepted.size());
    std::merge(added.begin(), added.end(), accepted.begin(), accepted.end(), both.begin(),
               [](const Entry& a, const Entry& c) { return a.first < c.first; });
    added = std::move(both);
  }
  tables_[b.index]->exceptions = Exceptions(std::move(dropped), std::move(added), sources);
}

}  // namespace tessera
