// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "connectivity/gaussian_rows.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace tessera {
namespace {

/// Half an edge of the box whose pairs have numbers of their own, in sigma: 97.5 % of all synapses are in it.
constexpr double kBoxReach = 2.5;
constexpr double kNoBox = -1.0;
/// Pairs (sixteen at a time) that take as long as a candidate.
constexpr double kPairsPerCandidate = 56.0;
/// Chances above this need so many candidates that there is a box in any case.
constexpr double kMostChance = 0.5;

/// Rounds of the purpose `pair`; 0 and 1 are those of keep_pairs().
constexpr std::uint32_t kFarRound = 2, kNearRound = 3;

/// How often a pair is hit when it is hit at least once with the chance x.
double hits(double x) { return -std::log1p(-x); }

/// value < hits(x). A few terms of the series nearly always tell.
bool is_below_hits(double value, double x) {
  const double least = x * (1.0 + x * (0.5 + x * (1.0 / 3.0)));
  if (value < least) return true;
  const double rest = 0.25 * x * x * x * x / (1.0 - x);
  return value < least + rest && value < hits(x);
}

struct Product {
  std::uint64_t high, low;
};
Product product(std::uint64_t a, std::uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide all = static_cast<Wide>(a) * b;
  return {static_cast<std::uint64_t>(all >> 64), static_cast<std::uint64_t>(all)};
}

/// Blocks 0 .. n-1 of a round. Few are drawn one by one.
const std::uint32_t* draw_candidates(const RowKey& key, std::uint32_t round, std::uint32_t n, std::vector<std::uint32_t>& words) {
  if (words.size() < 5 * (n + kRowPadding)) words.resize(8 * (n + kRowPadding));
  if (n < 4) {
    for (std::uint32_t i = 0; i < n; ++i) {
      const RandomWords block = random_words(key.key, round_of(Purpose::pair, round), i, key.source, key.stream);
      std::copy(block.begin(), block.end(), words.begin() + 4 * i);
    }
    return words.data();
  }
  std::uint32_t* const index = words.data() + 4 * (n + kRowPadding);
  std::iota(index, index + n, 0u);
  draw_blocks(key, Purpose::pair, round, index, n, words.data());
  return words.data();
}

/// The largest of all source cells.
template <class Value>
double largest(const AxisReach& axis, const Value& value) {
  double most = 0.0;
  for (std::uint32_t cell = 0; cell < axis.source_cells(); ++cell) most = std::max(most, value(axis.cells(cell)));
  return most;
}
double all_hits(const AxisReach::Cells& cells, std::uint32_t begin, std::uint32_t end) {
  return begin < end ? cells.density * static_cast<double>(cells.units(begin, end)) : 0.0;
}

}  // namespace

GaussianRows::GaussianRows(const SheetPair& sheets, const ConnectivityRule& rule) : GaussianRows(sheets, rule, kBoxReach) {
  if (!box_pays()) *this = GaussianRows(sheets, rule, kNoBox);
}

GaussianRows::GaussianRows(const SheetPair& sheets, const ConnectivityRule& rule, double near)
    : from_(sheets.source()), to_(sheets.target()), probability_(rule.probability), near_(near),
      x_(sheets.x, rule.sigma, near, kGaussianReach), y_(sheets.y, rule.sigma, near, kGaussianReach),
      // The largest chance outside of the box, with what rounding adds to it.
      hits_per_chance_([&] {
        const double chance = rule.probability * (near > 0.0 ? std::exp(-0.5 * near * near) : 1.0) * (1.0 + 1e-6);
        return chance > 0.0 && chance < 1.0 ? hits(chance) / chance : 1.0;
      }()),
      counts_(1.01 * largest_mean()) {}

bool GaussianRows::box_pays() const {
  if (probability_ > kMostChance) return true;
  const auto columns = [](const AxisReach::Cells& cells) { return std::ceil(cells.near / 16.0) * 16.0; };
  const auto rows = [](const AxisReach::Cells& cells) { return static_cast<double>(cells.near); };
  const auto all = [](const AxisReach::Cells& cells) { return all_hits(cells, 0, cells.n); };
  return largest(x_, columns) * largest(y_, rows) < kPairsPerCandidate * probability_ * largest(x_, all) * largest(y_, all);
}

double GaussianRows::largest_mean() const {
  const auto all = [](const AxisReach::Cells& cells) { return all_hits(cells, 0, cells.n); };
  const auto near = [](const AxisReach::Cells& cells) { return all_hits(cells, 0, cells.near); };
  const auto far = [](const AxisReach::Cells& cells) { return all_hits(cells, cells.near, cells.n); };
  return probability_ * hits_per_chance_ * (largest(y_, far) * largest(x_, all) + largest(y_, near) * largest(x_, far));
}

