// NumPy's .npz archives: a zip file of npy arrays, stored or deflated (APPNOTE 6.3, without zip64).
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "files/npy.hpp"

namespace tessera::io {

class NpzArchive {
 public:
  /// Reads the table of contents. `name` stands for the file in messages. Throws InputError: no zip
  /// file, a damaged table, encryption, a method other than stored and deflated, more than 4 GB,
  /// the same array twice.
  NpzArchive(std::string bytes, std::string name);

  /// Names of the arrays ("spikes" for the member spikes.npy), sorted; other members are left out.
  [[nodiscard]] std::vector<std::string> names() const;
  [[nodiscard]] bool has(const std::string& array) const { return members_.contains(array); }
  /// Throws InputError: no such array (with the names that are there), a member that ends beyond
  /// the file or does not unpack to its size and checksum, and what parse_npy() refuses.
  [[nodiscard]] NpyArray read(const std::string& array) const;

 private:
  struct Member {
    std::uint32_t method = 0, checksum = 0, packed = 0, unpacked = 0, local_header = 0;
  };
  [[noreturn]] void fail(const std::string& what) const;
  void read_contents();
  [[nodiscard]] std::size_t end_record() const;
  [[nodiscard]] std::string unpack(const Member& member, const std::string& array) const;
  /// `count` bytes (2 or 4) at `at`, little endian; checked.
  [[nodiscard]] std::uint32_t number(std::uint64_t at, unsigned count) const;
  [[nodiscard]] std::string_view range(std::uint64_t at, std::uint64_t count,
                                       const std::string& what) const;

  std::string bytes_, name_;
  std::map<std::string, Member> members_;
};

}  // namespace tessera::io
