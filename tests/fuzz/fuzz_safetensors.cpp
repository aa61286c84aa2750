// libFuzzer target: the safetensors reader must answer any bytes with tensors or an InputError.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <cstdlib>

#include "files/safetensors.hpp"
#include "tessera/errors.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  try {
    const auto content =
        tessera::io::parse_safetensors({reinterpret_cast<const char*>(data), size}, "fuzzed");
    std::size_t bytes = 0;
    for (const auto& tensor : content.tensors) bytes += tensor.values.size() * sizeof(float);
    // Tensors cover what follows the header, so they cannot hold more than the file.
    if (bytes + 8 > size) std::abort();
  } catch (const tessera::InputError&) {
    return 0;
  }
  return 0;
}