std::vector<RowsOfChunk> GaussianRows::rows_in(const Chunk& chunk) const {
  const std::uint32_t first = chunk.begin / to_.x.cells, last = (chunk.begin + chunk.size - 1) / to_.x.cells;
  std::vector<RowsOfChunk> rows;
  for (std::uint32_t row = 0; row < y_.source_cells(); ++row) {
    const AxisReach::Cells cells = y_.cells(row);
    const auto place = [&](std::uint32_t begin, std::uint32_t end, std::uint32_t wanted) {
      return static_cast<std::uint32_t>(std::lower_bound(cells.places + begin, cells.places + end, wanted) - cells.places);
    };
    rows.push_back({place(0, cells.near, first), place(0, cells.near, last + 1), place(cells.near, cells.n, first),
                    place(cells.near, cells.n, last + 1)});
  }
  return rows;
}

void GaussianRows::list(const RowKey& key, const Chunk& chunk, const RowsOfChunk& rows, std::uint32_t self, TargetRow& row) const {
  const Source source{key, chunk, self, x_.cells(from_.column(key.source)), y_.cells(from_.row(key.source))};
  row.start(0);
  if (probability_ <= 0.0) return;
  const Strip far{rows.far, rows.far_end, 0, source.x.n, kFarRound};
  const Strip near{rows.near, rows.near_end, source.x.near, source.x.n, kNearRound};
  if (rows.near < rows.near_end && source.x.near > 0) list_box(source, rows, row);
  const double far_mean = hits_of(source, far), near_mean = hits_of(source, near);
  if (far_mean + near_mean <= 0.0) return;
  RandomStream counts(key.key, Purpose::row_length, key.source, key.stream);
  const auto [mean, n] = counts_.draw(far_mean + near_mean, counts);
  if (n == 0) return;
  if (near_mean == 0.0) return list_strip(source, far, n, mean, row);
  std::uint32_t in_far = 0, in_near = 0;  // beside a box there are few: each is told where to go, or nowhere
  for (std::uint32_t i = 0; i < n; ++i) {
    const double at = counts.next_unit() * mean;
    in_far += at < far_mean ? 1 : 0;
    in_near += at >= far_mean && at < far_mean + near_mean ? 1 : 0;
  }
  list_strip(source, far, in_far, far_mean, row);
  list_strip(source, near, in_near, near_mean, row);
}

void GaussianRows::list_box(const Source& source, const RowsOfChunk& rows, TargetRow& row) const {
  const PairBox box{source.x.places, source.x.chances, source.x.near, source.y.places + rows.near, source.y.chances + rows.near,
                    rows.near_end - rows.near, probability_, to_.x.cells, source.chunk.begin, source.chunk.size, source.self};
  row.resize(static_cast<std::uint32_t>(keep_pairs(source.key, box, row.extend(std::size_t{box.n} * box.n_rows))));
}

/// Candidates that fall on a strip on average.
double GaussianRows::hits_of(const Source& source, const Strip& strip) const {
  if (strip.empty()) return 0.0;
  return probability_ * hits_per_chance_ * all_hits(source.y, strip.row, strip.row_end) * all_hits(source.x, strip.column, strip.column_end);
}

// A block of Philox makes a candidate: two numbers of 64 bits, whose products with the units of the rows and of the
// columns have a unit of each in their upper halves; the fractions that are left say whether it is kept.
void GaussianRows::list_strip(const Source& source, const Strip& strip, std::uint32_t n, double mean, TargetRow& row) const {
  if (n == 0) return;
  const AxisReach::Cells &x = source.x, &y = source.y;
  const std::uint64_t row_units = y.units(strip.row, strip.row_end), column_units = x.units(strip.column, strip.column_end);
  const double per_unit = mean / (static_cast<double>(row_units) * static_cast<double>(column_units));
  const std::uint32_t* w = draw_candidates(source.key, strip.round, n, row.scratch());
  row.extend(n);
  row.start_distinct();
  for (std::uint32_t i = 0; i < n; ++i, w += 4) {
    const Product in_rows = product(std::uint64_t{w[0]} << 32 | w[1], row_units), in_columns = product(std::uint64_t{w[2]} << 32 | w[3], column_units);
    const std::uint32_t r = y.cell_of(y.first_unit(strip.row) + static_cast<std::uint32_t>(in_rows.high), strip.row, strip.row_end);
    const std::uint32_t c = x.cell_of(x.first_unit(strip.column) + static_cast<std::uint32_t>(in_columns.high), strip.column, strip.column_end);
    const std::uint64_t number = (in_rows.low >> 32 << 32) | in_columns.low >> 32;
    const double chance = probability_ * static_cast<double>(y.chances[r]) * static_cast<double>(x.chances[c]);
    const std::uint32_t target = to_.x.cells * y.places[r] + x.places[c] - source.chunk.begin;
    if (target >= source.chunk.size || target == source.self) continue;
    if (is_below_hits(static_cast<double>(number >> 11) * 0x1p-53 * per_unit * y.units(r) * x.units(c), chance)) row.append_distinct(target);
  }
}

}  // namespace tessera
