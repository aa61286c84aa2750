// SONATA nodes in a build without HDF5.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "interchange/sonata_nodes.hpp"
#include "tessera/errors.hpp"

namespace tessera::sonata {

std::unique_ptr<PendingNodes> write_nodes(const std::filesystem::path& file, const Network&) {
  throw InputError("cannot write " + file.string() + ": SONATA networks are in HDF5, and this build has no HDF5.");
}

}  // namespace tessera::sonata
