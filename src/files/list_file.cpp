// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "files/list_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <utility>

#include "files/csv_table.hpp"
#include "files/file.hpp"
#include "files/npy.hpp"
#include "tessera/errors.hpp"

namespace tessera::io {
namespace {

constexpr std::uint64_t kLongestListFile = std::uint64_t{4} << 30;

[[noreturn]] void fail_in_line(const std::string& file, int line, std::string message) {
  SourceLocation where;
  where.file = file;
  where.line = line;
  throw InputError({{where, std::move(message)}});
}

std::vector<std::string_view> cells_of(std::string_view line, std::size_t most) {
  std::vector<std::string_view> cells;
  while (cells.size() <= most) {
    const std::size_t comma = line.find(',');
    cells.push_back(trimmed_cell(line.substr(0, comma)));
    if (comma == std::string_view::npos) break;
    line.remove_prefix(comma + 1);
  }
  return cells;
}

// Where each wanted column stands in the header.
std::vector<std::size_t> order_of(const std::vector<std::string_view>& header,
                                  const std::string& name,
                                  const std::vector<std::string>& columns) {
  std::vector<std::size_t> order;
  for (const std::string& column : columns) {
    const auto found = std::find(header.begin(), header.end(), column);
    if (found == header.end() || header.size() != columns.size()) {
      fail_in_line(name, 1, fmt::format("The header must name the columns {}.", fmt::join(columns, ", ")));
    }
    order.push_back(static_cast<std::size_t>(found - header.begin()));
  }
  return order;
}

}  // namespace

std::filesystem::path file_in_folder(const std::filesystem::path& folder, const std::string& name) {
  const std::filesystem::path wanted(name);
  const bool climbs = std::find(wanted.begin(), wanted.end(), "..") != wanted.end();
  if (name.empty() || name.find('\0') != std::string::npos || wanted.is_absolute() || climbs) {
    throw InputError(
        fmt::format("'{}' must be the name of a file inside the model's folder, without "
                    "'..'.",
                    name));
  }
  std::error_code error;
  const std::filesystem::path root =
      std::filesystem::canonical(folder.empty() ? std::filesystem::path(".") : folder, error);
  const std::filesystem::path file =
      error ? root : std::filesystem::canonical(root / wanted, error);
  if (error) {
    throw InputError(
        fmt::format("The file '{}' beside the model cannot be opened: {}.", name, error.message()));
  }
  const auto [end, rest] = std::mismatch(root.begin(), root.end(), file.begin(), file.end());
  if (end != root.end()) {
    throw InputError(fmt::format("'{}' leads out of the model's folder.", name));
  }
  return file;
}

std::vector<double> parse_csv_list(std::string_view text, const std::string& name,
                                   const std::vector<std::string>& columns) {
  std::vector<std::size_t> order(columns.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::vector<double> values;
  text = without_byte_order_mark(text);
  int line_number = 0;
  bool first = true;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = trimmed_cell(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    ++line_number;
    if (line.empty() || line.front() == '#') continue;
    const std::vector<std::string_view> cells = cells_of(line, columns.size());
    double number = 0.0;
    if (std::exchange(first, false) && !parse_cell(cells[0], number)) {
      order = order_of(cells, name, columns);
      continue;
    }
    if (cells.size() != columns.size()) {
      fail_in_line(name, line_number,
           fmt::format("Every row has the columns {}.", fmt::join(columns, ", ")));
    }
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (!parse_cell(cells[order[i]], number)) {
        fail_in_line(name, line_number,
             fmt::format("'{:.40}' is not a number ({}).", cells[order[i]], columns[i]));
      }
      values.push_back(number);
    }
  }
  return values;
}

std::vector<double> read_list_file(const std::filesystem::path& file,
                                   const std::vector<std::string>& columns) {
  if (file.extension() == ".csv") {
    return parse_csv_list(read_file(file, kLongestListFile), file.string(), columns);
  }
  if (file.extension() != ".npy") {
    throw InputError(fmt::format("'{}' must be a .csv or an .npy file.", file.filename().string()));
  }
  NpyArray array = read_npy(file, kLongestListFile);
  if (array.shape.size() != 2 || array.columns() != columns.size()) {
    fail_in_line(file.string(), 0,
         fmt::format("The array must have two dimensions and {} columns: {}.", columns.size(),
                     fmt::join(columns, ", ")));
  }
  return std::move(array.values);
}

}  // namespace tessera::io
