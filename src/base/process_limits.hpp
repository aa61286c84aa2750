// What this process may use of the machine: cores and memory, by affinity, control groups and ulimit.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace tessera {

/// Limits of the control groups of this process, of all their ancestors the smallest. 0: there is none.
struct ControlGroupLimits {
  int cpus = 0;            ///< cores that threads may be placed on (cpuset)
  double cpu_quota = 0.0;  ///< processor seconds per second; 0.5 is half a core
  std::uint64_t memory_bytes = 0;
  std::string cpu_quota_file, memory_file;  ///< where the limit stands
};

/// Reads version 1, version 2 and machines that have both: /proc/self/cgroup and /proc/self/mountinfo
/// below `root`, and the files they lead to. What is missing or makes no sense counts as no limit.
[[nodiscard]] ControlGroupLimits read_control_groups(const std::filesystem::path& root = "/");

/// What the system says without control groups. 0: unknown or not limited.
struct SystemLimits {
  int cpus = 1;                            ///< affinity
  std::uint64_t physical_bytes = 0;
  std::uint64_t address_space_bytes = 0;   ///< ulimit -v
  std::uint64_t data_bytes = 0;            ///< ulimit -d
  std::uint64_t mapped_only_bytes = 0;     ///< addresses of this process that hold no memory now
};
[[nodiscard]] SystemLimits read_system_limits();

/// Both together.
struct ProcessLimits {
  int cpus = 1;            ///< cores that threads may be placed on, at least 1
  double cores = 1.0;      ///< what they get of them; below `cpus` with a quota
  std::uint64_t memory_bytes = 0;    ///< 0: unknown
  std::uint64_t physical_bytes = 0;  ///< of the whole machine; 0: unknown
  std::string cores_source, memory_source;  ///< what limits them; empty: the machine

  /// Threads that a program should start: whole cores, at least 1. A thread more than that takes its
  /// time from the others, which wait for it.
  [[nodiscard]] int threads() const;
};
[[nodiscard]] ProcessLimits combine(const SystemLimits& system, const ControlGroupLimits& groups);
[[nodiscard]] ProcessLimits process_limits();
/// From now on process_limits() gives this part (above 0, at most 1) of the cores: other ranks of the same run have
/// the rest. Said once by the communicator that knows of them, and taken back (1) when it ends.
void share_cores(double part);

/// Whether so many more bytes could be mapped now, all pieces at the same time: what ulimit -v,
/// ulimit -d and the system's rules of overcommitment leave. Nothing is kept and no memory is used.
[[nodiscard]] bool can_map(const std::vector<std::size_t>& pieces);

}  // namespace tessera
