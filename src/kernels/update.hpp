// Optimiser steps over flat arrays of parameters. The gradient is not changed.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace tessera {

/// AdamW (Loshchilov and Hutter 2019): m = b1 m + (1 - b1) g, v = b2 v + (1 - b2) g^2,
/// w -= rate * decay * w + rate * (m / c1) / (sqrt(v / c2) + epsilon), c = 1 - b^batches.
struct AdamwStep {
  float rate = 1e-3f;
  float decay = 0.0f;
  float beta1 = 0.9f;
  float beta2 = 0.999f;
  float epsilon = 1e-8f;
  float correction1 = 1.0f;  ///< c1
  float correction2 = 1.0f;  ///< c2
  float gradient_scale = 1.0f;
};
/// v = momentum v + g + decay w; w -= rate v. Without momentum `velocity` may be null.
struct SgdStep {
  float rate = 1e-2f;
  float decay = 0.0f;
  float momentum = 0.0f;
  float gradient_scale = 1.0f;
};

void adamw(const AdamwStep& step, std::size_t n, float* w, const float* gradient, float* first,
           float* second);
void sgd(const SgdStep& step, std::size_t n, float* w, const float* gradient, float* velocity);

}  // namespace tessera
