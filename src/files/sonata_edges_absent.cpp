// SONATA edges in a build without HDF5.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "files/sonata_edges.hpp"

#include "tessera/errors.hpp"

namespace tessera::io {

SonataEdges read_sonata_edges(const std::filesystem::path& file, const std::string&) {
  throw InputError("cannot read " + file.string() + ": SONATA edges are in HDF5, and this build has no HDF5.");
}

}  // namespace tessera::io
