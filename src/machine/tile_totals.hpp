// What lands on a tile, added up from the description: synapses, rows, tables, what is in flight.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <set>
#include <tuple>
#include <vector>

#include "connectivity/plastic_rows.hpp"
#include "connectivity/thin_rows.hpp"
#include "connectivity/tile_layout.hpp"
#include "connectivity/weight_units.hpp"

namespace tessera {

struct Totals {
  double synapses = 0.0;
  double events_per_second = 0.0;  ///< from mean rates; 0 when none is known
  double table_bytes = 0.0;        ///< count records
  double rows = 0.0;               ///< bytes of stored rows and their index
  double stored_words = 0.0;       ///< with the headers of rows
  double records = 0.0;            ///< bytes of count records of one step's spikes
  double exceptions = 0.0;         ///< bytes of the tables of fixed_indegree
  double corrections = 0.0;        ///< bytes of what puts draws right, procedural rows only
  double waiting = 0.0;            ///< bytes of drawn words of thin rows that wait for their steps
  double table_pages = 0.0;        ///< what count tables take beyond their entries: whole pages
  int counting_stores = 0;         ///< with a table of one or of two bytes per count; thin ones have their own
  double trees = 0.0;              ///< bytes of the trees that are given back once the counts are in a table
  std::uint32_t thin_bundles = 0, last_thin_group = 0;
  double kept_spikes = 0.0;        ///< per step, of sources that have rows which are drawn when they are due
  std::uint32_t last_group = 0;    ///< of those
  double plastic = 0.0;            ///< plastic synapses
  double plastic_bytes = 0.0;      ///< what they take, with rows and what their targets have spiked
};

/// Adds up what plastic bundles take. Bundles of one chunk with equal traces share a history.
class PlasticTotals {
 public:
  PlasticTotals(const Wiring& wiring, const std::vector<PlasticityVariant>& rules, bool exact) : wiring_(wiring), rules_(rules), exact_(exact) {}

  [[nodiscard]] double bytes_of(const Bundle& b);

 private:
  template <class Expected>
  double add(const Bundle& b, const PlasticityVariant& rule, const Expected& expected);

  const Wiring& wiring_;
  const std::vector<PlasticityVariant>& rules_;
  bool exact_;
  std::set<std::tuple<std::uint32_t, double, double, bool>> histories_;
};

/// Bytes of what puts the draws of a corrected bundle right.
[[nodiscard]] double correction_bytes(const Wiring& wiring, const WeightUnits& units, const Bundle& b);

/// Of `mixture`, when there is one, each bundle counts either as stored or as drawn, else as both.
[[nodiscard]] Totals sum_up(const Wiring& wiring, const WeightUnits& units, const ThinChoice& thin, const TileLayout& layout,
                            PlasticTotals& plastic, const std::vector<bool>& mixture);

/// Bytes that the procedural stores of a tile take beside counts, corrections and what is in flight: whole pages, lists per
/// step, buffers.
[[nodiscard]] double store_bytes(const Totals& totals, const Wiring& wiring, bool count_table);

}  // namespace tessera
