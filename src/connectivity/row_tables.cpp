// What listed rows are drawn from: stubs, their exceptions, and tables of counts.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>

#include "connectivity/indegree_exceptions.hpp"
#include "connectivity/wiring.hpp"
#include "tessera/errors.hpp"

namespace tessera {
namespace {

using Kind = ConnectivityRule::Kind;

constexpr std::uint64_t kMostStubs = std::numeric_limits<std::uint32_t>::max();
constexpr double kLongestRow = 5e5;  // mean, far below the 2^20 that a row's header and exceptions can count

/// Draws with replacement whose different values are `degree` of `sources` on average.
double draws_for(double degree, double sources, bool multapses) {
  return multapses || sources < 2.0 ? degree : std::log1p(-degree / sources) / std::log1p(-1.0 / sources);
}

/// How many of n draws from N repeat an earlier one.
double repeats(double n, double all) { return n + all * std::expm1(n * std::log1p(-1.0 / std::max(all, 2.0))); }

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
  if (rule.kind == Kind::gaussian_2d) tables->rows = gaussian_[b.projection]->rows_in(b.targets);
  if (rule.kind == Kind::gaussian_2d) return tables;
  if (rule.kind != Kind::fixed_indegree) return nullptr;
  const std::uint32_t open = open_sources(b);
  tables->inverted = b.drawing == Bundle::Drawing::listed && !rule.multapses && rule.number > open / 2;
  const std::uint64_t degree = tables->inverted ? open - rule.number : rule.number;
  if (degree * b.targets.size > kMostStubs || degree > kMostStubs) {
    throw InputError("Projection '" + projection(b).name + "': fixed_indegree can make at most " +
                     std::to_string(kMostStubs / b.targets.size) + " synapses per target here; " +
                     std::to_string(rule.number) + " are asked for.");
  }
  if (b.drawing == Bundle::Drawing::corrected) {
    tables->draws = static_cast<std::uint64_t>(std::llround(
        b.targets.size * draws_for(static_cast<double>(degree), network_->populations[b.source_population].size, rule.multapses)));
    return tables;
  }
  tables->stubs = Stubs(b.targets.size, static_cast<std::uint32_t>(degree), key_, b.id);
  return tables;
}

// What a target drops it draws again: four bytes each time, and an eighth of that are beginnings of blocks.
double Wiring::expected_exception_bytes(const Bundle& b) const {
  const ConnectivityRule& rule = projection(b).rule;
  if (rule.kind != Kind::fixed_indegree || b.drawing != Bundle::Drawing::listed) return 0.0;
  const double degree = tables_[b.index]->stubs.permutation().per_target;
  const double sources = network_->populations[b.source_population].size;
  const double own = b.self_projection && !rule.autapses ? degree / sources : 0.0;
  return 9.0 * b.targets.size * (own + (rule.multapses ? 0.0 : repeats(degree, sources)));
}

// Of a draw that is repeated or its own source's, a word takes it back, and another one has another target. An
// in-degree varies by less than sqrt(K) from target to target, so that 0.4 sqrt(K) are taken back and added; draws
// are more than synapses there, by as many as are repeated.
double Wiring::expected_corrections_of(const Bundle& b) const {
  if (b.drawing != Bundle::Drawing::corrected) return 0.0;
  const ConnectivityRule& rule = projection(b).rule;
  const double sources = network_->populations[b.source_population].size, targets = b.targets.size;
  const double draws = expected_draws_of(b), own = b.self_projection && !rule.autapses ? draws / network_->populations[b.targets.population].size : 0.0;
  if (rule.kind == Kind::fixed_indegree) {
    const double repeated = rule.multapses ? 0.0 : targets * repeats(draws / targets, sources);
    return repeated + 2.0 * own + 0.8 * targets * std::sqrt(static_cast<double>(rule.number));
  }
  const bool distinct = !rule.multapses || rule.kind == Kind::pairwise_bernoulli;
  return 2.0 * (own + (distinct ? sources * repeats(draws / sources, targets) : 0.0));
}

/// The targets of all draws of a bundle, a block of sources at a time; kept where they are few.
class Wiring::Draws {
 public:
  Draws(const Wiring& wiring, const Bundle& bundle)
      : wiring_(wiring), bundle_(bundle), sources_(wiring.network_->populations[bundle.source_population].size) {
    const std::uint32_t blocks = (sources_ - 1) / SourceTree::kBlock;
    keeps_ = wiring.block_first(bundle, blocks) < kMostKept && wiring.expected_draws_of(bundle) < kMostKept;
    if (keeps_) kept_.reserve(static_cast<std::size_t>(wiring.expected_draws_of(bundle)) + kRowPadding);
  }

