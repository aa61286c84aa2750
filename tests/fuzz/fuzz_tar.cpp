// libFuzzer target: the tar reader must answer any bytes with files or an InputError. The checksums
// of the headers are set right, so that mutations reach what comes after them.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include "data/file_tree.hpp"
#include "memory_file.hpp"
#include "tessera/errors.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  static const MemoryFile file;
  std::string bytes(reinterpret_cast<const char*>(data), size);
  for (std::size_t at = 0; at + 512 <= bytes.size(); at += 512) {
    unsigned sum = 8 * ' ';
    for (std::size_t i = 0; i < 512; ++i) {
      sum += i < 148 || i >= 156 ? static_cast<unsigned char>(bytes[at + i]) : 0u;
    }
    char text[8];
    std::snprintf(text, sizeof text, "%06o", sum & 0777777u);
    bytes.replace(at + 148, 7, text, 7);
  }
  file.write(bytes);
  try {
    const auto tree = tessera::training::open_tar(file.path(), {".wav", ""});
    for (std::size_t i = 0; i < tree->names().size(); ++i) (void)tree->read(i);
  } catch (const tessera::InputError&) {
  }
  return 0;
}
