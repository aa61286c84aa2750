// Which instruction set the kernels use: chosen at run time, can be inspected and forced.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace tessera {

/// Targets compiled in that this processor can run, best first: "avx512", "avx2", "sse2" (or "neon"),
/// and always "scalar" (one lane at a time).
[[nodiscard]] std::vector<std::string> simd_targets();

/// The target in use.
[[nodiscard]] std::string simd_target();

/// Forces a target for the whole process (call before any Simulation exists); "auto" restores the
/// best. Throws InputError naming the possible ones when this machine cannot run it.
void force_simd_target(const std::string& name);

/// True when "scalar" was forced. Used by the kernels.
[[nodiscard]] bool scalar_kernels_forced() noexcept;

}  // namespace tessera
