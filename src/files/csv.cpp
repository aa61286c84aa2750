// Writing of comma-separated tables.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "files/csv.hpp"

#include <charconv>
#include <cmath>
#include <stdexcept>

namespace tessera::io {
namespace {

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string cell = "\"";
  for (const char letter : text) {
    if (letter == '"') cell += '"';
    cell += letter;
  }
  return cell + '"';
}

std::string text_of(const CsvCell& cell) {
  if (const auto* text = std::get_if<std::string>(&cell)) return quoted(*text);
  const double value = std::get<double>(cell);
  if (std::isnan(value)) return "";
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  return std::string(digits, end);
}

}  // namespace

CsvWriter::CsvWriter(const std::filesystem::path& file, const std::vector<std::string>& columns)
    : file_(file), columns_(columns.size()) {
  row(std::vector<CsvCell>(columns.begin(), columns.end()));
}

void CsvWriter::row(const std::vector<CsvCell>& cells) {
  if (cells.size() != columns_) throw std::logic_error("a csv row with another number of cells");
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) line += ',';
    line += text_of(cells[i]);
  }
  file_.write(line + '\n');
}

void CsvWriter::commit() { file_.commit(); }

}  // namespace tessera::io
