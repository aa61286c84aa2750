// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "network/sheet.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "network/limits.hpp"

namespace tessera {
namespace {

/// Pairs of cells that gaussian_sum visits at most.
constexpr std::uint32_t kMostPairs = 1u << 22;

std::string size_text(const Population& p) {
  const Sheet sheet = sheet_of(p);
  const std::string edges = fmt::format("{:.6g} x {:.6g}", sheet.x.length, sheet.y.length);
  return p.extent_mm[0] > 0.0 ? edges + " mm" : edges + " in units of its grid";
}

}  // namespace

bool is_sheet(const Population& p) {
  const auto is_length = [](double x) { return x > 0.0 && x <= kMaxExtent_mm; };
  const bool measured = p.extent_mm[0] != 0.0 || p.extent_mm[1] != 0.0;
  return p.grid_columns > 0 && p.size > 0 && p.size % p.grid_columns == 0 &&
         p.grid_columns <= kMaxGridSide && p.size / p.grid_columns <= kMaxGridSide &&
         (!measured || (is_length(p.extent_mm[0]) && is_length(p.extent_mm[1])));
}

Sheet sheet_of(const Population& population) {
  const std::uint32_t columns = population.grid_columns, rows = population.size / columns;
  const bool measured = population.extent_mm[0] > 0.0;
  return {{columns, measured ? population.extent_mm[0] : columns, population.periodic},
          {rows, measured ? population.extent_mm[1] : rows, population.periodic}};
}

SheetPair::SheetPair(const Population& source, const Population& target) {
  const Sheet from = sheet_of(source), to = sheet_of(target);
  x = {from.x, to.x};
  y = {from.y, to.y};
}

double SheetPair::distance(std::uint32_t source_neuron, std::uint32_t target_neuron) const {
  const Sheet from = source(), to = target();
  return length_of(x.gap(from.column(source_neuron), to.column(target_neuron)),
                   y.gap(from.row(source_neuron), to.row(target_neuron)));
}

// Every source cell has its nearest target cell beside its own place, and its farthest beside the
// place opposite (or, without a ring, at an end).
Span AxisPair::gaps() const {
  Span span{HUGE_VAL, 0.0};
  const auto look_at = [&](std::uint32_t cell, std::int64_t other) {
    const std::int64_t m = target.cells;
    const std::int64_t j =
        source.ring ? ((other % m) + m) % m : std::clamp<std::int64_t>(other, 0, m - 1);
    const double found = gap(cell, static_cast<std::uint32_t>(j));
    span.shortest = std::min(span.shortest, found);
    span.longest = std::max(span.longest, found);
  };
  for (std::uint32_t cell = 0; cell < source.cells; ++cell) {
    const double within = source.place(cell) / target.spacing() + 0.5 * target.cells;
    const auto here =
        static_cast<std::int64_t>(std::clamp(std::floor(within), -1.0, target.cells + 1.0));
    const std::int64_t opposite = here + target.cells / 2;
    for (std::int64_t step = -1; step <= 1; ++step) {
      look_at(cell, here + step);
      if (source.ring) look_at(cell, opposite + step);
    }
    if (source.ring) continue;
    look_at(cell, 0);
    look_at(cell, target.cells - 1);
  }
  return span;
}

double AxisPair::gaussian_sum(double sigma) const {
  const std::uint32_t n = source.cells, m = target.cells;
  // On a ring the target cells lie the same way around a source cell again after n / gcd cells.
  const std::uint32_t distinct = source.ring ? n / std::gcd(n, m) : n;
  const std::uint32_t visited = std::clamp(kMostPairs / m, 1u, distinct);
  double sum = 0.0;
  for (std::uint64_t i = 0; i < visited; ++i) {
    const auto cell = static_cast<std::uint32_t>((2 * i + 1) * distinct / (2 * visited));
    for (std::uint32_t j = 0; j < m; ++j) {
      const double z = gap(cell, j) / sigma;
      sum += std::exp(-0.5 * z * z);
    }
  }
  return sum * n / visited;
}

Span distances(const Projection& p, const Population& source, const Population& target) {
  const SheetPair sheets(source, target);
  Span x = sheets.x.gaps(), y = sheets.y.gaps();
  double shortest = length_of(x.shortest, y.shortest);
  if (!p.rule.autapses && p.source == p.target) {  // to a neighbour, where there is one
    shortest = HUGE_VAL;
    if (sheets.x.source.cells > 1) shortest = sheets.x.gap(0, 1);
    if (sheets.y.source.cells > 1) shortest = std::min(shortest, sheets.y.gap(0, 1));
    if (!std::isfinite(shortest)) shortest = 0.0;
    shortest *= 1.0 - 1e-9;  // other neighbours may be nearer by a rounding error
  }
  if (p.rule.kind == ConnectivityRule::Kind::gaussian_2d) {
    x.longest = std::min(x.longest, kGaussianReach * p.rule.sigma);
    y.longest = std::min(y.longest, kGaussianReach * p.rule.sigma);
  }
  return {shortest, length_of(x.longest, y.longest)};
}

std::string distance_problem(const Population& source, const Population& target) {
  for (const Population* p : {&source, &target}) {
    if (p->grid_columns == 0) {
      return fmt::format("distances need places, but population '{}' has no grid_columns", p->name);
    }
    if (!is_sheet(*p)) return "";
  }
  if (source.periodic != target.periodic) {
    return fmt::format("'{}' is periodic and '{}' is not; both must be, or neither",
                       source.periodic ? source.name : target.name,
                       source.periodic ? target.name : source.name);
  }
  const bool measured = source.extent_mm[0] > 0.0;
  if (measured != (target.extent_mm[0] > 0.0)) {
    return fmt::format("'{}' has an extent and '{}' has none; give both one",
                       measured ? source.name : target.name, measured ? target.name : source.name);
  }
  const SheetPair sheets(source, target);
  const auto differ = [](const AxisPair& axis) {
    return std::abs(axis.source.length - axis.target.length) > 1e-9 * axis.source.length;
  };
  if (!source.periodic || (!differ(sheets.x) && !differ(sheets.y))) return "";
  return fmt::format("'{}' is {} and '{}' {}; periodic sheets must be equally large{}", source.name,
                     size_text(source), target.name, size_text(target),
                     measured ? "" : ": give both the same extent");
}

}  // namespace tessera
