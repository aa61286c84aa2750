// This build has no METIS: divisions grow from a neuron at the rim instead.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "machine/partition_graph.hpp"

namespace tessera {

bool has_metis() { return false; }
Parts metis_parts(const PinGraph&, std::uint32_t, int) { return {}; }

}  // namespace tessera
