// gaussian_2d against its definition: every pair independently of all others, with probability x exp(-d^2 / (2 sigma^2)),
// near and far, with and without a box of pairs that have numbers of their own.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "connectivity/gaussian_rows.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "connectivity/connect.hpp"
#include "support/goodness_of_fit.hpp"

namespace tessera::test {
namespace {

Population grid(std::uint32_t columns, std::uint32_t rows, bool periodic = true, double x_mm = 0.0, double y_mm = 0.0) {
  Population p = neurons_of("P", columns * rows);
  p.grid_columns = columns;
  p.periodic = periodic;
  p.extent_mm = {x_mm, y_mm};
  return p;
}

ConnectivityRule gaussian(double probability, double sigma) {
  ConnectivityRule rule = rule_of(Kind::gaussian_2d);
  rule.probability = probability;
  rule.sigma = sigma;
  return rule;
}

/// One source, drawn with many seeds: which of the targets of a chunk it has.
class ManyRows {
 public:
  ManyRows(const SheetPair& sheets, const ConnectivityRule& rule, std::uint32_t source, Chunk chunk, std::uint32_t self)
      : rows_(sheets, rule), source_(source), chunk_(chunk), self_(self), in_chunk_(rows_.rows_in(chunk)[rows_.row_of(source)]) {}
  [[nodiscard]] bool has_box() const { return rows_.has_box(); }
  const TargetRow& row(std::uint64_t seed) {
    rows_.list({RandomKey(seed), source_, 5}, chunk_, in_chunk_, self_, row_);
    return row_;
  }

 private:
  GaussianRows rows_;
  std::uint32_t source_;
  Chunk chunk_;
  std::uint32_t self_;
  RowsOfChunk in_chunk_;
  TargetRow row_;
};

struct Case {
  const char* name;
  std::uint32_t columns, rows;
  bool periodic;
  double probability, sigma;
  std::uint32_t source, begin, size;
};

// High probabilities make a box. Chunks are the whole grid, or begin and end
// inside of rows; the source is inside, outside or at a corner of them.
const Case kCases[] = {{"box", 18, 14, true, 1.0, 1.4, 95, 0, 252},
                       {"box, part of the grid", 18, 14, true, 0.9, 1.2, 95, 61, 130},
                       {"box, corner", 18, 14, false, 0.9, 2.0, 0, 0, 252},
                       {"no box", 18, 14, true, 0.03, 2.5, 95, 0, 252},
                       {"no box, high", 18, 14, true, 0.25, 0.7, 95, 61, 130},
                       {"no box, corner", 18, 14, false, 0.05, 3.0, 17, 0, 252}};

// The chance of every pair, by hand: cells are neighbours at a distance of 1, and rings are as long as they have cells.
double chance_of(const Case& c, std::uint32_t target) {
  const auto gap = [&](std::uint32_t a, std::uint32_t b, std::uint32_t cells) {
    const double direct = std::abs(static_cast<double>(a) - static_cast<double>(b));
    return c.periodic ? std::min(direct, cells - direct) : direct;
  };
  const double dx = gap(c.source % c.columns, target % c.columns, c.columns), dy = gap(c.source / c.columns, target / c.columns, c.rows);
  return c.probability * std::exp(-(dx * dx + dy * dy) / (2.0 * c.sigma * c.sigma));
}

TEST(GaussianRows, EveryPairHasItsChanceAndNoneKnowsOfAnother) {
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.name);
    constexpr int kSeeds = 40000;
    const Population population = grid(c.columns, c.rows, c.periodic);
    const std::uint32_t self = c.source - c.begin < c.size ? c.source - c.begin : c.size;
    ManyRows rows(SheetPair(population, population), gaussian(c.probability, c.sigma), c.source, {0, c.begin, c.size}, self);
    EXPECT_EQ(rows.has_box(), c.probability > 0.5);
    std::vector<double> chances(c.size);
    for (std::uint32_t t = 0; t < c.size; ++t) chances[t] = t == self ? 0.0 : chance_of(c, c.begin + t);
    std::vector<double> seen(c.size, 0.0);
    std::vector<std::vector<double>> together(c.size, std::vector<double>(c.size, 0.0));
    for (int seed = 0; seed < kSeeds; ++seed) {
      const TargetRow& row = rows.row(static_cast<std::uint64_t>(seed));
      std::vector<bool> has(c.size, false);
      for (std::uint32_t i = 0; i < row.size(); ++i) {
        const std::uint32_t a = row.targets()[i];
        ASSERT_LT(a, c.size);
        ASSERT_NE(a, self);
        ASSERT_FALSE(has[a]) << "twice";
        has[a] = true;
        seen[a] += 1.0;
        for (std::uint32_t j = 0; j < i; ++j) {
          const std::uint32_t b = row.targets()[j];
          together[std::min(a, b)][std::max(a, b)] += 1.0;
        }
      }
    }
    // Each pair is a binomial count, and so are two of them together: squares of standard normal numbers, which are
    // uncorrelated if pairs are independent. Rare ones are counted together, and are Poisson then.
    double statistic = 0.0, both = 0.0, rare = 0.0, rare_expected = 0.0;
    int pairs = 0, couples = 0;
    for (std::uint32_t a = 0; a < c.size; ++a) {
      const double p = chances[a];
      if (p * kSeeds < 20.0 || (1.0 - p) * kSeeds < 20.0) {
        rare += p < 0.5 ? seen[a] : kSeeds - seen[a], rare_expected += kSeeds * std::min(p, 1.0 - p);
        continue;
      }
      statistic += std::pow(seen[a] - kSeeds * p, 2) / (kSeeds * p * (1.0 - p));
      ++pairs;
      for (std::uint32_t b = a + 1; b < c.size; ++b) {
        const double q = chances[b], covariance = p * q * (1.0 - p) * (1.0 - q);
        if (kSeeds * p * q < 20.0 || kSeeds * covariance < 20.0) continue;
        const double sum = together[a][b] - p * seen[b] - q * seen[a] + kSeeds * p * q;
        both += sum * sum / (kSeeds * covariance);
        ++couples;
      }
    }
    EXPECT_GT(pairs, 10);
    EXPECT_GT(couples, 10);
    EXPECT_LT(statistic, chi_squared_limit(pairs));
    EXPECT_LT(both, chi_squared_limit(couples));
    EXPECT_LT(std::abs(rare - rare_expected), kOneInAMillionSd * std::sqrt(rare_expected + 1.0) + kOneInAMillionSd);
  }
}

