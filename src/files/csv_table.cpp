// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "files/csv_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <system_error>

#include "tessera/errors.hpp"

namespace tessera::io {

std::string_view trimmed_cell(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r";
  const std::size_t begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

bool parse_cell(std::string_view cell, double& number) {
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), number);
  return !cell.empty() && error == std::errc() && end == cell.data() + cell.size();
}

namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

class TableReader {
 public:
  TableReader(std::string_view text, const std::string& name) : rest_(text), name_(name) {
    if (rest_.starts_with(kByteOrderMark)) rest_.remove_prefix(kByteOrderMark.size());
  }

  CsvTable read() {
    while (!rest_.empty()) {
      const std::size_t end = rest_.find('\n');
      const std::string_view line = trimmed_cell(rest_.substr(0, end));
      rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
      ++line_;
      if (!line.empty() && line.front() != '#') row(line);
    }
    return std::move(table_);
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw InputError({{{name_, static_cast<int>(line_), 0, ""}, what}});
  }

  void row(std::string_view line) {
    cells_.clear();
    for (bool more = true; more;) {
      const std::size_t comma = line.find(',');
      cells_.push_back(trimmed_cell(line.substr(0, comma)));
      more = comma != std::string_view::npos;
      if (more) line.remove_prefix(comma + 1);
    }
    double number = 0.0;
    const bool first = table_.header.empty() && table_.lines.empty();
    if (first && !parse_cell(cells_[0], number)) {
      table_.header.assign(cells_.begin(), cells_.end());
      return;
    }
    if (first) table_.columns = cells_.size();
    if (!table_.header.empty()) table_.columns = table_.header.size();
    if (cells_.size() != table_.columns) {
      fail(fmt::format("This row has {} cells; the first one has {}.", cells_.size(),
                       table_.columns));
    }
    for (std::size_t i = 0; i < cells_.size(); ++i) {
      if (!parse_cell(cells_[i], number)) {
        fail(fmt::format("'{:.40}' in column {} is not a number.", cells_[i], column_name(i)));
      }
      table_.values.push_back(number);
    }
    table_.lines.push_back(line_);
  }

  [[nodiscard]] std::string column_name(std::size_t i) const {
    return table_.header.empty() ? std::to_string(i + 1)
                                 : fmt::format("'{:.40}'", table_.header[i]);
  }

  std::string_view rest_;
  const std::string& name_;
  std::uint32_t line_ = 0;
  std::vector<std::string_view> cells_;
  CsvTable table_;
};

}  // namespace

CsvTexts parse_csv_texts(std::string_view text, const std::string& name) {
  CsvTexts table;
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  std::uint32_t line_number = 0;
  const auto fail = [&](std::string what) { throw InputError({{{name, static_cast<int>(line_number), 0, ""}, std::move(what)}}); };
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = trimmed_cell(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    ++line_number;
    if (line.empty() || line.front() == '#') continue;
    const bool is_header = table.header.empty();
    std::vector<std::string>& row = is_header ? table.header : table.cells;
    const std::size_t before = row.size();
    for (bool more = true; more;) {
      const std::size_t comma = line.find(',');
      row.emplace_back(trimmed_cell(line.substr(0, comma)));
      more = comma != std::string_view::npos;
      if (more) line.remove_prefix(comma + 1);
    }
    if (is_header) {
      for (auto column = row.begin(); column != row.end(); ++column) {
        if (std::find(row.begin(), column, *column) != column) fail(fmt::format("Two columns are named '{:.40}'.", *column));
      }
      continue;
    }
    if (row.size() - before != table.header.size()) {
      fail(fmt::format("This row has {} cells; the first one has {}.", row.size() - before, table.header.size()));
    }
    table.lines.push_back(line_number);
  }
  if (table.header.empty()) fail("The file has no header.");
  return table;
}

CsvTable parse_csv_table(std::string_view text, const std::string& name) {
  return TableReader(text, name).read();
}

}  // namespace tessera::io
