// In which units weights are added: whole multiples of one unit per target population, so that sums do
// not depend on order.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "connectivity/wiring.hpp"
#include "tessera/plasticity_model.hpp"
#include "tessera/simulation.hpp"

namespace tessera {

/// A unit is chosen so that rounding changes no projection's and no stimulus's mean |weight| by more
/// than kRoundingAllowed; constant weights, and the values of a list with at most WeightTable::kSize
/// different ones, count one by one. In this order:
///  1. the common divisor of all weights of a population, when there is one: they are then exact, and so
///     is a threshold that they reach exactly;
///  2. the largest weight over kLargestUnits, which fits packed words;
///  3. halves of that, fitted to the smallest constant weight where this helps, until rounding is as small as asked for or all synapses of a neuron at once could
///     leave 31 bits. Projections whose weights then exceed kLargestUnits get wide words.
struct WeightUnits {
  static constexpr double kRoundingAllowed = 1e-3;
  /// Distinct weight tables that a packed word can name; projections beyond are listed.
  static constexpr std::uint32_t kMostTables = 16;

  std::vector<double> unit;             ///< per population, in the weight unit of its model
  std::vector<bool> wide;               ///< per projection: some weight needs a wide word
  std::vector<std::uint32_t> table_of;  ///< per projection: its table, kMostTables when it has none
  std::vector<std::int32_t> tables;     ///< in units, WeightTable::kSize entries each
  /// Where rounding changes the mean |weight| by more than kRoundingAllowed all the same.
  std::vector<RoundedWeights> rounded;

  [[nodiscard]] std::int32_t units_of(double weight, std::uint32_t population) const;
  /// Whether a bundle's rows are written out by list_row() instead of drawn by a vector kernel.
  [[nodiscard]] bool listed(const Bundle& bundle) const {
    return bundle.drawing != Bundle::Drawing::uniform || table_of[bundle.projection] >= kMostTables;
  }
  /// Of those, the ones whose draws a vector kernel can make one delay group at a time.
  [[nodiscard]] bool corrected_by_group(const Bundle& bundle) const {
    return bundle.drawing == Bundle::Drawing::corrected && table_of[bundle.projection] < kMostTables;
  }
};
/// `rules`: of plastic projections, per projection (network/prepare_rules.hpp); empty when there are none. Their weights
/// count as spread evenly over what the rule allows, or, where it sets no bound, as far as four times the largest
/// initial weight; those of short-term plasticity, of which parts are transmitted, from 0 to the largest.
[[nodiscard]] WeightUnits choose_weight_units(const Wiring& wiring, std::span<const PlasticityVariant> rules = {});

}  // namespace tessera