// One source below the middle of a sheet that is a row of 64 neurons wide, and 9,600 rows long: these are sigma / 600
// apart. Of the 256 rows from 6 sigma on every neuron has a chance of 1.5e-8 or less, so that only millions of rows have
// some of them. The sum of all chances is 64 x 600 x integral of exp(-z^2 / 2) from 6 on, but for the end of the chunk.
TEST(GaussianRows, FarPairsAreDrawnAsOftenAsTheirSmallChanceSays) {
  Population source = grid(1, 1, false, 1e-3, 16.0), target = grid(64, 9600, false, 1e-3, 16.0);
  const double sigma = 1.0;
  for (const double probability : {1.0, 0.2}) {
    ManyRows rows(SheetPair(source, target), gaussian(probability, sigma), 0, {0, (4800 + 3600) * 64, 256 * 64}, 256 * 64);
    const double from = 6.0 * sigma, to = (3600.0 + 256.0) / 600.0;
    const double integral = std::sqrt(0.5 * M_PI) * (std::erfc(from / std::sqrt(2.0)) - std::erfc(to / std::sqrt(2.0)));
    constexpr int kSeeds = 1000000;
    const double expected = kSeeds * probability * 64.0 * 600.0 * integral;
    double found = 0.0;
    for (int seed = 0; seed < kSeeds; ++seed) found += rows.row(static_cast<std::uint64_t>(seed)).size();
    EXPECT_GT(expected, 10.0);
    EXPECT_LT(std::abs(found - expected), kOneInAMillionSd * std::sqrt(expected) + 1.0) << probability;
  }
}

// What cannot be seen in samples: candidates are kept with the ratio of a chance to how many fall on a pair, so that has
// to be at least the chance, down to the last cell of the reach; and no unit is without a cell.
TEST(AxisReach, EveryCellHasUnitsForItsChance) {
  for (const double sigma : {0.05, 0.7, 5.0, 40.0}) {
    for (const bool ring : {true, false}) {
      const AxisPair axis{{37, 100.0, ring}, {100, 100.0, ring}};
      const AxisReach reach(axis, sigma, 2.5, 8.0);
      for (std::uint32_t from = 0; from < 37; ++from) {
        const AxisReach::Cells cells = reach.cells(from);
        std::uint32_t within = 0, near = 0;
        for (std::uint32_t to = 0; to < 100; ++to) {
          within += axis.gap(from, to) <= 8.0 * sigma ? 1 : 0;
          near += axis.gap(from, to) <= 2.5 * sigma ? 1 : 0;
        }
        ASSERT_EQ(cells.n, within);
        ASSERT_EQ(cells.near, near);
        double sum = 0.0;
        for (std::uint32_t i = 0; i < cells.n; ++i) {
          const double z = axis.gap(from, cells.places[i]) / sigma;
          EXPECT_EQ(z <= 2.5, i < near);
          EXPECT_NEAR(static_cast<double>(cells.chances[i]) / std::exp(-0.5 * z * z), 1.0, 1e-7);
          EXPECT_GE(cells.density * cells.units(i), static_cast<double>(cells.chances[i]) * (1.0 - 1e-15));
          sum += static_cast<double>(cells.chances[i]);
          for (const std::uint32_t unit : {cells.first_unit(i), cells.last[i]}) {
            EXPECT_EQ(cells.cell_of(unit, 0, cells.n), i);
            EXPECT_EQ(cells.cell_of(unit, i, i + 1), i);
          }
        }
        if (cells.n == 0) continue;
        EXPECT_EQ(cells.last[cells.n - 1], 0xffffffffu);
        EXPECT_EQ(cells.units(0, cells.n), std::uint64_t{1} << 32);
        EXPECT_LT(cells.density * 0x1p32 / sum, 1.0 + 1e-6);  // hardly more candidates than needed
      }
    }
  }
}

}  // namespace
}  // namespace tessera::test
