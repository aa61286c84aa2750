// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "train/dense_weights.hpp"

#include <algorithm>
#include <utility>

namespace tessera::training {
namespace {

bool is_sparse(const Projection& p) { return p.spec.kind == ConnectionKind::sparse; }

std::vector<std::uint64_t> shape_of(const Projection& p) {
  if (is_sparse(p)) return {p.weights};
  return {p.pooled.size(), p.targets};
}

ArrayLayout layout_of(const Projection& p) {
  const std::size_t rows = p.pooled.size(), width = padded(p.targets);
  ArrayLayout layout{rows, p.targets, width, {}, padded(rows) * width, {}, false, 0, {}};
  if (!is_sparse(p)) return layout;
  layout.place.resize(p.weights);
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::uint32_t i = p.row_first[row]; i < p.row_first[row + 1]; ++i) {
      layout.place[i] = static_cast<std::uint32_t>(row * width + p.target_of[i]);
    }
  }
  return layout;
}

}  // namespace

DenseWeights::DenseWeights(const Projection& projection, std::string name)
    : projection_(projection),
      rows_(padded(projection.pooled.size())),
      columns_(padded(projection.targets)),
      array_(std::move(name), shape_of(projection), layout_of(projection)) {
  array_.decays = true;
}

void DenseWeights::forward(std::size_t n, MatrixIn x, Span columns, MatrixOut out, bool add) const {
  const MatrixIn w{array_.value.data() + columns.begin, columns_};
  multiply(n, columns.size(), rows_, x, w, {out.data + columns.begin, out.stride}, add);
}

void DenseWeights::back(std::size_t n, MatrixIn g, Span rows, MatrixOut out, bool add) const {
  const MatrixIn w{array_.value.data() + rows.begin * columns_, columns_};
  multiply_transposed(n, rows.size(), columns_, g, w, out, add);
}

void DenseWeights::gradients(std::size_t n, MatrixIn x, MatrixIn g, Span rows, Span columns,
                             bool add) {
  float* dw = array_.gradient.data() + rows.begin * columns_ + columns.begin;
  transposed_multiply(rows.size(), columns.size(), n, x, {g.data + columns.begin, g.stride},
                      {dw, columns_}, add);
}

void DenseWeights::mask_gradients(Span rows, Span columns) {
  if (!is_sparse(projection_)) return;
  const std::size_t end = std::min<std::size_t>(rows.end, projection_.pooled.size());
  for (std::size_t row = rows.begin; row < end; ++row) {
    float* dw = array_.gradient.data() + row * columns_;
    std::size_t gap = columns.begin;  // first column behind the last synapse
    for (std::uint32_t i = projection_.row_first[row]; i < projection_.row_first[row + 1]; ++i) {
      const std::size_t target = projection_.target_of[i];
      if (target < columns.begin || target >= columns.end) continue;
      std::fill(dw + gap, dw + target, 0.0f);
      gap = target + 1;
    }
    std::fill(dw + gap, dw + columns.end, 0.0f);
  }
}

}  // namespace tessera::training
