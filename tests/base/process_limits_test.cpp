// Limits of control groups, read from made-up folders as kernels and containers lay them out.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "base/process_limits.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "support/temporary_folder.hpp"

namespace tessera::test {
namespace {

constexpr std::uint64_t kMiB = 1u << 20;
// What version 1 writes where nothing is limited: the largest whole page count of 63 bits.
constexpr const char* kUnlimited = "9223372036854771712\n";

class ControlGroups : public ::testing::Test {
 protected:
  void write(const std::string& path, const std::string& text) {
    const std::filesystem::path file = folder_.path() / path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  void unified(const std::string& group) {
    write("proc/self/cgroup", "0::" + group + "\n");
    write("proc/self/mountinfo",
          "22 28 0:21 / /proc rw,nosuid shared:12 - proc proc rw\n"
          "31 23 0:28 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n");
  }
  [[nodiscard]] ControlGroupLimits read() const { return read_control_groups(folder_.path()); }

  TemporaryFolder folder_;
};

TEST_F(ControlGroups, WithoutFilesThereAreNoLimits) {
  const ControlGroupLimits limits = read();
  EXPECT_EQ(limits.cpus, 0);
  EXPECT_EQ(limits.cpu_quota, 0.0);
  EXPECT_EQ(limits.memory_bytes, 0u);
  EXPECT_EQ(limits.memory_file + limits.cpu_quota_file, "");
}

TEST_F(ControlGroups, Version2TakesTheSmallestOfAllAncestors) {
  unified("/user.slice/job/step");
  write("sys/fs/cgroup/user.slice/memory.max", "419430400\n");
  write("sys/fs/cgroup/user.slice/job/memory.max", "800000000\n");
  write("sys/fs/cgroup/user.slice/job/step/memory.max", "max\n");
  write("sys/fs/cgroup/user.slice/job/cpu.max", "50000 100000\n");
  write("sys/fs/cgroup/user.slice/job/step/cpu.max", "max 100000\n");
  write("sys/fs/cgroup/user.slice/cpu.max", "300000 100000\n");
  write("sys/fs/cgroup/cpuset.cpus.effective", "0-63\n");
  write("sys/fs/cgroup/user.slice/job/step/cpuset.cpus.effective", "0-3,8\n");
  const ControlGroupLimits limits = read();
  EXPECT_EQ(limits.memory_bytes, 400 * kMiB);
  EXPECT_EQ(limits.memory_file, "/sys/fs/cgroup/user.slice/memory.max");
  EXPECT_EQ(limits.cpu_quota, 0.5);
  EXPECT_EQ(limits.cpu_quota_file, "/sys/fs/cgroup/user.slice/job/cpu.max");
  EXPECT_EQ(limits.cpus, 5);
}

// Above memory.high a process is slowed down until it stands still: as good as the end.
TEST_F(ControlGroups, MemoryHighIsALimitToo) {
  unified("/job");
  write("sys/fs/cgroup/job/memory.max", "1073741824\n");
  write("sys/fs/cgroup/job/memory.high", "536870912\n");
  EXPECT_EQ(read().memory_bytes, 512 * kMiB);
}

TEST_F(ControlGroups, Version1HasAHierarchyPerController) {
  write("proc/self/cgroup",
        "6:memory:/batch/job_7\n5:cpuset:/sets\n4:cpu,cpuacct:/batch\n1:name=systemd:/init\n");
  write("proc/self/mountinfo",
        "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
        "34 31 0:31 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"
        "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
        "40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd\n");
  write("sys/fs/cgroup/memory/memory.limit_in_bytes", kUnlimited);
  write("sys/fs/cgroup/memory/batch/memory.limit_in_bytes", "268435456\n");
  write("sys/fs/cgroup/memory/batch/job_7/memory.limit_in_bytes", kUnlimited);
  write("sys/fs/cgroup/cpu,cpuacct/batch/cpu.cfs_quota_us", "150000\n");
  write("sys/fs/cgroup/cpu,cpuacct/batch/cpu.cfs_period_us", "100000\n");
  write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
  write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
  write("sys/fs/cgroup/cpuset/sets/cpuset.cpus", "0-1\n");
  write("sys/fs/cgroup/cpuset/sets/cpuset.effective_cpus", "1\n");
  // Of another controller: nobody asked for it there.
  write("sys/fs/cgroup/systemd/init/memory.limit_in_bytes", "1\n");
  const ControlGroupLimits limits = read();
  EXPECT_EQ(limits.memory_bytes, 256 * kMiB);
  EXPECT_EQ(limits.memory_file, "/sys/fs/cgroup/memory/batch/memory.limit_in_bytes");
  EXPECT_EQ(limits.cpu_quota, 1.5);
  EXPECT_EQ(limits.cpus, 1);
}

TEST_F(ControlGroups, AMachineWithBothVersionsTakesTheSmallest) {
  write("proc/self/cgroup", "4:memory:/a\n1:cpu:/\n0::/a\n");
  write("proc/self/mountinfo",
        "32 31 0:29 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
        "33 31 0:30 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
        "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
  write("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "2147483648\n");
  write("sys/fs/cgroup/unified/a/memory.max", "1073741824\n");
  write("sys/fs/cgroup/unified/a/cpu.max", "400000 100000\n");
  write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "20000\n");
  write("sys/fs/cgroup/cpu/cpu.cfs_period_us", "10000\n");
  EXPECT_EQ(read().memory_bytes, 1024 * kMiB);
  EXPECT_EQ(read().cpu_quota, 2.0);
}

// The container sees its own group as the mount point, under the name that it has outside.
TEST_F(ControlGroups, InAContainerTheMountPointIsItsGroup) {
  write("proc/self/cgroup", "4:memory:/docker/abc/inner\n3:cpu:/docker/other\n0::/../../above\n");
  write("proc/self/mountinfo",
        "32 31 0:29 /docker/abc /sys/fs/cgroup/mem\\040ory ro - cgroup cgroup rw,memory\n"
        "33 31 0:30 /docker/abc /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu\n"
        "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
  write("sys/fs/cgroup/mem ory/memory.limit_in_bytes", "1073741824\n");
  // Limits above the container show in this line only.
  write("sys/fs/cgroup/mem ory/memory.stat",
        "cache 4096\nhierarchical_memory_limit 536870912\ntotal_rss 1\n");
  write("sys/fs/cgroup/mem ory/inner/memory.limit_in_bytes", "629145600\n");
  write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "100000\n");
  write("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  write("sys/fs/cgroup/unified/cpuset.cpus.effective", "4-5\n");
  const ControlGroupLimits limits = read();
  EXPECT_EQ(limits.memory_bytes, 512 * kMiB);
  EXPECT_EQ(limits.memory_file, "/sys/fs/cgroup/mem ory/memory.stat");
  EXPECT_EQ(limits.cpu_quota, 1.0);
  EXPECT_EQ(limits.cpus, 2);
}

TEST_F(ControlGroups, WhatMakesNoSenseIsPassedOverForTheNext) {
  unified("/a/b");
  write("sys/fs/cgroup/a/memory.max", "1073741824\n");
  write("sys/fs/cgroup/a/cpu.max", "200000 100000\n");
  write("sys/fs/cgroup/a/cpuset.cpus.effective", "0-5\n");
  for (const char* nonsense : {"", "\n", "12x", "-5", "0", "1e3", "99999999999999999999999", "0x10"}) {
    write("sys/fs/cgroup/a/b/memory.max", nonsense);
    EXPECT_EQ(read().memory_bytes, 1024 * kMiB) << nonsense;
  }
  for (const char* nonsense : {"", "50000", "a b", "50000 0", "-1 100000", "1 2 3", "max"}) {
    write("sys/fs/cgroup/a/b/cpu.max", nonsense);
    EXPECT_EQ(read().cpu_quota, 2.0) << nonsense;
  }
  for (const char* nonsense : {"", "3-1", "x", "0-", "0-99999999999", "-3", "1,,2", "0-1;4"}) {
    write("sys/fs/cgroup/a/b/cpuset.cpus.effective", nonsense);
    EXPECT_EQ(read().cpus, 6) << nonsense;
  }
}

TEST_F(ControlGroups, DamagedListsOfGroupsAndMountsAreNoLimits) {
  unified("/a");
  write("sys/fs/cgroup/a/memory.max", "1073741824\n");
  for (const char* nonsense : {"", "0:", ":::", "0:/a", "\n\n"}) {
    write("proc/self/cgroup", nonsense);
    EXPECT_EQ(read().memory_bytes, 0u) << nonsense;
  }
  unified("/a");
  for (const char* nonsense : {"", " - ", "31 23 - cgroup2", "31 23 0:28 / /sys/fs/cgroup rw cgroup2"}) {
    write("proc/self/mountinfo", nonsense);
    EXPECT_EQ(read().memory_bytes, 0u) << nonsense;
  }
}

SystemLimits machine(int cpus, std::uint64_t bytes) {
  SystemLimits system;
  system.cpus = cpus;
  system.physical_bytes = bytes;
  return system;
}

TEST(ProcessLimits, ThreadsAreTheWholeCoresThatAGroupMayUse) {
  struct Case {
    int affinity, cpuset;
    double quota;
    int threads;
    double cores;
  };
  for (const Case& c : {Case{4, 0, 0.0, 4, 4.0}, Case{4, 2, 0.0, 2, 2.0}, Case{4, 0, 0.5, 1, 0.5},
                        Case{4, 0, 1.5, 1, 1.5}, Case{4, 0, 2.0, 2, 2.0}, Case{4, 0, 64.0, 4, 4.0},
                        Case{0, 0, 0.0, 1, 1.0}, Case{2, 8, 0.0, 2, 2.0}}) {
    ControlGroupLimits groups;
    groups.cpus = c.cpuset;
    groups.cpu_quota = c.quota;
    groups.cpu_quota_file = "cpu.max";
    const ProcessLimits limits = combine(machine(c.affinity, 0), groups);
    EXPECT_EQ(limits.threads(), c.threads) << c.affinity << " " << c.cpuset << " " << c.quota;
    EXPECT_EQ(limits.cores, c.cores);
    EXPECT_EQ(limits.cores_source, c.cores < limits.cpus ? "cpu.max" : "");
  }
}

TEST(ProcessLimits, MemoryIsTheSmallestLimitAndSaysWhich) {
  SystemLimits system = machine(1, 8192 * kMiB);
  ControlGroupLimits groups;
  EXPECT_EQ(combine(system, groups).memory_source, "");
  groups.memory_bytes = 16384 * kMiB;  // more than there is
  groups.memory_file = "memory.max";
  EXPECT_EQ(combine(system, groups).memory_bytes, 8192 * kMiB);
  EXPECT_EQ(combine(system, groups).memory_source, "");
  groups.memory_bytes = 400 * kMiB;
  EXPECT_EQ(combine(system, groups).memory_bytes, 400 * kMiB);
  EXPECT_EQ(combine(system, groups).memory_source, "memory.max");
  system.data_bytes = 300 * kMiB;
  EXPECT_EQ(combine(system, groups).memory_bytes, 300 * kMiB);
  EXPECT_EQ(combine(system, groups).memory_source, "ulimit -d");
  system.address_space_bytes = 320 * kMiB;
  system.mapped_only_bytes = 70 * kMiB;  // 250 are left
  const ProcessLimits limits = combine(system, groups);
  EXPECT_EQ(limits.memory_bytes, 250 * kMiB);
  EXPECT_EQ(limits.memory_source, "ulimit -v");
  EXPECT_EQ(limits.physical_bytes, 8192 * kMiB);
}

TEST(ProcessLimits, OfThisProcessAreWithinTheMachine) {
  const ProcessLimits limits = process_limits();
  EXPECT_GE(limits.threads(), 1);
  EXPECT_LE(limits.threads(), limits.cpus);
  EXPECT_GT(limits.memory_bytes, 0u);
  EXPECT_LE(limits.memory_bytes, limits.physical_bytes);
}

// No processor has 2^62 bytes of addresses.
TEST(CanMap, IsAboutAllPiecesTogetherAndKeepsNone) {
  const auto mapped_pages = [] {
    std::uint64_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    return pages;
  };
  const std::uint64_t before = mapped_pages();
  EXPECT_TRUE(can_map({}));
  EXPECT_TRUE(can_map({std::size_t{64} << 20, std::size_t{64} << 20}));
  EXPECT_FALSE(can_map({std::size_t{64} << 20, std::size_t{1} << 62}));
  EXPECT_LT(mapped_pages() - before, (std::uint64_t{64} << 20) / 4096);
}

}  // namespace
}  // namespace tessera::test
