// libFuzzer target: the N-MNIST reader must answer any bytes with events or an InputError.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <string>

#include "data/readers.hpp"
#include "tessera/errors.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace tessera::training;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    Events events;
    parse_nmnist(bytes, "fuzzed.bin", events);
    for (const std::uint32_t a : events.address) {
      if (a >= 34 * 34 * 2) std::abort();
    }
  } catch (const tessera::InputError&) {
    return 0;
  }
  return 0;
}
