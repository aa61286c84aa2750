// SONATA edges: an edge population of an HDF5 file as lists.
// https://github.com/AllenInstitute/sonata/blob/master/docs/SONATA_DEVELOPER_GUIDE.md
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace tessera::io {

struct SonataEdges {
  std::vector<std::uint64_t> source, target;  ///< node ids
  std::vector<double> weight;                 ///< syn_weight; empty: the file has none
  std::vector<double> delay_ms;               ///< delay; empty: the file has none
};

/// Reads a population of edges; `population` may be empty where the file has a single one. Throws InputError: no such
/// file or population (with the nearest name), several groups of attributes, lists of different lengths, damage.
[[nodiscard]] SonataEdges read_sonata_edges(const std::filesystem::path& file, const std::string& population);

}  // namespace tessera::io
