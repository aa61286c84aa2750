// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "kernels/cross_entropy.hpp"

#include <cmath>
#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cross_entropy.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/reference/training.hpp"
#include "tessera/simd_control.hpp"

#if HWY_TARGET != HWY_SCALAR
#include "hwy/contrib/math/math-inl.h"
#endif

HWY_BEFORE_NAMESPACE();
namespace tessera {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_SCALAR
double rows(const LogitRows& logits, std::uint32_t label, float scale, float* d,
            std::uint32_t* votes) {
  return reference::cross_entropy_rows(logits, label, scale, d, votes);
}
#else

using Floats = hn::CappedTag<float, 16>;

// The first class whose logit is `top`.
HWY_INLINE std::size_t first_of(const float* x, std::size_t stride, hn::Vec<Floats> top) {
  const Floats f;
  for (std::size_t k = 0; k < stride; k += hn::Lanes(f)) {
    const auto found = hn::FindFirstTrue(f, hn::Eq(hn::LoadU(f, x + k), top));
    if (found >= 0) return k + static_cast<std::size_t>(found);
  }
  return 0;  // NaN
}

double rows(const LogitRows& logits, std::uint32_t label, float scale, float* d,
            std::uint32_t* votes) {
  const Floats f;
  const std::size_t lanes = hn::Lanes(f), stride = logits.stride;
  const auto infinity = hn::Set(f, std::numeric_limits<float>::infinity());
  double loss = 0.0;
  bool finite = true;
  for (std::size_t row = 0; row < logits.rows; ++row) {
    const float* x = logits.x + row * stride;
    auto most = hn::Neg(infinity);
    for (std::size_t k = 0; k < stride; k += lanes) {
      const auto value = hn::LoadU(f, x + k);
      most = hn::Max(most, value);
      finite = finite && hn::AllTrue(f, hn::Lt(value, infinity));
    }
    const auto top = hn::MaxOfLanes(f, most);
    float* to = d != nullptr ? d + row * stride : nullptr;
    auto sums = hn::Zero(f);
    for (std::size_t k = 0; k < stride; k += lanes) {
      const auto e = hn::Exp(f, hn::Sub(hn::LoadU(f, x + k), top));
      sums = hn::Add(sums, e);
      if (to != nullptr) hn::StoreU(e, f, to + k);
    }
    const float sum = hn::GetLane(hn::SumOfLanes(f, sums));
    loss += std::log(static_cast<double>(sum)) - (double{x[label]} - double{hn::GetLane(top)});
    ++votes[first_of(x, stride, top)];
    if (to == nullptr) continue;
    const auto factor = hn::Set(f, scale / sum);
    for (std::size_t k = 0; k < stride; k += lanes)
      hn::StoreU(hn::Mul(factor, hn::LoadU(f, to + k)), f, to + k);
    to[label] -= scale;
  }
  return finite ? loss : std::numeric_limits<double>::quiet_NaN();
}
#endif

}  // namespace HWY_NAMESPACE
}  // namespace tessera
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tessera {
HWY_EXPORT(rows);

double cross_entropy_rows(const LogitRows& logits, std::uint32_t label, float scale, float* d,
                          std::uint32_t* votes) {
  if (scalar_kernels_forced()) return reference::cross_entropy_rows(logits, label, scale, d, votes);
  return HWY_DYNAMIC_DISPATCH(rows)(logits, label, scale, d, votes);
}

}  // namespace tessera
#endif  // HWY_ONCE
