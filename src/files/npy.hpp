// NumPy's .npy arrays (format 1.0 and 2.0, NEP 1): one or two dimensions, C order, little endian.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "files/file.hpp"

namespace tessera::io {

/// A numeric array as doubles, whatever its type in the file. Booleans become 0 and 1.
struct NpyArray {
  std::vector<std::size_t> shape;  ///< one or two dimensions
  std::vector<double> values;      ///< row after row
  [[nodiscard]] std::size_t rows() const { return shape[0]; }
  [[nodiscard]] std::size_t columns() const { return shape.size() > 1 ? shape[1] : 1; }
};

/// Reads a file of at most `limit_bytes`. Accepts float32, float64, signed and unsigned integers of
/// 1 to 8 bytes and booleans. Throws InputError: a foreign or damaged header, Fortran order, big
/// endian, another number of dimensions, a length that is not what the header says, integers beyond
/// 2^53.
[[nodiscard]] NpyArray read_npy(const std::filesystem::path& file,
                                std::uint64_t limit_bytes = std::uint64_t{1} << 34);
/// The same from bytes in memory; `name` stands for the file in messages.
[[nodiscard]] NpyArray parse_npy(std::string_view bytes, const std::string& name);

/// Writes a 1-D array, or a 2-D one of values.size() / columns rows. Throws RunError.
void write_npy(const std::filesystem::path& file, std::span<const double> values,
               std::size_t columns = 0);
void write_npy(const std::filesystem::path& file, std::span<const float> values,
               std::size_t columns = 0);
void write_npy(const std::filesystem::path& file, std::span<const std::int64_t> values,
               std::size_t columns = 0);
void write_npy(const std::filesystem::path& file, std::span<const std::uint32_t> values,
               std::size_t columns = 0);

/// Streams float64 rows whose number is not known beforehand.
class NpyStream {
 public:
  /// columns 0: a 1-D array.
  NpyStream(const std::filesystem::path& file, std::size_t columns);
  /// values.size() must be a multiple of the columns.
  void append(std::span<const double> values);
  /// Writes the final shape into the header and gives the file its name.
  void commit();

 private:
  FileWriter file_;
  std::size_t columns_;
  std::uint64_t values_ = 0;
};

}  // namespace tessera::io
