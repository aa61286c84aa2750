// How the 18 place bits of a packed word are divided, and with them the input ring of a tile.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace tessera {

/// The ring is [step][slot]: many slots and four steps in a large network, fewer slots and up to 32
/// steps in a small one. A spike delivers one delay group, as long as the ring, at a time; longer groups
/// mean fewer visits to a short row.
struct RingShape {
  static constexpr std::uint32_t kPlaceBits = 18;
  static constexpr std::uint32_t kPlaces = 1u << kPlaceBits;
  static constexpr std::uint32_t kFewestStepBits = 2, kMostStepBits = 5;

  std::uint32_t step_bits = kFewestStepBits;

  [[nodiscard]] constexpr std::uint32_t steps() const { return 1u << step_bits; }
  [[nodiscard]] constexpr std::uint32_t slot_bits() const { return kPlaceBits - step_bits; }
  [[nodiscard]] constexpr std::uint32_t slots() const { return 1u << slot_bits(); }
  /// Place of slot 0 in the ring at a simulation step; places wrap around at kPlaces.
  [[nodiscard]] constexpr std::uint32_t row(std::int64_t step) const {
    return static_cast<std::uint32_t>(step & (steps() - 1)) << slot_bits();
  }
};

}  // namespace tessera
