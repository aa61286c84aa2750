// Where neurons of a grid are, how far apart, and what follows from the distance: the probability
// of a synapse and its delay. Pure functions of the description.
//
// Lengths are in mm, or, for grids without an extent, in distances between neighbours. All sheets
// are centred on the same point, so grids of different size lie on top of each other.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>

#include "tessera/network.hpp"

namespace tessera {

/// Beyond this many sigma along x or y gaussian_2d makes no synapses. The chance is less than 1.3e-14 of the peak
/// there; all of what is left out is 2.5e-15 of a source's synapses on a wide and fine sheet.
inline constexpr double kGaussianReach = 8.0;

/// One edge of a sheet, cut into cells with a neuron in the middle of each.
struct Axis {
  std::uint32_t cells = 1;
  double length = 1.0;
  bool ring = true;  ///< its ends touch

  [[nodiscard]] double spacing() const { return length / cells; }
  /// Exact in grid units, where the spacing is 1.
  [[nodiscard]] double place(std::uint32_t cell) const {
    return (cell + 0.5 - 0.5 * cells) * spacing();
  }
};

/// Neuron i sits in column i % columns (along x) and row i / columns (along y).
struct Sheet {
  Axis x, y;
  [[nodiscard]] std::uint32_t column(std::uint32_t neuron) const { return neuron % x.cells; }
  [[nodiscard]] std::uint32_t row(std::uint32_t neuron) const { return neuron / x.cells; }
};

/// Whether grid_columns, size and extent make a sheet (validation says why not).
[[nodiscard]] bool is_sheet(const Population& population);
/// The sheet of a population that is one.
[[nodiscard]] Sheet sheet_of(const Population& population);

struct Span {
  double shortest = 0.0, longest = 0.0;
};

/// The same edge of the sources' and the targets' sheet. On rings both have the same length.
struct AxisPair {
  Axis source, target;

  /// Distance of two cells; on a ring the shorter way round.
  [[nodiscard]] double gap(std::uint32_t source_cell, std::uint32_t target_cell) const {
    const double direct = std::abs(target.place(target_cell) - source.place(source_cell));
    const double round = source.length - direct;
    return source.ring && round < direct ? round : direct;
  }
  /// The shortest and the longest gap of all pairs of cells.
  [[nodiscard]] Span gaps() const;
  /// Sum of exp(-gap^2 / (2 sigma^2)) over all pairs of cells; where these are too many to visit,
  /// from a part of the source cells that is spread evenly.
  [[nodiscard]] double gaussian_sum(double sigma) const;
};

/// The sheets of a projection's sources and targets.
struct SheetPair {
  AxisPair x, y;

  SheetPair(const Population& source, const Population& target);
  [[nodiscard]] Sheet source() const { return {x.source, y.source}; }
  [[nodiscard]] Sheet target() const { return {x.target, y.target}; }
  [[nodiscard]] double distance(std::uint32_t source_neuron, std::uint32_t target_neuron) const;
};

[[nodiscard]] inline double length_of(double dx, double dy) { return std::sqrt(dx * dx + dy * dy); }

/// Probability of a synapse over the distance (dx, dy); gaussian_2d.
[[nodiscard]] inline double gaussian_probability(const ConnectivityRule& rule, double dx,
                                                 double dy) {
  const double zx = dx / rule.sigma, zy = dy / rule.sigma;
  return rule.probability * std::exp(-0.5 * (zx * zx + zy * zy));
}

/// Whether delays follow from the distance.
[[nodiscard]] inline bool has_distance_delay(const Projection& p) { return p.delay_slope != 0.0; }
/// The delay over a distance, before it is rounded to at least one step.
[[nodiscard]] inline double distance_delay_ms(const Projection& p, double distance) {
  return p.delay_ms.a + p.delay_slope * distance;
}

/// Bounds of the distances that synapses of a projection between two grids can bridge.
[[nodiscard]] Span distances(const Projection& p, const Population& source,
                             const Population& target);

/// Why there are no distances between the neurons of two populations, or "". What is wrong with one
/// of them alone is told with it: distances exist when this is "" and both are sheets.
[[nodiscard]] std::string distance_problem(const Population& source, const Population& target);

}  // namespace tessera
