// libFuzzer target: the readers of gesture tables and pre-cut recordings must answer any bytes with
// an InputError or with what can be used as it is.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <string>

#include "data/readers.hpp"
#include "tessera/errors.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace tessera::training;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    for (const Gesture& gesture : parse_gesture_labels(bytes, "fuzzed.csv")) {
      if (gesture.label < 0 || gesture.label > 10 || gesture.start_us > gesture.end_us)
        std::abort();
    }
  } catch (const tessera::InputError&) {
  }
  try {
    Events events;
    parse_gesture_npy(bytes, "fuzzed.npy", events);
    for (const std::uint32_t a : events.address) {
      if (a >= 128 * 128 * 2) std::abort();
    }
  } catch (const tessera::InputError&) {
    return 0;
  }
  return 0;
}
