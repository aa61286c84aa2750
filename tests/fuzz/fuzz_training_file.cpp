// libFuzzer target: any text must be answered with a valid training model or an InputError.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <string>

#include "tessera/training_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace tessera::training;
  try {
    const std::string text(reinterpret_cast<const char*>(data), size);
    const TrainingModel model = parse_training_model(text, "fuzzed.toml");
    if (!validate(model.network, model.options).empty() || !validate(model.data).empty())
      std::abort();
    if (layer_shapes(model.network).back().size() != model.network.classes) std::abort();
    (void)model_digest(model);
  } catch (const tessera::InputError&) {
    return 0;
  }
  return 0;
}
