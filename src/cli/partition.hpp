// What `tessera partition` writes.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "tessera/partition.hpp"

namespace tessera::cli {

/// Everything for programs.
[[nodiscard]] std::string partition_json(const Partition& partition, const MachineDescription& machine);
/// "hidden[0:73], output": at most `most` slices, then how many more.
[[nodiscard]] std::string slices_text(const Partition& partition, const PartitionRun& run, std::size_t most);

}  // namespace tessera::cli
