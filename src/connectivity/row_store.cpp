// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "connectivity/row_store.hpp"

#include <vector>

namespace tessera {

DrawTables tables_of(const Wiring& wiring, const WeightUnits& units) {
  return {units.tables.data(), wiring.step_tables().empty() ? nullptr : wiring.step_tables().data()};
}

double expected_synapses(const RowStoreInput& input) {
  std::vector<bool> on_tile(input.wiring->chunks().size(), false);
  for (const BlockLayout& block : input.layout->blocks) on_tile[block.chunk] = true;
  double synapses = 0.0;
  for (const Bundle& b : input.wiring->bundles()) {
    if (on_tile[b.chunk]) synapses += input.wiring->expected_synapses_of(b);
  }
  return synapses;
}

}  // namespace tessera
