// A network with all its synapses as SONATA files, for libsonata, BMTK, ... docs/results.md has the layout.
// https://github.com/AllenInstitute/sonata/blob/master/docs/SONATA_DEVELOPER_GUIDE.md
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "tessera/network.hpp"

namespace tessera {

/// Writes nodes.h5, node_types.csv, edges.h5, edge_types.csv, circuit_config.json and components/<population>.json into a
/// folder that is made where it is missing. Synapses are those of a simulation with this seed, written as they are drawn: no more
/// than one row and a buffer are kept. `go_on` gets the number of synapses so far, from time to time, and says whether to go
/// on; when it does not, nothing is left behind. Every file gets its name when all are whole, the configuration last.
/// Returns the names of the files; empty when it was told to stop. Throws InputError: an invalid network, no HDF5; RunError (disk).
std::vector<std::string> export_sonata(const Network& network, const NeuronCatalogue& models, std::uint64_t seed,
                                       const std::filesystem::path& folder,
                                       const std::function<bool(std::uint64_t synapses)>& go_on = {});

}  // namespace tessera
