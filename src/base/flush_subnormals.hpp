// Numbers too small for full precision count as zero while this lives: the decaying currents of silent
// neurons would otherwise stay subnormal for ever, and every operation on them costs a hundred cycles.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#if defined(__SSE__)
#include <xmmintrin.h>
#endif

namespace tessera {

/// Sets the floating-point mode of the calling thread and restores it on leaving.
class FlushSubnormals {
 public:
  FlushSubnormals() : before_(get()) { set(before_ | kFlush); }
  ~FlushSubnormals() { set(before_); }
  FlushSubnormals(const FlushSubnormals&) = delete;
  FlushSubnormals& operator=(const FlushSubnormals&) = delete;

 private:
#if defined(__SSE__)
  static constexpr std::uint64_t kFlush = 0x8040;  // results (FTZ) and operands (DAZ)
  static std::uint64_t get() { return _mm_getcsr(); }
  static void set(std::uint64_t mode) { _mm_setcsr(static_cast<unsigned>(mode)); }
#elif defined(__aarch64__)
  static constexpr std::uint64_t kFlush = 1u << 24;  // FZ
  static std::uint64_t get() {
    std::uint64_t mode;
    asm volatile("mrs %0, fpcr" : "=r"(mode));
    return mode;
  }
  static void set(std::uint64_t mode) { asm volatile("msr fpcr, %0" : : "r"(mode)); }
#else
  static constexpr std::uint64_t kFlush = 0;
  static std::uint64_t get() { return 0; }
  static void set(std::uint64_t) {}
#endif
  std::uint64_t before_;
};

}  // namespace tessera
