// Control groups, versions 1 and 2. A limit may stand in the group of this process or in any group
// around it, so every folder from the group up to the mount point is read, and the smallest limit holds.
//   version 2: one hierarchy for all; memory.max, memory.high, cpu.max, cpuset.cpus.effective
//   version 1: one per controller; memory.limit_in_bytes, cpu.cfs_quota_us / cpu.cfs_period_us,
//              cpuset.effective_cpus; memory.stat tells what limits above a container's mount point
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <string_view>
#include <vector>

#include "base/process_limits.hpp"

namespace tessera {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kBlank = " \t\r\n";
constexpr std::int64_t kMostCpus = 1 << 20;

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  return parts;
}

// A whole number above 0 and nothing else; "max", "-1" and the like are no limit.
std::optional<std::uint64_t> positive(std::string_view text) {
  std::uint64_t number = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || rest != text.data() + text.size() || number == 0) return std::nullopt;
  return number;
}

// Without the line's end; empty when the file is not there.
std::string first_line(const fs::path& file) {
  std::ifstream stream(file);
  std::string line;
  std::getline(stream, line);
  const std::size_t end = line.find_last_not_of(kBlank);
  return line.substr(0, end == std::string::npos ? 0 : end + 1);
}

// "0-3,8" is 5 cores.
std::optional<int> count_of_list(const std::string& list) {
  std::int64_t count = 0;
  for (const std::string& range : split(list, ',')) {
    std::int64_t first = 0, last = 0;
    const char* const end = range.data() + range.size();
    auto [rest, error] = std::from_chars(range.data(), end, first);
    if (error != std::errc() || first < 0) return std::nullopt;
    last = first;
    if (rest != end) {
      if (*rest != '-') return std::nullopt;
      const auto second = std::from_chars(rest + 1, end, last);
      if (second.ec != std::errc() || second.ptr != end) return std::nullopt;
    }
    if (last < first || last >= kMostCpus) return std::nullopt;
    count += last - first + 1;
  }
  if (count <= 0 || count > kMostCpus) return std::nullopt;
  return static_cast<int>(count);
}

// mountinfo writes blanks and backslashes in names as \040.
std::string unescaped(const std::string& text) {
  std::string name;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned code = 0;
    const char* const digits = text.data() + i + 1;
    if (text[i] == '\\' && i + 3 < text.size() &&
        std::from_chars(digits, digits + 3, code, 8).ptr == digits + 3 && code < 256) {
      name += static_cast<char>(code);
      i += 3;
    } else {
      name += text[i];
    }
  }
  return name;
}

// "4:cpu,cpuacct:/job" gives two entries, "0::/job" (version 2) the one of the empty name.
std::map<std::string, std::string> groups_of_process(const fs::path& root) {
  std::map<std::string, std::string> groups;
  std::ifstream file(root / "proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (controllers.empty()) groups[""] = line.substr(second + 1);
    for (const std::string& name : split(controllers, ',')) groups[name] = line.substr(second + 1);
  }
  return groups;
}

struct Mount {
  std::string root;   ///< the group that the mount point shows
  std::string point;
  bool unified = false;                  ///< version 2
  std::vector<std::string> controllers;  ///< of version 1, among other options
};

std::vector<Mount> mounts_of_process(const fs::path& root) {
  std::vector<Mount> mounts;
  std::ifstream file(root / "proc/self/mountinfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t middle = line.find(" - ");
    if (middle == std::string::npos) continue;
    const std::vector<std::string> left = split(line.substr(0, middle), ' ');
    const std::vector<std::string> right = split(line.substr(middle + 3), ' ');
    if (left.size() < 5 || right.empty()) continue;
    if (right[0] != "cgroup" && right[0] != "cgroup2") continue;
    mounts.push_back({unescaped(left[3]), unescaped(left[4]), right[0] == "cgroup2",
                      right.size() > 2 ? split(right[2], ',') : std::vector<std::string>{}});
  }
  return mounts;
}

