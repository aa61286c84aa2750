// A file without a name for what has to leave memory for a while. It is gone with the object, and with the process.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>

#include "base/aligned_array.hpp"

namespace tessera {

class ScratchFile {
 public:
  /// In this folder; empty: where the system keeps temporary files. Throws RunError with folder and reason.
  explicit ScratchFile(const std::filesystem::path& folder = {});
  ~ScratchFile();
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;

  /// What was appended at once: where it lies, and what tells whether it is still the same.
  struct Block {
    std::uint64_t at = 0, size = 0, digest = 0;
  };
  /// Throws RunError when the disk is full: what was there before stays readable.
  [[nodiscard]] Block append(const void* bytes, std::size_t size);
  /// Reads a block of this file, block.size bytes. Throws RunError, also when they are not what was written.
  void read(const Block& block, void* bytes) const;
  [[nodiscard]] std::uint64_t size() const { return size_; }

 private:
  std::filesystem::path folder_;
  int file_ = -1;
  std::uint64_t size_ = 0;
};

/// The place of an array whose values do not change in a scratch file: it is written once and read as often as wanted.
class ParkedArray {
 public:
  /// Gives the memory of the array back.
  template <class T>
  void park(ScratchFile& file, AlignedArray<T>& array) {
    if (!block_) {
      block_ = file.append(array.data(), array.bytes());
      size_ = array.size();
    }
    array = AlignedArray<T>();
  }
  template <class T>
  void unpark(const ScratchFile& file, AlignedArray<T>& array) const {
    AlignedArray<T> read(size_);
    file.read(*block_, read.data());
    array = std::move(read);
  }

 private:
  std::optional<ScratchFile::Block> block_;
  std::size_t size_ = 0;
};

}  // namespace tessera
