// libFuzzer target: the npy reader must answer any bytes with an array or an InputError.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <cstdlib>

#include "files/npy.hpp"
#include "tessera/errors.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  try {
    const auto array =
        tessera::io::parse_npy({reinterpret_cast<const char*>(data), size}, "fuzzed.npy");
    // What the shape announces must be there.
    if (array.values.size() != array.rows() * array.columns()) std::abort();
  } catch (const tessera::InputError&) {
    return 0;
  }
  return 0;
}
