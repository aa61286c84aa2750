// nodes.h5 of a SONATA circuit.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>

#include "tessera/network.hpp"

namespace tessera::sonata {

/// A file in the making: it gets its name by commit().
class PendingNodes {
 public:
  virtual ~PendingNodes() = default;
  virtual void commit() = 0;
};

/// A population of nodes for every population, of the type with its number; positions of grids in micrometres. Throws
/// InputError (no HDF5), RunError (disk).
[[nodiscard]] std::unique_ptr<PendingNodes> write_nodes(const std::filesystem::path& file, const Network& network);

}  // namespace tessera::sonata
