// Text from outside on its way to a terminal.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace tessera {

/// The text with everything that a terminal could obey (control characters, also those of 8 bits;
/// bytes that are no UTF-8) as \xHH. Line ends and tabs stay.
[[nodiscard]] std::string printable(std::string_view text);

/// Whether a name holds none of these, nor line ends or tabs.
[[nodiscard]] bool is_plain_name(std::string_view name);

/// Two blanks before every line.
[[nodiscard]] std::string indented(std::string_view lines);

}  // namespace tessera
