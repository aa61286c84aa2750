// Physical units of model files. Every unit is a power of 1000 times ms^a mV^b pA^c mm^d, and pF
// and nS follow: pF = pA ms / mV, nS = pA / mV. Keeping the power of 1000 apart keeps "8 Hz"
// exactly 8 Hz.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tessera::io {

struct Dimension {
  int kilo = 0;  ///< power of 1000; not part of what is compared
  int time = 0, voltage = 0, current = 0, length = 0;
  bool any = false;  ///< of every kind: what a reader asks for that cannot know

  [[nodiscard]] static Dimension of_any_kind() { return {0, 0, 0, 0, 0, true}; }

  [[nodiscard]] bool same_kind(const Dimension& other) const {
    if (any || other.any) return true;
    return time == other.time && voltage == other.voltage && current == other.current &&
           length == other.length;
  }
  [[nodiscard]] bool is_number() const { return !any && same_kind(Dimension{}); }
  [[nodiscard]] bool is_sane() const;  ///< exponents within reason
};
[[nodiscard]] Dimension operator*(const Dimension& a, const Dimension& b);
[[nodiscard]] Dimension operator/(const Dimension& a, const Dimension& b);

/// The dimension of "ms", "Hz", "pF", ... or nothing. "" is a pure number.
[[nodiscard]] std::optional<Dimension> find_unit(std::string_view name);

/// `value` in units of `from`, expressed in units of `to` (of the same kind).
[[nodiscard]] double convert(double value, const Dimension& from, const Dimension& to);

/// A name for messages: "pA", "a pure number", "mV ms^2".
[[nodiscard]] std::string describe(const Dimension& dimension);

/// All names that find_unit knows, for messages.
[[nodiscard]] std::string known_units();

}  // namespace tessera::io
