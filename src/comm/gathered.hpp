// Puts the bytes of several ranks one after the other.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tessera/communicator.hpp"

namespace tessera {

/// No rank yet; memory of earlier calls is kept.
inline void start(Gathered& all) {
  all.bytes.clear();
  all.begin.assign(1, 0);
}

/// The bytes of the next rank.
inline void add(Gathered& all, std::span<const std::byte> bytes) {
  all.bytes.insert(all.bytes.end(), bytes.begin(), bytes.end());
  all.begin.push_back(all.bytes.size());
}

}  // namespace tessera
