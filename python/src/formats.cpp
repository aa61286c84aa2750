// Files of other programs.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "catalogue.hpp"
#include "tessera/sonata.hpp"

namespace tessera::python {
namespace {

std::vector<std::string> write_sonata(const PythonNetwork& network, std::uint64_t seed, const std::filesystem::path& folder) {
  PendingError pending;
  std::vector<std::string> files;
  const NeuronCatalogue models = catalogue_of(network, std::make_shared<RuleFailures>());
  {
    const nb::gil_scoped_release unlocked;
    files = export_sonata(network, models, seed, folder, [&](std::uint64_t) { return !pending.stop(); });
  }
  pending.raise();
  return files;
}

}  // namespace

void bind_formats(nb::module_& m) { m.def("export_sonata", &write_sonata); }

}  // namespace tessera::python
