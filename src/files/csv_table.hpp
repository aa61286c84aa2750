// Tables of numbers in csv files.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tessera::io {

/// Without blanks at its ends.
[[nodiscard]] std::string_view trimmed_cell(std::string_view text);
/// False where the cell is not one number and nothing else.
[[nodiscard]] bool parse_cell(std::string_view cell, double& number);

struct CsvTable {
  std::vector<std::string> header;   ///< names of the columns; empty: the file has none
  std::size_t columns = 0;           ///< 0: there is no row
  std::vector<double> values;        ///< row after row
  std::vector<std::uint32_t> lines;  ///< of every row in the file, counted from 1
  [[nodiscard]] std::size_t rows() const { return lines.size(); }
};

/// Cells are separated by commas. A first row that does not begin with a number is the header;
/// empty lines, lines that begin with '#' and a byte order mark are left out. Throws InputError
/// with file and line: a cell that is no number (with its column), a row of another length.
[[nodiscard]] CsvTable parse_csv_table(std::string_view text, const std::string& name);

struct CsvTexts {
  std::vector<std::string> header;   ///< names of the columns
  std::vector<std::string> cells;    ///< row after row, without blanks at their ends
  std::vector<std::uint32_t> lines;  ///< of every row in the file, counted from 1
};
/// The same of cells that may be any text without a comma; the first row is the header. Throws InputError with file and
/// line: no header, a column named twice, a row of another length.
[[nodiscard]] CsvTexts parse_csv_texts(std::string_view text, const std::string& name);

}  // namespace tessera::io