// The folders of a group and of those around it, below `root`, the mount point last. A group that the
// mount point does not show leaves the mount point: what is shown there is nearest to this process.
std::vector<fs::path> folders_of(const Mount& mount, const std::string& group) {
  std::string inside;
  const std::string prefix = mount.root == "/" ? "" : mount.root;
  if (group.size() > prefix.size() && group.compare(0, prefix.size(), prefix) == 0 &&
      group[prefix.size()] == '/') {
    inside = group.substr(prefix.size() + 1);
  }
  std::vector<fs::path> folders{mount.point};
  for (const std::string& name : split(inside, '/')) {
    if (name == "..") return {mount.point};  // outside of the namespace
    if (!name.empty()) folders.push_back(folders.back() / name);
  }
  std::reverse(folders.begin(), folders.end());
  return folders;
}

class Reader {
 public:
  explicit Reader(const fs::path& root) : root_(root) {}

  void read_unified(const fs::path& folder) {
    for (const char* name : {"memory.max", "memory.high"}) memory(folder / name, first_line_of(folder / name));
    const std::vector<std::string> quota = split(first_line_of(folder / "cpu.max"), ' ');
    if (quota.size() == 2) cpu_quota(folder / "cpu.max", quota[0], quota[1]);
    cpus(first_line_of(folder / "cpuset.cpus.effective"));
  }

  void read_memory(const fs::path& folder) {
    memory(folder / "memory.limit_in_bytes", first_line_of(folder / "memory.limit_in_bytes"));
    std::ifstream stat(below_root(folder / "memory.stat"));
    constexpr std::string_view kWord = "hierarchical_memory_limit ";
    for (std::string line; std::getline(stat, line);) {
      if (line.starts_with(kWord)) memory(folder / "memory.stat", line.substr(kWord.size()));
    }
  }

  void read_cpu(const fs::path& folder) {
    cpu_quota(folder / "cpu.cfs_quota_us", first_line_of(folder / "cpu.cfs_quota_us"),
              first_line_of(folder / "cpu.cfs_period_us"));
  }

  void read_cpuset(const fs::path& folder) {
    const std::string effective = first_line_of(folder / "cpuset.effective_cpus");
    cpus(effective.empty() ? first_line_of(folder / "cpuset.cpus") : effective);
  }

  [[nodiscard]] const ControlGroupLimits& limits() const { return limits_; }

 private:
  [[nodiscard]] fs::path below_root(const fs::path& file) const { return root_ / file.relative_path(); }
  [[nodiscard]] std::string first_line_of(const fs::path& file) const { return first_line(below_root(file)); }

  void memory(const fs::path& file, const std::string& text) {
    const auto bytes = positive(text);
    if (!bytes || (limits_.memory_bytes > 0 && *bytes >= limits_.memory_bytes)) return;
    limits_.memory_bytes = *bytes;
    limits_.memory_file = file.string();
  }

  void cpu_quota(const fs::path& file, const std::string& quota_us, const std::string& period_us) {
    const auto quota = positive(quota_us), period = positive(period_us);
    if (!quota || !period) return;
    const double share = static_cast<double>(*quota) / static_cast<double>(*period);
    if (limits_.cpu_quota > 0.0 && share >= limits_.cpu_quota) return;
    limits_.cpu_quota = share;
    limits_.cpu_quota_file = file.string();
  }

  void cpus(const std::string& list) {
    const auto count = count_of_list(list);
    if (count && (limits_.cpus == 0 || *count < limits_.cpus)) limits_.cpus = *count;
  }

  fs::path root_;
  ControlGroupLimits limits_;
};

}  // namespace

ControlGroupLimits read_control_groups(const fs::path& root) {
  const std::map<std::string, std::string> groups = groups_of_process(root);
  Reader reader(root);
  const auto walk = [&](const Mount& mount, const std::string& name, void (Reader::*read)(const fs::path&)) {
    const auto group = groups.find(name);
    if (group == groups.end()) return;
    for (const fs::path& folder : folders_of(mount, group->second)) (reader.*read)(folder);
  };
  for (const Mount& mount : mounts_of_process(root)) {
    const auto controls = [&mount](const char* name) {
      return std::find(mount.controllers.begin(), mount.controllers.end(), name) != mount.controllers.end();
    };
    if (mount.unified) walk(mount, "", &Reader::read_unified);
    if (!mount.unified && controls("memory")) walk(mount, "memory", &Reader::read_memory);
    if (!mount.unified && controls("cpu")) walk(mount, "cpu", &Reader::read_cpu);
    if (!mount.unified && controls("cpuset")) walk(mount, "cpuset", &Reader::read_cpuset);
  }
  return reader.limits();
}

}  // namespace tessera
