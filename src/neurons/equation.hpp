// How a model's scalar equation is declared: the oracle of its vector step, and what a GPU runs.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

// A file that wants the equations without the vector kernels (src/kernels/cuda) defines
// TESSERA_EQUATIONS_ONLY and includes the model's file.
#if defined(__CUDACC__)
#define TESSERA_EQUATION __host__ __device__ inline
#else
#define TESSERA_EQUATION inline
#endif

namespace tessera {

/// e^x. Of float the bits of exponential() in neuron_math-inl.hpp, operation by operation; of double, with which
/// equations are the oracle of vector steps, that of the C library.
TESSERA_EQUATION double exponential_of(double x) { return std::exp(x); }
TESSERA_EQUATION float exponential_of(float x) {
  if (80.0f < x) x = 80.0f;
  if (x < -80.0f) x = -80.0f;
  const float shifted = x * 1.44269504088896340736f + 12582912.0f;
  const float n = shifted - 12582912.0f;
  float r = x - n * 0.693359375f;
  r = r - n * -2.12194440054690583e-4f;
  float e = static_cast<float>(1.0 / 5040);
  e = e * r + static_cast<float>(1.0 / 720);
  e = e * r + static_cast<float>(1.0 / 120);
  e = e * r + static_cast<float>(1.0 / 24);
  e = e * r + static_cast<float>(1.0 / 6);
  e = e * r + 0.5f;
  e = e * r + 1.0f;
  e = e * r + 1.0f;
  std::uint32_t bits = 0, exponent = 0;
  std::memcpy(&bits, &e, sizeof bits);
  std::memcpy(&exponent, &shifted, sizeof exponent);
  bits += exponent << 23;
  std::memcpy(&e, &bits, sizeof e);
  return e;
}

}  // namespace tessera