  DrawnTargets of(std::uint32_t source) {
    const std::uint32_t block = source / SourceTree::kBlock, in_block = source % SourceTree::kBlock;
    if (keeps_) {
      while (begin_.size() <= source + 1) draw(static_cast<std::uint32_t>(begin_.size() / SourceTree::kBlock));
      return {kept_.data() + begin_[source], static_cast<std::uint32_t>(begin_[source + 1] - begin_[source])};
    }
    if (block != block_) draw(block);
    return {kept_.data() + begin_[in_block], static_cast<std::uint32_t>(begin_[in_block + 1] - begin_[in_block])};
  }

 private:
  static constexpr std::uint32_t kMostKept = 1u << 24;

  void draw(std::uint32_t block);

  const Wiring& wiring_;
  const Bundle& bundle_;
  std::uint32_t sources_, block_ = UINT32_MAX;
  bool keeps_ = false;
  TargetRow row_;
  std::vector<std::uint16_t> kept_;
  std::vector<std::size_t> begin_;  ///< of the sources in kept_, and after the last
};

void Wiring::Draws::draw(std::uint32_t block) {
  std::uint32_t counts[SourceTree::kBlock] = {};
  wiring_.block_counts(bundle_, block, counts);
  if (!keeps_) kept_.clear(), begin_.clear();
  if (begin_.empty()) begin_.push_back(0);
  const std::uint32_t first = block * SourceTree::kBlock, n = std::min(SourceTree::kBlock, sources_ - first);
  std::uint32_t all = 0;
  for (std::uint32_t i = 0; i < n; ++i) all += counts[i];
  const std::uint32_t* targets = row_.start(all);
  if (bundle_.drawing == Bundle::Drawing::listed) {
    stub_targets(wiring_.tables_[bundle_.index]->stubs.permutation(), wiring_.block_first(bundle_, block), all, row_.start(all));
  } else {
    for (std::uint32_t i = 0; i < n; ++i) {
      row_.append_grouped({wiring_.key_, first + i, bundle_.id}, counts[i], bundle_.targets.size, wiring_.delays(bundle_));
    }
    row_.finish_grouped(wiring_.key_);
    targets = row_.targets();
  }
  const std::size_t before = kept_.size();
  kept_.resize(before + all);
  for (std::uint32_t k = 0; k < all; ++k) kept_[before + k] = static_cast<std::uint16_t>(targets[k]);
  for (std::uint32_t i = 0; i < n; ++i) begin_.push_back(begin_.back() + counts[i]);
  block_ = block;
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
  const bool stubs_do = rule.multapses && (rule.autapses || !b.self_projection);
  if (b.drawing == Bundle::Drawing::corrected || !stubs_do) prepare_exceptions(b);
}

std::uint32_t Wiring::open_sources(const Bundle& b) const {
  return network_->populations[b.source_population].size - (b.self_projection && !projection(b).rule.autapses ? 1 : 0);
}

void Wiring::prepare_exceptions(const Bundle& b) {
  const ConnectivityRule& rule = projection(b).rule;
  RowTables& tables = *tables_[b.index];
  const std::uint32_t sources = network_->populations[b.source_population].size;
  const auto degree = static_cast<std::uint32_t>(tables.inverted ? open_sources(b) - rule.number : rule.number);
  if (static_cast<double>(degree) * b.targets.size / sources > kLongestRow) {
    throw InputError("Projection '" + projection(b).name + "' has more than 500,000 synapses per source and tile; " +
                     "use fewer synapses or more sources.");
  }
  IndegreeChunk chunk;
  chunk.key = key_;
  chunk.stream = b.id;
  chunk.sources = sources;
  chunk.targets = b.targets.size;
  chunk.degree = degree;
  chunk.multapses = rule.multapses;
  chunk.exact = b.drawing == Bundle::Drawing::listed;
  chunk.no_self = b.self_projection && !rule.autapses;
  chunk.first_target = b.targets.begin;
  Draws draws(*this, b);
  chunk.draws = [&](std::uint32_t source) { return draws.of(source); };
  tables.exceptions = find_exceptions(chunk);
}

}  // namespace tessera
