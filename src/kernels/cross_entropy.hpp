// Softmax and cross-entropy of many rows of logits with one class: the loss of every step of a
// sample.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace tessera {

/// Rows of `stride` floats, a multiple of 16, of which `classes` count; the others of x must be
/// -infinity.
struct LogitRows {
  const float* x = nullptr;
  std::size_t rows = 0;
  std::size_t stride = 0;
  std::uint32_t classes = 0;
};

/// The sum over rows of -log softmax(x)[label]; not finite where a logit is NaN or +infinity. `d`:
/// gets scale * (softmax(x) - one-hot(label)), zeros behind the classes (or null). votes[k] counts
/// the rows in which class k is the largest, the lowest of equals.
double cross_entropy_rows(const LogitRows& logits, std::uint32_t label, float scale, float* d,
                          std::uint32_t* votes);

}  // namespace tessera
