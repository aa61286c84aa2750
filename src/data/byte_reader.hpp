// Bytes of unknown origin, read in order with every access checked; errors name file and offset.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tessera/errors.hpp"

namespace tessera::training {

/// "FILE is damaged at byte OFFSET: WHAT."
[[noreturn]] inline void throw_damaged(const std::string& name, std::uint64_t offset,
                                       const std::string& what) {
  throw InputError(name + " is damaged at byte " + std::to_string(offset) + ": " + what + ".");
}

class ByteReader {
 public:
  ByteReader(std::string_view bytes, const std::string& name) : bytes_(bytes), name_(name) {}

  [[nodiscard]] std::size_t offset() const { return offset_; }
  [[nodiscard]] std::size_t left() const { return bytes_.size() - offset_; }
  [[noreturn]] void fail(const std::string& what) const { throw_damaged(name_, offset_, what); }

  /// The next `count` bytes.
  std::string_view take(std::uint64_t count, const char* what) {
    if (count > left()) {
      fail("the file ends inside " + std::string(what) + " (" + std::to_string(count) +
           " bytes are announced, " + std::to_string(left()) + " are left)");
    }
    const std::string_view part = bytes_.substr(offset_, static_cast<std::size_t>(count));
    offset_ += static_cast<std::size_t>(count);
    return part;
  }
  std::uint32_t little(unsigned bytes, const char* what) {
    const std::string_view part = take(bytes, what);
    std::uint32_t value = 0;
    for (unsigned i = bytes; i-- > 0;) value = value << 8 | static_cast<unsigned char>(part[i]);
    return value;
  }
  std::uint32_t big(unsigned bytes, const char* what) {
    std::uint32_t value = 0;
    for (const char c : take(bytes, what)) value = value << 8 | static_cast<unsigned char>(c);
    return value;
  }

 private:
  std::string_view bytes_;
  const std::string& name_;
  std::size_t offset_ = 0;
};

}  // namespace tessera::training
