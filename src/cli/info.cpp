// tessera info: this build and this machine.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <string>

#include "cli/arguments.hpp"
#include "cli/text.hpp"
#include "record/machine_info.hpp"
#include "tessera/result.hpp"
#include "tessera/simd_control.hpp"
#include "version.hpp"

namespace tessera::cli {
namespace {

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
  const MachineInfo machine = this_machine();
  line("processor", machine.processor);
  line("cores", fmt::format("{} usable", machine.cores));
#ifdef _SC_LEVEL1_DCACHE_SIZE
  line("caches", fmt::format("L1d {}, L2 {}, L3 {}", cache_text(_SC_LEVEL1_DCACHE_SIZE),
                             cache_text(_SC_LEVEL2_CACHE_SIZE), cache_text(_SC_LEVEL3_CACHE_SIZE)));
#endif
  line("memory", bytes_text(machine.memory_bytes));
  return kOk;
}

}  // namespace tessera::cli
