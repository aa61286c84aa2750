// toml++, compiled once (src/io/toml.cpp), with a lower nesting limit than its own.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#define TOML_HEADER_ONLY 0
#define TOML_MAX_NESTED_VALUES 32
#include <toml++/toml.h>

#include <string>

namespace tessera::io {

/// Parses TOML text of at most kLongestModelFile bytes. Throws InputError with the position.
[[nodiscard]] toml::table parse_toml(const std::string& text, const std::string& name);

inline constexpr std::size_t kLongestModelFile = std::size_t{8} << 20;

}  // namespace tessera::io
