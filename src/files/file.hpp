// Files that get their final name only when they are whole, and bounded reading.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace tessera::io {

/// "cannot write FILE: REASON" as a RunError.
[[noreturn]] void throw_write_error(const std::filesystem::path& file, const std::string& reason);
[[noreturn]] void throw_write_error(const std::filesystem::path& file, int error_number);

/// A name for a file in the making, beside its final one. Destroyed without commit(), the temporary
/// file is removed and whatever had the final name stays as it was. Devices and pipes
/// ("/dev/stdout") are written in place: they must not be replaced by a file.
class PendingFile {
 public:
  explicit PendingFile(std::filesystem::path final_name);
  ~PendingFile();
  PendingFile(PendingFile&& other) noexcept;
  PendingFile& operator=(PendingFile&&) = delete;

  [[nodiscard]] const std::filesystem::path& temporary() const noexcept { return temporary_; }
  [[nodiscard]] const std::filesystem::path& final_name() const noexcept { return final_; }
  /// Flushes the (closed) temporary file to the disk and renames it.
  void commit();

 private:
  std::filesystem::path final_;
  std::filesystem::path temporary_;
  bool pending_ = true;
};

/// Writes bytes one after the other into a PendingFile, through a buffer.
class FileWriter {
 public:
  explicit FileWriter(const std::filesystem::path& final_name);
  ~FileWriter();
  FileWriter(FileWriter&& other) noexcept;
  FileWriter& operator=(FileWriter&&) = delete;

  void write(const void* data, std::size_t bytes);
  void write(const std::string& text) { write(text.data(), text.size()); }
  /// Overwrites bytes written before (a header whose length was not known).
  void overwrite(std::uint64_t offset, const void* data, std::size_t bytes);
  void commit();

 private:
  void flush();
  PendingFile file_;
  int descriptor_ = -1;
  std::string buffer_;
};

/// Writes a whole file at once, atomically.
void write_file(const std::filesystem::path& file, const std::string& bytes);

/// Reads a regular file. Throws InputError when it is missing, not a regular file, unreadable or
/// longer than `limit` bytes.
[[nodiscard]] std::string read_file(const std::filesystem::path& file, std::uint64_t limit);

/// The digest of a whole file, as Digest::text(). Throws RunError.
[[nodiscard]] std::string file_checksum(const std::filesystem::path& file);

/// A text without the three bytes with which some editors begin a file in UTF-8.
[[nodiscard]] std::string_view without_byte_order_mark(std::string_view text);

/// A population's or variable's name as a part of a file name or HDF5 path: everything but letters,
/// digits, '_', '-', '+' and inner '.' becomes %XX.
[[nodiscard]] std::string encoded_name(const std::string& name);

}  // namespace tessera::io
