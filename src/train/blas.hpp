// Matrix products of the dense strategy, in row-major order, float32.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>

namespace tessera::training {

/// Why `workers` threads (at least 1) cannot compute products at the same time, as a sentence; empty
/// when they can: OpenBLAS is missing, or the address space is too small for its buffers. The first
/// call opens OpenBLAS, so ask only when the dense strategy is wanted. Where there is an obstacle the
/// functions below must not be called, and SingleThreadedBlas throws InputError with it. More threads
/// than were asked for must not call them either: OpenBLAS waits without an end for a buffer that
/// does not fit.
[[nodiscard]] std::string blas_obstacle(int workers = 1);
/// The same for a library of another file name.
[[nodiscard]] std::string blas_obstacle_of(const char* file);

/// A sentence when OpenBLAS does not know this processor and fell back to the kernels of an old one
/// (several times slower); empty when there is nothing to say. Opens OpenBLAS.
[[nodiscard]] std::string blas_advice();

/// While one of these lives OpenBLAS computes every product on the calling thread: the crew's
/// workers take fixed blocks instead. Two teams of threads would compete for the same cores, and
/// how OpenBLAS cuts a product, and so its last bits, would depend on the number of threads. The
/// setting belongs to the process: the first object sets it, the last one restores what it found.
class SingleThreadedBlas {
 public:
  SingleThreadedBlas();
  ~SingleThreadedBlas();
  SingleThreadedBlas(const SingleThreadedBlas&) = delete;
  SingleThreadedBlas& operator=(const SingleThreadedBlas&) = delete;
};

/// A block of a matrix: its first element and the distance of its rows, in floats.
struct MatrixIn {
  const float* data;
  std::size_t stride;
};
struct MatrixOut {
  float* data;
  std::size_t stride;
};

/// c[m][n] = a[m][k] b[k][n], or with `add` c += a b.
void multiply(std::size_t m, std::size_t n, std::size_t k, MatrixIn a, MatrixIn b, MatrixOut c,
              bool add);
/// The same with b given as its transpose b[n][k].
void multiply_transposed(std::size_t m, std::size_t n, std::size_t k, MatrixIn a, MatrixIn b,
                         MatrixOut c, bool add);
/// The same with a given as its transpose a[k][m].
void transposed_multiply(std::size_t m, std::size_t n, std::size_t k, MatrixIn a, MatrixIn b,
                         MatrixOut c, bool add);

}  // namespace tessera::training
