// The weights of a dense or sparse projection as one dense matrix; a sparse one has zeros where
// there is no synapse. Rows and columns are padded with zeros to multiples of 16.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "train/blas.hpp"
#include "train/parameter_array.hpp"
#include "train/topology.hpp"

namespace tessera::training {

/// Consecutive rows or columns of a matrix.
struct Span {
  std::size_t begin = 0;
  std::size_t end = 0;
  [[nodiscard]] std::size_t size() const { return end - begin; }
};

/// Part `k` of 0 .. n (a multiple of 16), in even parts of at most `most`, each a multiple of 16.
struct EvenCut {
  EvenCut(std::size_t n, std::size_t most)
      : n(n),
        width(n == 0 ? 16 : padded((n + (n + most - 1) / most - 1) / ((n + most - 1) / most))),
        parts((n + width - 1) / width) {}
  [[nodiscard]] Span part(std::size_t k) const {
    return {k * width, k + 1 == parts ? n : (k + 1) * width};
  }
  std::size_t n, width, parts;
};

class DenseWeights {
 public:
  /// A projection without delays that is no convolution.
  DenseWeights(const Projection& projection, std::string name);

  [[nodiscard]] ParameterArray& array() noexcept { return array_; }
  [[nodiscard]] const Projection& projection() const noexcept { return projection_; }
  [[nodiscard]] std::size_t rows() const noexcept {
    return rows_;
  }  ///< sources after pooling, padded
  [[nodiscard]] std::size_t columns() const noexcept { return columns_; }  ///< targets, padded

  /// out[n][columns] = or += x[n][rows()] W. `x` and `out` begin at the first column of their rows.
  void forward(std::size_t n, MatrixIn x, Span columns, MatrixOut out, bool add) const;
  /// out[n][rows.size()] = or += g[n][columns()] W^T for some rows of W; `out` begins at the first
  /// of them.
  void back(std::size_t n, MatrixIn g, Span rows, MatrixOut out, bool add) const;
  /// One block of the gradient: dW = or += x^T g; `x` begins at the block's first row of W, `g` at
  /// column 0.
  void gradients(std::size_t n, MatrixIn x, MatrixIn g, Span rows, Span columns, bool add);
  /// Sparse: sets what a block of the gradient has outside the synapses to zero.
  void mask_gradients(Span rows, Span columns);

 private:
  Projection projection_;
  std::size_t rows_, columns_;
  ParameterArray array_;
};

}  // namespace tessera::training
