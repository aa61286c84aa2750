// What a build without OpenBLAS says.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "tessera/errors.hpp"
#include "train/blas.hpp"

namespace tessera::training {
namespace {

[[noreturn]] void refuse() { throw InputError(blas_obstacle()); }

}  // namespace

std::string blas_advice() { return {}; }

std::string blas_obstacle(int) {
  return "The dense strategy needs OpenBLAS, which Tessera was built without.";
}

std::string blas_obstacle_of(const char*) { return blas_obstacle(1); }

SingleThreadedBlas::SingleThreadedBlas() { refuse(); }
SingleThreadedBlas::~SingleThreadedBlas() = default;

void multiply(std::size_t, std::size_t, std::size_t, MatrixIn, MatrixIn, MatrixOut, bool) {
  refuse();
}
void multiply_transposed(std::size_t, std::size_t, std::size_t, MatrixIn, MatrixIn, MatrixOut,
                         bool) {
  refuse();
}
void transposed_multiply(std::size_t, std::size_t, std::size_t, MatrixIn, MatrixIn, MatrixOut,
                         bool) {
  refuse();
}

}  // namespace tessera::training
