// libFuzzer target: a file of cached samples is taken whole or not at all. Magic, key and checksum
// are set right, so that mutations reach what comes after them.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "data/sample_store.hpp"
#include "memory_file.hpp"

namespace {

template <class T>
std::string bytes_of(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  static const MemoryFile file;
  const std::string body(reinterpret_cast<const char*>(data), size);
  std::uint64_t hash = 0xcbf29ce484222325ull;
  for (const char c : body) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ull;
  file.write("TSDATA01" + bytes_of(std::uint64_t{7}) + bytes_of(std::uint64_t{3}) +
             bytes_of(std::uint64_t{size}) + bytes_of(hash) + body);
  tessera::training::SampleStore store(3, 1u << 20);
  if (!store.load(file.path(), 7)) return 0;
  std::vector<std::uint32_t> a, b;
  for (std::size_t i = 0; i < 3; ++i) {
    if (!store.get(i, a, b)) std::abort();
  }
  return 0;
}
