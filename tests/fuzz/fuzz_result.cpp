// libFuzzer target: the reader of report.json must answer any bytes with a Result or an InputError.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <string>

#include "tessera/errors.hpp"
#include "tessera/result.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  try {
    const tessera::Result result = tessera::parse_report(
        std::string(reinterpret_cast<const char*>(data), size), "fuzzed.json");
    // Numbers that passed must be usable as they are.
    if (!(result.dt_ms > 0.0) || !(result.model_time_ms >= 0.0)) std::abort();
  } catch (const tessera::InputError&) {
    return 0;
  }
  return 0;
}
