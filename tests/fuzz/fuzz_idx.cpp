// libFuzzer target: the IDX reader must answer any bytes with an array or an InputError.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <string>

#include "data/readers.hpp"
#include "tessera/errors.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace tessera::training;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    const IdxArray array = parse_idx(std::string(bytes), "fuzzed.idx");
    // What the shape announces must be there.
    std::uint64_t count = 1;
    for (const std::uint32_t n : array.shape) count *= n;
    if (array.values.size() != count) std::abort();
  } catch (const tessera::InputError&) {
    return 0;
  }
  return 0;
}
