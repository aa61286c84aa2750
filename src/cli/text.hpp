// Numbers and tables as text.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tessera::cli {

/// 298,880,968
[[nodiscard]] std::string grouped(std::uint64_t number);
/// 1.20 GB, 87.5 MB, 312 B (decimal units)
[[nodiscard]] std::string bytes_text(std::uint64_t bytes);
/// 10 s, 1.5 s, 500 ms, 0.1 ms
[[nodiscard]] std::string time_text(double milliseconds);
/// 0:07, 12:30, 1:02:03
[[nodiscard]] std::string clock_text(double seconds);
/// "2 tiles", "1 tile"
[[nodiscard]] std::string counted(std::uint64_t number, const std::string& noun);
/// "2,080 synapses", or "2,080 synapses expected" when that is a mean.
[[nodiscard]] std::string synapses_text(std::uint64_t number, bool expected);
/// Fixed decimals, "-" for NaN.
[[nodiscard]] std::string number_text(double value, int decimals);

/// A part of a line, and how much it matters: 0 always stays.
struct LinePart {
  std::string text;
  int rank = 0;
};
/// The parts, two blanks between them; of those that do not all fit into `columns` the ones of a lower
/// rank are chosen first. Empty parts are none.
[[nodiscard]] std::string fitted_line(const std::vector<LinePart>& parts, std::size_t columns);

/// Columns padded to their widest cell: the first `left_columns` to the left, the others to the
/// right.
class Table {
 public:
  explicit Table(std::vector<std::string> header, std::size_t left_columns = 1);
  void row(std::vector<std::string> cells);
  [[nodiscard]] std::string text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
  std::size_t left_columns_;
};

}  // namespace tessera::cli
