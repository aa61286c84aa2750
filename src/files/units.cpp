// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "files/units.hpp"

#include <array>
#include <cmath>
#include <cstdlib>

namespace tessera::io {
namespace {

struct NamedUnit {
  std::string_view name;
  Dimension dimension;
};

constexpr std::array kUnits{
    NamedUnit{"ms", {0, 1, 0, 0}},        NamedUnit{"s", {1, 1, 0, 0}},
    NamedUnit{"us", {-1, 1, 0, 0}},       NamedUnit{"ns", {-2, 1, 0, 0}},
    NamedUnit{"mV", {0, 0, 1, 0}},
    NamedUnit{"V", {1, 0, 1, 0}},         NamedUnit{"uV", {-1, 0, 1, 0}},
    NamedUnit{"pA", {0, 0, 0, 1}},        NamedUnit{"nA", {1, 0, 0, 1}},
    NamedUnit{"uA", {2, 0, 0, 1}},        NamedUnit{"nS", {0, 0, -1, 1}},
    NamedUnit{"uS", {1, 0, -1, 1}},       NamedUnit{"pS", {-1, 0, -1, 1}},
    NamedUnit{"pF", {0, 1, -1, 1}},       NamedUnit{"nF", {1, 1, -1, 1}},
    NamedUnit{"uF", {2, 1, -1, 1}},       NamedUnit{"Hz", {-1, -1, 0, 0}},
    NamedUnit{"kHz", {0, -1, 0, 0}},      NamedUnit{"MOhm", {-1, 0, 1, -1}},
    NamedUnit{"GOhm", {0, 0, 1, -1}},     NamedUnit{"mm", {0, 0, 0, 0, 1}},
    NamedUnit{"m", {1, 0, 0, 0, 1}},      NamedUnit{"um", {-1, 0, 0, 0, 1}},
    NamedUnit{"mm/ms", {0, -1, 0, 0, 1}}, NamedUnit{"ms/mm", {0, 1, 0, 0, -1}}};

void append_power(std::string& text, const char* unit, int exponent) {
  if (exponent == 0) return;
  if (!text.empty()) text += ' ';
  text += unit;
  if (exponent != 1) text += "^" + std::to_string(exponent);
}

}  // namespace

bool Dimension::is_sane() const {
  constexpr int kMost = 100;
  return std::abs(kilo) <= kMost && std::abs(time) <= kMost && std::abs(voltage) <= kMost &&
         std::abs(current) <= kMost && std::abs(length) <= kMost;
}

Dimension operator*(const Dimension& a, const Dimension& b) {
  return {a.kilo + b.kilo, a.time + b.time, a.voltage + b.voltage, a.current + b.current,
          a.length + b.length};
}

Dimension operator/(const Dimension& a, const Dimension& b) {
  return {a.kilo - b.kilo, a.time - b.time, a.voltage - b.voltage, a.current - b.current,
          a.length - b.length};
}

std::optional<Dimension> find_unit(std::string_view name) {
  if (name.empty()) return Dimension{};
  for (const NamedUnit& unit : kUnits) {
    if (unit.name == name) return unit.dimension;
  }
  return std::nullopt;
}

double convert(double value, const Dimension& from, const Dimension& to) {
  // Dividing by an exact power rounds once; multiplying by 0.001 would round twice.
  const int shift = from.kilo - to.kilo;
  const double power = std::pow(1000.0, std::abs(shift));
  return shift >= 0 ? value * power : value / power;
}

std::string describe(const Dimension& dimension) {
  if (dimension.is_number()) return "a pure number";
  for (const NamedUnit& unit : kUnits) {
    if (unit.dimension.same_kind(dimension) && unit.dimension.kilo == dimension.kilo) {
      return std::string(unit.name);
    }
  }
  std::string text;
  append_power(text, "ms", dimension.time);
  append_power(text, "mV", dimension.voltage);
  append_power(text, "pA", dimension.current);
  append_power(text, "mm", dimension.length);
  return text;
}

std::string known_units() {
  std::string text;
  for (const NamedUnit& unit : kUnits) {
    text += (text.empty() ? "" : ", ") + std::string(unit.name);
  }
  return text;
}

}  // namespace tessera::io
