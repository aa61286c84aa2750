// libFuzzer target: the npz reader must answer any bytes with arrays or an InputError.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <string>

#include "files/npz.hpp"
#include "tessera/errors.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  try {
    const tessera::io::NpzArchive archive({reinterpret_cast<const char*>(data), size},
                                          "fuzzed.npz");
    for (const std::string& name : archive.names()) {
      const auto array = archive.read(name);
      if (array.values.size() != array.rows() * array.columns()) std::abort();
    }
  } catch (const tessera::InputError&) {
  }
  return 0;
}
