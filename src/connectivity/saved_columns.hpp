// Arrays of plain values as bytes of a checkpoint, and back.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>
#include <vector>

namespace tessera {

template <class T>
void put_column(std::vector<std::uint8_t>& bytes, const T* values, std::size_t n) {
  static_assert(std::is_trivially_copyable_v<T>);
  const auto* begin = reinterpret_cast<const std::uint8_t*>(values);
  bytes.insert(bytes.end(), begin, begin + n * sizeof(T));
}

/// Takes n values from the front of `bytes`; false, and nothing is taken, when there are not so many.
template <class T>
[[nodiscard]] bool take_column(std::span<const std::uint8_t>& bytes, T* values, std::size_t n) {
  static_assert(std::is_trivially_copyable_v<T>);
  if (bytes.size() / sizeof(T) < n) return false;
  if (n > 0) std::memcpy(values, bytes.data(), n * sizeof(T));
  bytes = bytes.subspan(n * sizeof(T));
  return true;
}

}  // namespace tessera
