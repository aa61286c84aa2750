// libFuzzer target: any text must be answered with a valid machine, or stated runs, or an InputError.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <string>

#include "tessera/partition.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace tessera;
  try {
    for (const StatedSlice& s : parse_stated_partition(std::string(reinterpret_cast<const char*>(data), size), "fuzzed.toml")) {
      if (s.population.empty() || s.first + std::uint64_t{s.count} > 0xffffffffu) std::abort();
    }
  } catch (const InputError&) {
  }
  try {
    const MachineDescription machine = parse_machine(std::string(reinterpret_cast<const char*>(data), size), "fuzzed.toml");
    if (!validate(machine).empty()) std::abort();
    if (machine.circuits_per_chip() == 0) std::abort();
    if (const std::uint64_t joined = circuits_of(machine, 1000); joined > machine.circuits.join_at_most) std::abort();
  } catch (const InputError&) {
    return 0;
  }
  return 0;
}
