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

  /// Appends bytes; returns where they lie. Throws RunError when the disk is full.
  std::uint64_t append(const void* bytes, std::size_t size);
  /// Reads what was appended there. Throws RunError.
  void read(std::uint64_t at, void* bytes, std::size_t size) const;
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
    if (!at_) {
      at_ = file.append(array.data(), array.bytes());
      size_ = array.size();
    }
    array = AlignedArray<T>();
  }
  template <class T>
  void unpark(const ScratchFile& file, AlignedArray<T>& array) const {
    AlignedArray<T> read(size_);
    file.read(*at_, read.data(), read.bytes());
    array = std::move(read);
  }

 private:
  std::optional<std::uint64_t> at_;
  std::size_t size_ = 0;
};

}  // namespace tessera
