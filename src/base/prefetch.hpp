// Asking memory for what is needed soon.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

namespace tessera {

/// Asks for the line of an address. GCC 12 takes a function that only prefetches for one without effects and
/// drops calls of it; the empty statement is an effect.
inline void prefetch(const void* address) {
  __builtin_prefetch(address);
  asm volatile("");
}

}  // namespace tessera
