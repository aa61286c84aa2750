// A checkpoint's bytes: written and read a few at a time, under a checksum.
//
// Little endian: magic "TSCKPT06"; u64 length of the body; body; u64 checksum (FNV-1a of everything before it).
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

namespace tessera {

/// Writes under a temporary name; finish() flushes and gives the name. Every failure is a RunError with the
/// system's reason, and leaves an earlier file as it was.
class CheckpointWriter {
 public:
  CheckpointWriter(std::filesystem::path file, std::uint64_t body_bytes);
  ~CheckpointWriter();
  CheckpointWriter(const CheckpointWriter&) = delete;
  CheckpointWriter& operator=(const CheckpointWriter&) = delete;

  template <class T>
  void put(const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    put(std::as_bytes(std::span(&value, 1)));
  }
  void put(std::span<const std::byte> bytes);
  void finish();

 private:
  [[noreturn]] void fail(const char* what);
  void write_buffer();

  std::filesystem::path file_, temporary_;
  int fd_ = -1;
  std::uint64_t hash_;
  std::vector<std::uint8_t> buffer_;
};

/// Reads the body after the whole file was found to be intact. Never goes past its end; every failure is an
/// InputError that names the file and the place.
class CheckpointReader {
 public:
  explicit CheckpointReader(const std::filesystem::path& file);

  template <class T>
  T get() {
    static_assert(std::is_trivially_copyable_v<T>);
    T value;
    get(std::as_writable_bytes(std::span(&value, 1)));
    return value;
  }
  void get(std::span<std::byte> bytes);
  /// `count` values; the room for them is made only when the file is long enough.
  template <class T>
  std::vector<T> list(std::uint64_t count) {
    require(count > kMostBytes / sizeof(T) ? kMostBytes : count * sizeof(T));
    std::vector<T> values(count);
    get(std::as_writable_bytes(std::span(values)));
    return values;
  }
  void skip(std::uint64_t bytes);
  [[noreturn]] void fail(const std::string& why) const;
  [[nodiscard]] bool at_end() const { return left_ == 0; }

 private:
  static constexpr std::uint64_t kMostBytes = ~std::uint64_t{0};
  void require(std::uint64_t bytes) const;

  std::string name_;
  std::ifstream in_;
  std::uint64_t at_ = 0, left_ = 0;  ///< in the body
};

}  // namespace tessera
