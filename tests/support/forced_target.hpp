// Forces an instruction set for as long as the object lives.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "tessera/simd_control.hpp"

namespace tessera::test {

class SimdTarget {
 public:
  explicit SimdTarget(const std::string& name) { force_simd_target(name); }
  ~SimdTarget() { force_simd_target("auto"); }
  SimdTarget(const SimdTarget&) = delete;
  SimdTarget& operator=(const SimdTarget&) = delete;
};

}  // namespace tessera::test
