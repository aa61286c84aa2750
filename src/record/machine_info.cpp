// Processor, cores and memory as Linux tells them.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "record/machine_info.hpp"

#include <sched.h>
#include <unistd.h>

#include <fstream>
#include <thread>

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

int usable_cores() {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  if (sched_getaffinity(0, sizeof cores, &cores) == 0) return CPU_COUNT(&cores);
  return static_cast<int>(std::thread::hardware_concurrency());
}

}  // namespace

MachineInfo this_machine() {
  const long pages = sysconf(_SC_PHYS_PAGES);
  const long page_bytes = sysconf(_SC_PAGESIZE);
  const bool known = pages > 0 && page_bytes > 0;
  return {processor_name(), usable_cores(),
          known ? static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(page_bytes) : 0};
}

}  // namespace tessera
