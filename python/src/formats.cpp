// Files of other programs.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "bindings.hpp"
#include "tessera/sonata.hpp"

namespace tessera::python {
namespace {

std::vector<std::string> write_sonata(const Network& network, std::uint64_t seed, const std::filesystem::path& folder) {
  PendingError pending;
  std::vector<std::string> files;
  {
    const nb::gil_scoped_release unlocked;
    files = export_sonata(network, NeuronCatalogue::builtin(), seed, folder, [&](std::uint64_t) { return !pending.stop(); });
  }
  pending.raise();
  return files;
}

}  // namespace

void bind_formats(nb::module_& m) { m.def("export_sonata", &write_sonata); }

}  // namespace tessera::python
