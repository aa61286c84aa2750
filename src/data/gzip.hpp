// Files that may be compressed with gzip, read in order.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

namespace tessera::training {

/// Decompresses while reading; a file that is not compressed is read as it is.
class GzipReader {
 public:
  /// Throws InputError when the file is missing, not a regular file or unreadable.
  explicit GzipReader(const std::filesystem::path& file);
  ~GzipReader();
  GzipReader(const GzipReader&) = delete;
  GzipReader& operator=(const GzipReader&) = delete;

  /// Reads up to `count` bytes; fewer only at the end. Throws InputError for damaged data.
  std::size_t read(char* into, std::size_t count);
  /// Skips `count` bytes; false when the file ends before.
  bool skip(std::uint64_t count);
  [[nodiscard]] std::uint64_t offset() const { return offset_; }  ///< in the decompressed data
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  std::string name_;
  void* stream_ = nullptr;
  std::uint64_t offset_ = 0;
};

/// The whole file, decompressed. Throws InputError beyond `limit` bytes.
[[nodiscard]] std::string read_gzip(const std::filesystem::path& file, std::uint64_t limit);

}  // namespace tessera::training
