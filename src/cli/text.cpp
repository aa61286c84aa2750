// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "cli/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string_view>

#include "base/printable.hpp"

namespace tessera::cli {

std::string grouped(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (auto i = static_cast<std::ptrdiff_t>(digits.size()) - 3; i > 0; i -= 3) {
    digits.insert(static_cast<std::size_t>(i), ",");
  }
  return digits;
}

std::string bytes_text(std::uint64_t bytes) {
  const auto value = static_cast<double>(bytes);
  if (value < 1e3) return fmt::format("{} B", bytes);
  if (value < 1e6) return fmt::format("{:.1f} kB", value / 1e3);
  if (value < 1e9) return fmt::format("{:.1f} MB", value / 1e6);
  if (value < 1e12) return fmt::format("{:.2f} GB", value / 1e9);
  if (value < 1e15) return fmt::format("{:.2f} TB", value / 1e12);
  return fmt::format("{:.2f} PB", value / 1e15);
}

std::string time_text(double milliseconds) {
  return milliseconds < 1000.0 ? fmt::format("{:.6g} ms", milliseconds)
                               : fmt::format("{:.6g} s", milliseconds / 1000.0);
}

std::string clock_text(double seconds) {
  const auto whole = static_cast<std::uint64_t>(std::clamp(seconds, 0.0, 1e9) + 0.5);
  const std::uint64_t hours = whole / 3600;
  if (hours > 0) return fmt::format("{}:{:02}:{:02}", hours, whole / 60 % 60, whole % 60);
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

std::string counted(std::uint64_t number, const std::string& noun) {
  return grouped(number) + " " + noun + (number == 1 ? "" : "s");
}

std::string synapses_text(std::uint64_t number, bool expected) {
  return counted(number, "synapse") + (expected ? " expected" : "");
}

std::string number_text(double value, int decimals) {
  return std::isfinite(value) ? fmt::format("{:.{}f}", value, decimals) : "-";
}

std::string fitted_line(const std::vector<LinePart>& parts, std::size_t columns) {
  constexpr std::string_view kGap = "  ";
  std::vector<std::size_t> by_rank(parts.size());
  std::iota(by_rank.begin(), by_rank.end(), std::size_t{0});
  std::stable_sort(by_rank.begin(), by_rank.end(),
                   [&](std::size_t a, std::size_t b) { return parts[a].rank < parts[b].rank; });
  std::vector<bool> shown(parts.size());
  std::size_t width = 0;
  for (const std::size_t i : by_rank) {
    if (parts[i].text.empty()) continue;
    const std::size_t wider = width + (width > 0 ? kGap.size() : 0) + parts[i].text.size();
    if (parts[i].rank > 0 && wider > columns) continue;
    shown[i] = true;
    width = wider;
  }
  std::string line;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (shown[i]) line.append(line.empty() ? "" : kGap).append(parts[i].text);
  }
  return line;
}

Table::Table(std::vector<std::string> header, std::size_t left_columns)
    : rows_{std::move(header)}, left_columns_(left_columns) {}

void Table::row(std::vector<std::string> cells) {
  cells.resize(rows_.front().size());
  for (std::string& cell : cells) cell = printable(cell);
  rows_.push_back(std::move(cells));
}

std::string Table::text() const {
  std::vector<std::size_t> widths(rows_.front().size());
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += i < left_columns_ ? fmt::format("{:<{}}", row[i], widths[i])
                                : fmt::format("{:>{}}", row[i], widths[i]);
      line += "  ";
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

}  // namespace tessera::cli
