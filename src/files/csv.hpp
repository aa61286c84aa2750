// Comma-separated tables for other programs: one header line, then rows.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <variant>
#include <vector>

#include "files/file.hpp"

namespace tessera::io {

/// A cell: text (quoted where needed, RFC 4180) or a number (shortest form that reads back equal;
/// an empty cell for NaN).
using CsvCell = std::variant<std::string, double>;

class CsvWriter {
 public:
  CsvWriter(const std::filesystem::path& file, const std::vector<std::string>& columns);
  /// As many cells as there are columns; throws std::logic_error otherwise.
  void row(const std::vector<CsvCell>& cells);
  /// Flushes and gives the file its final name. Throws RunError.
  void commit();

 private:
  FileWriter file_;
  std::size_t columns_;
};

}  // namespace tessera::io
