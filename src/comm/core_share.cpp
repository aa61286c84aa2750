// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "comm/core_share.hpp"

#include <sched.h>

#include <algorithm>

namespace tessera {
namespace {

bool may_use(const CoreMask& mask, std::size_t core) { return ((mask[core / 64] >> (core % 64)) & 1u) != 0; }

}  // namespace

CoreMask own_core_mask() {
  static_assert(sizeof(cpu_set_t) * 8 == sizeof(CoreMask) * 8);
  CoreMask mask{};
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0) return mask;
  for (std::size_t core = 0; core < CPU_SETSIZE; ++core) {
    if (CPU_ISSET(core, &set)) mask[core / 64] |= std::uint64_t{1} << (core % 64);
  }
  return mask;
}

double share_of_cores(std::span<const CoreMask> ranks_here, int own) {
  double share = 0.0;
  for (std::size_t core = 0; core < sizeof(CoreMask) * 8; ++core) {
    if (!may_use(ranks_here[static_cast<std::size_t>(own)], core)) continue;
    share += 1.0 / static_cast<double>(std::count_if(ranks_here.begin(), ranks_here.end(),
                                                     [core](const CoreMask& mask) { return may_use(mask, core); }));
  }
  return share;
}

}  // namespace tessera
