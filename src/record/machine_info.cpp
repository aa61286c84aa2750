// Processor, cores and memory as Linux tells them.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "record/machine_info.hpp"

#include <fstream>

#include "base/process_limits.hpp"

namespace tessera {
namespace {

std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  std::string line;
  while (std::getline(file, line)) {
    // x86 says "model name", some others "Processor" or "cpu".
    for (const char* key : {"model name", "Processor", "cpu\t"}) {
      const std::size_t colon = line.find(": ");
      if (line.rfind(key, 0) == 0 && colon != std::string::npos) return line.substr(colon + 2, 200);
    }
  }
  return "unknown";
}

}  // namespace

MachineInfo this_machine() {
  const ProcessLimits limits = combine(read_system_limits(), read_control_groups());  // of all ranks here
  return {processor_name(), limits.threads(), limits.memory_bytes};
}

}  // namespace tessera
