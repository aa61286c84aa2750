// libFuzzer target: metrics of a training (checkpoints, metrics.json) read back or are refused.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <cstdlib>

#include "results/training_metrics.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  try {
    const std::string text(reinterpret_cast<const char*>(data), size);
    const auto epochs = tessera::io::parse_metrics(text, "fuzzed.json");
    const std::string again = tessera::io::metrics_json(epochs).dump(
        -1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
    if (tessera::io::parse_metrics(again, "again.json").size() != epochs.size()) std::abort();
  } catch (const tessera::InputError&) {
    return 0;
  }
  return 0;
}
