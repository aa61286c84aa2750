// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "tessera/simd_control.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <utility>

#include "hwy/highway.h"
#include "tessera/errors.hpp"

namespace tessera {
namespace {

std::atomic<bool> force_scalar{false};

// Best first; the last vector target is the one every processor of the architecture has.
constexpr std::pair<const char*, std::int64_t> kTargets[] = {
    {"avx512", HWY_AVX3},
    {"avx2", HWY_AVX2},
#ifdef HWY_SSE2
    {"sse2", HWY_SSE2},
#endif
    {"neon", HWY_NEON}};

std::int64_t available() { return hwy::SupportedTargets() & HWY_TARGETS; }

}  // namespace

std::vector<std::string> simd_targets() {
  static const std::int64_t detected = available();  // before anything was forced
  std::vector<std::string> names;
  for (const auto& [name, bit] : kTargets) {
    if ((detected & bit) != 0) names.emplace_back(name);
  }
  names.emplace_back("scalar");
  return names;
}

std::string simd_target() {
  if (force_scalar) return "scalar";
  for (const auto& [name, bit] : kTargets) {
    if ((available() & bit) != 0) return name;
  }
  return "scalar";
}

void force_simd_target(const std::string& wanted) {
  const std::vector<std::string> possible = simd_targets();
  std::vector<std::string> names = possible;
  names.emplace_back("auto");
  if (std::find(names.begin(), names.end(), wanted) == names.end()) {
    std::string list;
    for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
    throw InputError("SIMD target '" + wanted + "' cannot be used on this machine; choose one of " +
                     list + "." + did_you_mean(wanted, names));
  }
  force_scalar = wanted == "scalar";
  std::int64_t disabled = 0;
  if (force_scalar) {
    disabled = ~static_cast<std::int64_t>(HWY_STATIC_TARGET);  // the baseline holds the one-lane code
  } else if (wanted != "auto") {
    for (const auto& [name, bit] : kTargets) {
      if (wanted == name) break;
      disabled |= bit;
    }
  }
  hwy::DisableTargets(disabled);
  hwy::GetChosenTarget().DeInit();  // dispatch tables look the target up again
}

bool scalar_kernels_forced() noexcept { return force_scalar.load(std::memory_order_relaxed); }

}  // namespace tessera
