// NIR files in a build without HDF5.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "interchange/nir_graph.hpp"

namespace tessera::nir {

Graph read_graph(const std::filesystem::path& file) {
  throw InputError("cannot read " + file.string() + ": NIR files are HDF5 files, and this build has no HDF5.");
}

void write_graph(const std::filesystem::path& file, const Graph&) {
  throw InputError("cannot write " + file.string() + ": NIR files are HDF5 files, and this build has no HDF5.");
}

}  // namespace tessera::nir
