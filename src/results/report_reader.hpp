// What a report.json says, and the files that it vouches for.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "results/sinks.hpp"
#include "tessera/result.hpp"

namespace tessera {

inline constexpr std::uint64_t kMostElements = std::uint64_t{1} << 36;  // of one data set

struct Report {
  Result result;  ///< without spikes and traces
  std::vector<io::TraceColumn> columns;
  std::vector<WeightRecordInfo> weights;
  std::vector<std::string> files;
  std::map<std::string, std::string> checksums;  ///< by file
};

/// Of a finished result; throws InputError like load_result().
[[nodiscard]] Report read_report(const std::filesystem::path& folder);
[[nodiscard]] bool holds(const Report& report, const std::string& file);
/// The path of a file that is what its checksum says. A damaged HDF5 file must not reach the HDF5 library: it does not
/// survive every damage.
[[nodiscard]] std::filesystem::path verified(const Report& report, const std::string& file);

}  // namespace tessera
