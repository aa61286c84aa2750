// How many draws every source has in a listed bundle, kept in one or two bytes.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "base/prefetch.hpp"
#include "connectivity/wiring.hpp"

namespace tessera {

/// Counts differ little from source to source: a byte above the smallest one holds them while they are
/// within 255 of each other.
class RowCounts {
 public:
  RowCounts() = default;
  RowCounts(const Wiring& wiring, const Bundle& bundle);
  [[nodiscard]] bool empty() const { return narrow_.empty() && wide_.empty(); }
  [[nodiscard]] Wiring::Share share(const Wiring& wiring, const Bundle& bundle, std::uint32_t source) const;
  void prefetch(std::uint32_t source) const {
    if (!narrow_.empty()) tessera::prefetch(narrow_.data() + source);
  }
  [[nodiscard]] std::uint64_t draws() const { return draws_; }
  [[nodiscard]] std::size_t bytes() const {
    return narrow_.capacity() * sizeof(narrow_[0]) + wide_.capacity() * sizeof(wide_[0]);
  }

 private:
  std::uint32_t lowest_ = 0;
  std::uint64_t draws_ = 0;
  std::vector<std::uint8_t> narrow_;
  std::vector<std::uint32_t> wide_;
};

}  // namespace tessera
