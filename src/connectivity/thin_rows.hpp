// Thin rows of procedural connectivity: bundles whose sources have less than half a synapse per delay group.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "connectivity/row_store.hpp"

namespace tessera {

/// Which projections are thin. A count table has a byte per source, bundle and delay group, and every group is visited; where
/// hundreds of areas are joined by delays of tens of milliseconds, nearly all of these bytes are 0. Their rows are drawn
/// whole when a spike arrives instead, and their words wait for their steps. Chosen from the network alone; what is drawn
/// does not change.
class ThinChoice {
 public:
  ThinChoice(const Wiring& wiring, const WeightUnits& units);
  [[nodiscard]] bool holds(const Bundle& b) const { return !thin_.empty() && thin_[b.projection]; }
  [[nodiscard]] bool any() const { return !thin_.empty(); }

  /// Bytes of a source's count, and of a word that waits.
  static constexpr double kCountBytes = 1.0, kWordBytes = 4.0 * 64.0 / 62.0;

 private:
  std::vector<bool> thin_;  ///< per projection; empty: none is
};

/// The thin bundles of a tile. `count_table`: keep the number of synapses of every source in every bundle, a byte each.
[[nodiscard]] std::unique_ptr<RowStore> make_thin_rows(const RowStoreInput& input, const BundleChoice& holds, bool count_table);

}  // namespace tessera
