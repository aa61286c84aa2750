// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "kernels/update.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/update.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/reference/training.hpp"
#include "tessera/simd_control.hpp"

HWY_BEFORE_NAMESPACE();
namespace tessera {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_SCALAR
void adamw_step(const AdamwStep& s, std::size_t n, float* w, const float* g, float* m, float* v) {
  reference::adamw(s, n, w, g, m, v);
}
void sgd_step(const SgdStep& s, std::size_t n, float* w, const float* g, float* velocity) {
  reference::sgd(s, n, w, g, velocity);
}
#else

using Floats = hn::CappedTag<float, 16>;

// m / c1 / (sqrt(v / c2) + epsilon) = m (sqrt(c2) / c1) / (sqrt(v) + epsilon sqrt(c2)): one
// division.
void adamw_step(const AdamwStep& s, std::size_t n, float* w, const float* g, float* m, float* v) {
  const Floats d;
  const std::size_t lanes = hn::Lanes(d);
  const float root = __builtin_sqrtf(s.correction2);
  const auto scale = hn::Set(d, s.gradient_scale), keep = hn::Set(d, 1.0f - s.rate * s.decay);
  const auto b1 = hn::Set(d, s.beta1), a1 = hn::Set(d, 1.0f - s.beta1);
  const auto b2 = hn::Set(d, s.beta2), a2 = hn::Set(d, 1.0f - s.beta2);
  const auto rate = hn::Set(d, s.rate * root / s.correction1),
             epsilon = hn::Set(d, s.epsilon * root);
  std::size_t k = 0;
  for (; k + lanes <= n; k += lanes) {
    const auto gradient = hn::Mul(hn::LoadU(d, g + k), scale);
    const auto first = hn::Add(hn::Mul(b1, hn::LoadU(d, m + k)), hn::Mul(a1, gradient));
    const auto second =
        hn::Add(hn::Mul(b2, hn::LoadU(d, v + k)), hn::Mul(hn::Mul(a2, gradient), gradient));
    hn::StoreU(first, d, m + k);
    hn::StoreU(second, d, v + k);
    const auto step = hn::Div(hn::Mul(rate, first), hn::Add(hn::Sqrt(second), epsilon));
    hn::StoreU(hn::Sub(hn::Mul(keep, hn::LoadU(d, w + k)), step), d, w + k);
  }
  if (k < n) reference::adamw(s, n - k, w + k, g + k, m + k, v + k);
}

void sgd_step(const SgdStep& s, std::size_t n, float* w, const float* g, float* velocity) {
  const Floats d;
  const std::size_t lanes = hn::Lanes(d);
  const auto scale = hn::Set(d, s.gradient_scale), decay = hn::Set(d, s.decay);
  const auto momentum = hn::Set(d, s.momentum), rate = hn::Set(d, s.rate);
  std::size_t k = 0;
  for (; k + lanes <= n; k += lanes) {
    const auto weight = hn::LoadU(d, w + k);
    auto change = hn::Add(hn::Mul(hn::LoadU(d, g + k), scale), hn::Mul(decay, weight));
    if (velocity != nullptr) {
      change = hn::Add(hn::Mul(momentum, hn::LoadU(d, velocity + k)), change);
      hn::StoreU(change, d, velocity + k);
    }
    hn::StoreU(hn::Sub(weight, hn::Mul(rate, change)), d, w + k);
  }
  if (k < n) reference::sgd(s, n - k, w + k, g + k, velocity == nullptr ? nullptr : velocity + k);
}
#endif

}  // namespace HWY_NAMESPACE
}  // namespace tessera
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tessera {
HWY_EXPORT(adamw_step);
HWY_EXPORT(sgd_step);

void adamw(const AdamwStep& step, std::size_t n, float* w, const float* gradient, float* first,
           float* second) {
  if (scalar_kernels_forced()) return reference::adamw(step, n, w, gradient, first, second);
  HWY_DYNAMIC_DISPATCH(adamw_step)(step, n, w, gradient, first, second);
}

void sgd(const SgdStep& step, std::size_t n, float* w, const float* gradient, float* velocity) {
  if (scalar_kernels_forced()) return reference::sgd(step, n, w, gradient, velocity);
  HWY_DYNAMIC_DISPATCH(sgd_step)(step, n, w, gradient, velocity);
}

}  // namespace tessera
#endif  // HWY_ONCE
