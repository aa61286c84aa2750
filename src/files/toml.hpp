// toml++, compiled once (src/files/toml.cpp), with a lower nesting limit than its own.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>

namespace tessera::io {
/// What toml++ does where it would assert: hostile text reaches some of its assertions, and a
/// release build of it would go on as if they held.
void toml_assertion_failed(const char* condition);
}  // namespace tessera::io

#define TOML_HEADER_ONLY 0
#define TOML_MAX_NESTED_VALUES 32
#define TOML_ASSERT(condition) \
  ((condition) ? static_cast<void>(0) : ::tessera::io::toml_assertion_failed(#condition))
#pragma push_macro("NDEBUG")
#undef NDEBUG
#include <toml++/toml.h>
#pragma pop_macro("NDEBUG")

namespace tessera::io {

/// Parses TOML text of at most kLongestModelFile bytes. Throws InputError with the position.
[[nodiscard]] toml::table parse_toml(const std::string& text, const std::string& name);

inline constexpr std::size_t kLongestModelFile = std::size_t{8} << 20;

}  // namespace tessera::io
