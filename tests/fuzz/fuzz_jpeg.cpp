// libFuzzer target: the JPEG reader must answer any bytes with an image or an InputError.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <string>

#include "data/readers.hpp"
#include "tessera/errors.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace tessera::training;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    const Image image = parse_jpeg(bytes, "fuzzed.jpg");
    if (image.rgb.size() != std::size_t{3} * image.height * image.width) std::abort();
  } catch (const tessera::InputError&) {
    return 0;
  }
  return 0;
}
