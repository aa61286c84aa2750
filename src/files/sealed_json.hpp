// JSON objects that carry a checksum of themselves: reports.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace tessera::io {

/// The text of a JSON object (no trailing key "checksum") with one more key at its end:
///   ... ,\n  "checksum": "xxh3:0123456789abcdef"\n}\n
/// It is the digest of every byte before the comma that leads to it. Throws std::logic_error when
/// the text does not end with a brace.
[[nodiscard]] std::string sealed(std::string_view object);

enum class Seal { missing, broken, intact };

/// Whether a text still is what sealed() made (a byte order mark before it does not matter).
/// `missing`: it does not end like a sealed text at all.
[[nodiscard]] Seal seal_of(std::string_view text);

/// Throws InputError for a text whose seal is broken or missing; `name` stands for the file.
void require_seal(std::string_view text, const std::string& name);

}  // namespace tessera::io
