// The few operations that differ between host and device. On the host one thread runs all phases, so
// adding is adding and nothing needs a fence.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "kernels/cuda/layout.hpp"

#if defined(__CUDACC__)
#define TESSERA_PHASE __host__ __device__ __forceinline__
#define TESSERA_APART __host__ __device__ __noinline__ inline
#else
#define TESSERA_PHASE inline
#define TESSERA_APART inline
#endif

namespace tessera::gpu {

/// Adds and returns what was there.
template <class T>
TESSERA_PHASE T add(T* place, T value) {
#if defined(__CUDA_ARCH__)
  return atomicAdd(place, value);
#else
  const T before = *place;
  *place = before + value;
  return before;
#endif
}

TESSERA_PHASE void add64(std::uint64_t* place, std::uint64_t value) {
#if defined(__CUDA_ARCH__)
  atomicAdd(reinterpret_cast<unsigned long long*>(place), static_cast<unsigned long long>(value));
#else
  *place += value;
#endif
}

TESSERA_PHASE void keep_least(std::uint64_t* place, std::uint64_t value) {
#if defined(__CUDA_ARCH__)
  atomicMin(reinterpret_cast<unsigned long long*>(place), static_cast<unsigned long long>(value));
#else
  if (value < *place) *place = value;
#endif
}

/// A word that no launch changes and that is used once.
TESSERA_PHASE std::uint32_t load_once(const std::uint32_t* place) {
#if defined(__CUDA_ARCH__)
  return __ldcg(place);
#else
  return *place;
#endif
}

/// A word that another block wrote before the fence that published it.
TESSERA_PHASE std::uint32_t load_published(const std::uint32_t* place) {
#if defined(__CUDA_ARCH__)
  return __ldcg(place);
#else
  return *place;
#endif
}

TESSERA_PHASE std::uint32_t load_once(const std::uint16_t* place) {
#if defined(__CUDA_ARCH__)
  return __ldcg(place);
#else
  return *place;
#endif
}

/// A word that other blocks add to.
TESSERA_PHASE std::int32_t load_added(const std::int32_t* place) {
#if defined(__CUDA_ARCH__)
  return __ldcg(place);
#else
  return *place;
#endif
}

/// What was written before it is seen by who reads after it.
TESSERA_PHASE void fence() {
#if defined(__CUDA_ARCH__)
  __threadfence();
#endif
}

/// The same for what the other threads of the warp saw.
TESSERA_PHASE void fence_of_warp() {
#if defined(__CUDA_ARCH__)
  __threadfence();
  __syncwarp();
#endif
}

TESSERA_PHASE SpikeRecord load_record(const SpikeRecord* place) {
#if defined(__CUDA_ARCH__)
  SpikeRecord r;
  asm volatile(
      "{.reg .b128 t; .reg .b64 lo, hi; ld.relaxed.gpu.global.b128 t, [%4]; mov.b128 {lo, hi}, t;"
      " mov.b64 {%0, %1}, lo; mov.b64 {%2, %3}, hi;}"
      : "=r"(r.head), "=r"(r.rows[0]), "=r"(r.rows[1]), "=r"(r.rows[2])
      : "l"(place)
      : "memory");
  return r;
#else
  return *place;
#endif
}

TESSERA_PHASE void store_record(SpikeRecord* place, const SpikeRecord& r) {
#if defined(__CUDA_ARCH__)
  asm volatile(
      "{.reg .b128 t; .reg .b64 lo, hi; mov.b64 lo, {%1, %2}; mov.b64 hi, {%3, %4}; mov.b128 t, {lo, hi};"
      " st.relaxed.gpu.global.b128 [%0], t;}" ::"l"(place),
      "r"(r.head), "r"(r.rows[0]), "r"(r.rows[1]), "r"(r.rows[2])
      : "memory");
#else
  *place = r;
#endif
}

/// Asks the second-level cache for bytes (a multiple of 16, aligned to 16) before anybody reads them.
TESSERA_PHASE void ask_for(const void* what, std::uint32_t bytes) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
  asm volatile("cp.async.bulk.prefetch.L2.global [%0], %1;" ::"l"(what), "r"(bytes) : "memory");
#else
  (void)what;
  (void)bytes;
#endif
}

}  // namespace tessera::gpu
