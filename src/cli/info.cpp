// tessera info: this build and this machine.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sched.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "cli/arguments.hpp"
#include "cli/text.hpp"
#include "tessera/result.hpp"
#include "tessera/simd_control.hpp"
#include "version.hpp"

namespace tessera::cli {
namespace {

std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  std::string line;
  while (std::getline(file, line)) {
    const auto colon = line.find(": ");
    if (line.rfind("model name", 0) == 0 && colon != std::string::npos)
      return line.substr(colon + 2);
  }
  return "unknown";
}

int usable_cores() {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  return sched_getaffinity(0, sizeof cores, &cores) == 0
             ? CPU_COUNT(&cores)
             : static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
}

std::string cache_text(int name) {
  const long bytes = sysconf(name);
  return bytes > 0 ? fmt::format("{} KiB", bytes / 1024) : "unknown";
}

void line(const std::string& name, const std::string& value) {
  fmt::print("{:<14}{}\n", name, value);
}

}  // namespace

int info() {
  line("tessera", kVersion);
  line("commit", kCommit);
  line("compiler", fmt::format("{} ({})", kCompiler, kBuildType));
  line("HDF5", has_hdf5() ? "yes" : "no (spikes are written as npy)");
  line("SIMD targets",
       fmt::format("{} (in use: {})", fmt::join(simd_targets(), ", "), simd_target()));
  line("processor", processor_name());
  line("cores", fmt::format("{} usable of {}", usable_cores(), sysconf(_SC_NPROCESSORS_ONLN)));
#ifdef _SC_LEVEL1_DCACHE_SIZE
  line("caches", fmt::format("L1d {}, L2 {}, L3 {}", cache_text(_SC_LEVEL1_DCACHE_SIZE),
                             cache_text(_SC_LEVEL2_CACHE_SIZE), cache_text(_SC_LEVEL3_CACHE_SIZE)));
#endif
  const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  line("memory",
       fmt::format("{}, {} free",
                   bytes_text(page * static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES))),
                   bytes_text(page * static_cast<std::uint64_t>(sysconf(_SC_AVPHYS_PAGES)))));
  return kOk;
}

}  // namespace tessera::cli
