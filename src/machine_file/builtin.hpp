// The machine files of the repository (machines/*.toml), built into the library.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

namespace tessera::io {

struct BuiltinMachine {
  std::string_view name, text;
};
/// By name, ascending.
[[nodiscard]] std::span<const BuiltinMachine> builtin_machines();

}  // namespace tessera::io
