// Feeds arbitrary bytes to the model file reader: it may only ever throw InputError.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <string>

#include "tessera/model_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const tessera::NeuronCatalogue models = tessera::NeuronCatalogue::builtin();
  const std::string text(reinterpret_cast<const char*>(data), size);
  try {
    // No such folder: the fuzzer must not read files that happen to be near.
    const tessera::Network network =
        tessera::parse_model(text, "fuzz.toml", "/nonexistent", models, {{"w", text.substr(0, 64)}});
    // What was accepted is valid.
    tessera::require_valid(network, models);
  } catch (const tessera::InputError&) {
  }
  try {
    (void)tessera::parse_model(text, "fuzz.toml", "/nonexistent", models);
  } catch (const tessera::InputError&) {
  }
  return 0;
}
