// In which order the neurons of a group come, so that cutting it leaves few sources that several runs need.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "machine/partition_pack.hpp"

namespace tessera {

[[nodiscard]] Order index_order(const Group& group);
/// The best of index order, tiles of its shape, and what divide_graph() finds; by the runs and copies of the group alone.
[[nodiscard]] Order best_order(const Group& group, Limits& limits);

}  // namespace tessera
