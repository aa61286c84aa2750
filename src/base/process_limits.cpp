// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "base/process_limits.hpp"

#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <fstream>
#include <thread>

namespace tessera {
namespace {

// As the affinity, a fact about this process that somebody else decides.
std::atomic<double> own_part{1.0};

std::uint64_t limit_of(decltype(RLIMIT_AS) resource) {
  rlimit limit{};
  const bool limited = getrlimit(resource, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
  return limited ? static_cast<std::uint64_t>(limit.rlim_cur) : 0;
}

}  // namespace

SystemLimits read_system_limits() {
  SystemLimits system;
  cpu_set_t set;
  CPU_ZERO(&set);
  system.cpus = sched_getaffinity(0, sizeof set, &set) == 0
                    ? CPU_COUNT(&set)
                    : static_cast<int>(std::thread::hardware_concurrency());
  const long pages = sysconf(_SC_PHYS_PAGES), page_bytes = sysconf(_SC_PAGESIZE);
  if (page_bytes <= 0) return system;
  const auto bytes = [page_bytes](std::uint64_t count) {
    return count * static_cast<std::uint64_t>(page_bytes);
  };
  if (pages > 0) system.physical_bytes = bytes(static_cast<std::uint64_t>(pages));
  system.address_space_bytes = limit_of(RLIMIT_AS);
  system.data_bytes = limit_of(RLIMIT_DATA);
  std::ifstream statm("/proc/self/statm");
  std::uint64_t mapped = 0, resident = 0;
  if (statm >> mapped >> resident && mapped > resident) {
    system.mapped_only_bytes = bytes(mapped - resident);
  }
  return system;
}

int ProcessLimits::threads() const {
  return std::clamp(static_cast<int>(std::floor(cores)), 1, std::max(1, cpus));
}

ProcessLimits combine(const SystemLimits& system, const ControlGroupLimits& groups) {
  ProcessLimits limits;
  limits.cpus = std::max(1, groups.cpus > 0 ? std::min(system.cpus, groups.cpus) : system.cpus);
  limits.cores = limits.cpus;
  if (groups.cpu_quota > 0.0 && groups.cpu_quota < limits.cores) {
    limits.cores = groups.cpu_quota;
    limits.cores_source = groups.cpu_quota_file;
  }
  limits.physical_bytes = limits.memory_bytes = system.physical_bytes;
  const auto limit = [&limits](std::uint64_t bytes, const std::string& source) {
    if (bytes == 0 || (limits.memory_bytes > 0 && bytes >= limits.memory_bytes)) return;
    limits.memory_bytes = bytes;
    limits.memory_source = source;
  };
  limit(groups.memory_bytes, groups.memory_file);
  limit(system.data_bytes, "ulimit -d");
  // Addresses count here, also of what holds no memory; a limit below them leaves next to nothing.
  const std::uint64_t space = system.address_space_bytes, taken = system.mapped_only_bytes;
  if (space > 0) limit(space > taken ? space - taken : 1, "ulimit -v");
  return limits;
}

bool can_map(const std::vector<std::size_t>& pieces) {
  std::vector<void*> mapped;
  mapped.reserve(pieces.size());
  for (const std::size_t bytes : pieces) {
    void* const address =
        mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (address == MAP_FAILED) break;
    mapped.push_back(address);
  }
  for (std::size_t i = 0; i < mapped.size(); ++i) munmap(mapped[i], pieces[i]);
  return mapped.size() == pieces.size();
}

ProcessLimits process_limits() {
  ProcessLimits limits = combine(read_system_limits(), read_control_groups());
  const double part = own_part;
  if (part < 1.0) {
    limits.cores *= part;
    limits.cores_source += (limits.cores_source.empty() ? "" : ", ") + std::string("shared with other ranks");
  }
  return limits;
}

void share_cores(double part) { own_part = part; }

}  // namespace tessera
