// tessera info: this build and this machine.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <string>

#include "base/process_limits.hpp"
#include "cli/arguments.hpp"
#include "cli/text.hpp"
#include "record/machine_info.hpp"
#include "tessera/communicator.hpp"
#include "tessera/result.hpp"
#include "tessera/simd_control.hpp"
#include "tessera/simulation.hpp"
#include "version.hpp"

namespace tessera::cli {
namespace {

std::string cache_text(int name) {
  const long bytes = sysconf(name);
  return bytes > 0 ? fmt::format("{} KiB", bytes / 1024) : "unknown";
}

std::string cores_text(const ProcessLimits& limits) {
  if (limits.cores_source.empty()) return fmt::format("{} usable", limits.cpus);
  return fmt::format("{} usable, but {:.3g} of their time ({})", limits.cpus, limits.cores,
                     limits.cores_source);
}

std::string memory_text(const ProcessLimits& limits) {
  if (limits.memory_source.empty()) return bytes_text(limits.memory_bytes);
  return fmt::format("{} of {} ({})", bytes_text(limits.memory_bytes),
                     bytes_text(limits.physical_bytes), limits.memory_source);
}

// Every GPU with its index, or why there is none.
std::string devices_text() {
  std::string why;
  std::vector<std::string> devices;
  for (const DeviceInfo& device : list_devices(why)) {
    devices.push_back(fmt::format("cuda:{} {}, {} multiprocessors, {}", devices.size(), device.name,
                                  device.multiprocessors, bytes_text(device.memory_bytes)));
  }
  return devices.empty() ? "none: " + why : fmt::format("{}", fmt::join(devices, "; "));
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
  line("MPI", mpi_name().empty() ? "no (one rank; configure with -DTESSERA_MPI=ON)" : mpi_name());
  line("SIMD targets",
       fmt::format("{} (in use: {})", fmt::join(simd_targets(), ", "), simd_target()));
  line("processor", this_machine().processor);
  const ProcessLimits limits = process_limits();
  line("cores", cores_text(limits));
#ifdef _SC_LEVEL1_DCACHE_SIZE
  line("caches", fmt::format("L1d {}, L2 {}, L3 {}", cache_text(_SC_LEVEL1_DCACHE_SIZE),
                             cache_text(_SC_LEVEL2_CACHE_SIZE), cache_text(_SC_LEVEL3_CACHE_SIZE)));
#endif
  line("memory", memory_text(limits));
  line("GPU", devices_text());
  return kOk;
}

}  // namespace tessera::cli
