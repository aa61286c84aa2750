// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "base/printable.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace tessera {
namespace {

// How many bytes a UTF-8 sequence at the front has that may be shown; 0: none.
std::size_t shown_bytes(std::string_view text) {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  if (first < 0x80) return first >= 0x20 && first != 0x7f ? 1 : 0;
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  std::uint32_t code = first & (0x7fu >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
    code = code << 6 | (byte(i) & 0x3f);
  }
  constexpr std::uint32_t kShortest[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xd800 && code < 0xe000;
  if (code < kShortest[length] || code > 0x10ffff || surrogate) return 0;
  // U+0080 to U+009F are control characters too; U+202A.. and U+2066.. turn the order of letters.
  const bool turns = (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
  return code < 0xa0 || turns ? 0 : length;
}

}  // namespace

std::string printable(std::string_view text) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string shown;
  while (!text.empty()) {
    const bool layout = text.front() == '\n' || text.front() == '\t';
    const std::size_t bytes = layout ? 1 : shown_bytes(text);
    if (bytes > 0) {
      shown += text.substr(0, bytes);
    } else {
      const auto byte = static_cast<unsigned char>(text.front());
      shown += {'\\', 'x', kDigits[byte >> 4], kDigits[byte & 15]};
    }
    text.remove_prefix(std::max<std::size_t>(bytes, 1));
  }
  return shown;
}

bool is_plain_name(std::string_view name) {
  return name.find_first_of("\n\t") == std::string_view::npos && printable(name) == name;
}

std::string indented(std::string_view lines) {
  std::string text = "  ";
  for (const char character : lines) {
    text += character;
    if (character == '\n') text += "  ";
  }
  return text;
}

}  // namespace tessera
