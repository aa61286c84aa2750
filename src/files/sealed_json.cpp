// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "files/sealed_json.hpp"

#include <stdexcept>

#include "files/digest.hpp"
#include "files/file.hpp"
#include "tessera/errors.hpp"

namespace tessera::io {
namespace {

constexpr std::string_view kKey = ",\n  \"checksum\": \"";
constexpr std::string_view kEnd = "\"\n}\n";
constexpr std::size_t kDigestLength = 21;  // "xxh3:" and 16 digits
constexpr std::size_t kTailLength = kKey.size() + kDigestLength + kEnd.size();

}  // namespace

std::string sealed(std::string_view object) {
  const std::size_t brace = object.find_last_not_of(" \n");
  if (brace == std::string_view::npos || object[brace] != '}') {
    throw std::logic_error("only the text of a JSON object can be sealed");
  }
  object = object.substr(0, object.find_last_not_of(" \n", brace - 1) + 1);
  return std::string(object) + std::string(kKey) + digest_of(object) + std::string(kEnd);
}

Seal seal_of(std::string_view text) {
  text = without_byte_order_mark(text);
  if (text.size() < kTailLength) return Seal::missing;
  const std::string_view content = text.substr(0, text.size() - kTailLength);
  const std::string_view tail = text.substr(content.size());
  if (!tail.starts_with(kKey) || !tail.ends_with(kEnd)) return Seal::missing;
  const bool intact = tail.substr(kKey.size(), kDigestLength) == digest_of(content);
  return intact ? Seal::intact : Seal::broken;
}

void require_seal(std::string_view text, const std::string& name) {
  switch (seal_of(text)) {
    case Seal::intact:
      return;
    case Seal::broken:
      throw InputError(name + ": it is damaged or was edited: its checksum is not that of its "
                              "content.");
    case Seal::missing:
      throw InputError(name + ": it does not end with its checksum: it is damaged, was edited, or "
                              "was written by an earlier version of Tessera. Make the result "
                              "again.");
  }
}

}  // namespace tessera::io
