// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "files/digest.hpp"

#include <fmt/format.h>

#define XXH_INLINE_ALL  // no library to link
#include <xxhash.h>

namespace tessera::io {

struct Digest::State {
  XXH3_state_t xxh;
};

Digest::Digest() : state_(std::make_unique<State>()) { XXH3_64bits_reset(&state_->xxh); }

Digest::~Digest() = default;

void Digest::add(const void* data, std::size_t bytes) {
  if (bytes > 0) XXH3_64bits_update(&state_->xxh, data, bytes);
}

void Digest::add_text(std::string_view text) {
  add_number(text.size());
  add(text.data(), text.size());
}

std::uint64_t Digest::value() const { return XXH3_64bits_digest(&state_->xxh); }

std::string Digest::text() const { return fmt::format("xxh3:{:016x}", value()); }

std::string digest_of(std::string_view bytes) {
  Digest digest;
  digest.add(bytes.data(), bytes.size());
  return digest.text();
}

}  // namespace tessera::io
