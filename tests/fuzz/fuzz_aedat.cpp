// libFuzzer target: the AEDAT 3.1 reader must answer any bytes with events or an InputError. The
// text header is set right, so that mutations reach the packets.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <string>

#include "data/readers.hpp"
#include "tessera/errors.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace tessera::training;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    Events events;
    const std::string whole = "#!AER-DAT3.1\r\n" + std::string(bytes);
    parse_aedat(whole, "fuzzed.aedat", 1000, std::uint64_t{1} << 40, events);
    if (events.time_us.size() != events.address.size()) std::abort();
    for (const std::uint32_t a : events.address) {
      if (a >= 128 * 128 * 2) std::abort();
    }
  } catch (const tessera::InputError&) {
    return 0;
  }
  return 0;
}
