// libFuzzer target: the wav reader must answer any bytes with a sound or an InputError.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <string>

#include "data/readers.hpp"
#include "tessera/errors.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace tessera::training;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    const Sound sound = parse_wav(bytes, "fuzzed.wav");
    if (!(sound.rate_hz >= 1000.0)) std::abort();
    for (const float s : sound.samples) {
      if (!(s >= -1.0f && s <= 1.0f)) std::abort();
    }
  } catch (const tessera::InputError&) {
    return 0;
  }
  return 0;
}
