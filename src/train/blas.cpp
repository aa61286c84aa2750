// The only file that knows OpenBLAS.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "train/blas.hpp"

#include <cblas.h>

#include <mutex>
#include <string>

namespace tessera::training {
namespace {

std::mutex users_mutex;
int users = 0;
int threads_before = 1;

void product(CBLAS_TRANSPOSE a_order, CBLAS_TRANSPOSE b_order, std::size_t m, std::size_t n,
             std::size_t k, MatrixIn a, MatrixIn b, MatrixOut c, bool add) {
  const auto i = [](std::size_t x) { return static_cast<blasint>(x); };
  cblas_sgemm(CblasRowMajor, a_order, b_order, i(m), i(n), i(k), 1.0f, a.data, i(a.stride), b.data,
              i(b.stride), add ? 1.0f : 0.0f, c.data, i(c.stride));
}

}  // namespace

bool blas_available() noexcept { return true; }

std::string blas_advice() {
#if defined(__x86_64__)
  const std::string kernels = openblas_get_corename();
  const bool old =
      kernels == "Prescott" || kernels == "Core2" || kernels == "Nehalem" || kernels == "Penryn";
  const char* better = __builtin_cpu_supports("avx512f") ? "SkylakeX"
                       : __builtin_cpu_supports("avx2")  ? "Haswell"
                                                         : nullptr;
  if (old && better != nullptr) {
    return "OpenBLAS does not know this processor and uses its '" + kernels +
           "' kernels: the dense strategy becomes several times faster with OPENBLAS_CORETYPE=" +
           better + " in the environment.";
  }
#endif
  return {};
}

SingleThreadedBlas::SingleThreadedBlas() {
  const std::lock_guard lock(users_mutex);
  if (users++ > 0) return;
  threads_before = openblas_get_num_threads();
  openblas_set_num_threads(1);
}

SingleThreadedBlas::~SingleThreadedBlas() {
  const std::lock_guard lock(users_mutex);
  if (--users == 0) openblas_set_num_threads(threads_before);
}

void multiply(std::size_t m, std::size_t n, std::size_t k, MatrixIn a, MatrixIn b, MatrixOut c,
              bool add) {
  product(CblasNoTrans, CblasNoTrans, m, n, k, a, b, c, add);
}

void multiply_transposed(std::size_t m, std::size_t n, std::size_t k, MatrixIn a, MatrixIn b,
                         MatrixOut c, bool add) {
  product(CblasNoTrans, CblasTrans, m, n, k, a, b, c, add);
}

void transposed_multiply(std::size_t m, std::size_t n, std::size_t k, MatrixIn a, MatrixIn b,
                         MatrixOut c, bool add) {
  product(CblasTrans, CblasNoTrans, m, n, k, a, b, c, add);
}

}  // namespace tessera::training
