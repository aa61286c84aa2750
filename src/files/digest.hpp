// One checksum for every file that is read back: XXH3, 64 bits.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace tessera::io {

/// Tells damaged bytes from whole ones (not proof against intent): a changed file keeps its digest
/// once in 2^64 times. The value depends on the bytes alone, not on how they were cut into pieces.
class Digest {
 public:
  Digest();
  ~Digest();
  Digest(const Digest&) = delete;
  Digest& operator=(const Digest&) = delete;

  void add(const void* data, std::size_t bytes);
  /// Length and letters: ("ab", "c") and ("a", "bc") differ.
  void add_text(std::string_view text);
  void add_number(std::uint64_t number) { add(&number, sizeof number); }
  [[nodiscard]] std::uint64_t value() const;
  /// "xxh3:" and 16 hexadecimal digits, as it stands in files.
  [[nodiscard]] std::string text() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The digest of some bytes, as Digest::text().
[[nodiscard]] std::string digest_of(std::string_view bytes);

}  // namespace tessera::io
