// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "kernels/windows.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/windows.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/reference/training.hpp"
#include "tessera/simd_control.hpp"

HWY_BEFORE_NAMESPACE();
namespace tessera {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_SCALAR
void add(const float* weights, std::uint32_t filters, const Window* windows, std::size_t n,
         float scale, float* current) {
  reference::add_windows(weights, filters, windows, n, scale, current);
}
float dots(const float* weights, std::uint32_t filters, const Window* windows, std::size_t n,
           const float* g) {
  return reference::window_dots(weights, filters, windows, n, g);
}
void gradients(float* gradient, std::uint32_t filters, const Window* windows, std::size_t n,
               float scale, const float* g) {
  reference::window_gradients(gradient, filters, windows, n, scale, g);
}
#else

using Floats = hn::CappedTag<float, 16>;

void add(const float* weights, std::uint32_t filters, const Window* windows, std::size_t n,
         float scale, float* current) {
  const Floats d;
  const auto factor = hn::Set(d, scale);
  for (std::size_t k = 0; k < n; ++k) {
    float* into = current + windows[k].target;
    const float* row = weights + windows[k].row;
    for (std::size_t f = 0; f < filters; f += hn::Lanes(d)) {
      const auto added = hn::Mul(factor, hn::LoadU(d, row + f));
      hn::StoreU(hn::Add(hn::LoadU(d, into + f), added), d, into + f);
    }
  }
}

float dots(const float* weights, std::uint32_t filters, const Window* windows, std::size_t n,
           const float* g) {
  const Floats d;
  auto sum = hn::Zero(d);
  for (std::size_t k = 0; k < n; ++k) {
    const float* from = g + windows[k].target;
    const float* row = weights + windows[k].row;
    for (std::size_t f = 0; f < filters; f += hn::Lanes(d)) {
      sum = hn::MulAdd(hn::LoadU(d, row + f), hn::LoadU(d, from + f), sum);
    }
  }
  return hn::GetLane(hn::SumOfLanes(d, sum));
}

void gradients(float* gradient, std::uint32_t filters, const Window* windows, std::size_t n,
               float scale, const float* g) {
  const Floats d;
  const std::size_t lanes = hn::Lanes(d);
  const auto factor = hn::Set(d, scale);
  const std::size_t whole = filters / lanes * lanes;
  const auto rest = hn::FirstN(d, filters - whole);
  for (std::size_t k = 0; k < n; ++k) {
    const float* from = g + windows[k].target;
    float* row = gradient + windows[k].row;
    std::size_t f = 0;
    for (; f < whole; f += lanes) {
      const auto added = hn::Mul(factor, hn::LoadU(d, from + f));
      hn::StoreU(hn::Add(hn::LoadU(d, row + f), added), d, row + f);
    }
    if (f < filters) {  // the neighbour's g is not ours
      const auto added = hn::IfThenElseZero(rest, hn::Mul(factor, hn::LoadU(d, from + f)));
      hn::StoreU(hn::Add(hn::LoadU(d, row + f), added), d, row + f);
    }
  }
}
#endif

}  // namespace HWY_NAMESPACE
}  // namespace tessera
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tessera {
HWY_EXPORT(add);
HWY_EXPORT(dots);
HWY_EXPORT(gradients);

void add_windows(const float* weights, std::uint32_t filters, const Window* windows, std::size_t n,
                 float scale, float* current) {
  if (scalar_kernels_forced()) {
    return reference::add_windows(weights, filters, windows, n, scale, current);
  }
  HWY_DYNAMIC_DISPATCH(add)(weights, filters, windows, n, scale, current);
}

float window_dots(const float* weights, std::uint32_t filters, const Window* windows, std::size_t n,
                  const float* g) {
  if (scalar_kernels_forced()) return reference::window_dots(weights, filters, windows, n, g);
  return HWY_DYNAMIC_DISPATCH(dots)(weights, filters, windows, n, g);
}

void window_gradients(float* gradient, std::uint32_t filters, const Window* windows, std::size_t n,
                      float scale, const float* g) {
  if (scalar_kernels_forced()) {
    return reference::window_gradients(gradient, filters, windows, n, scale, g);
  }
  HWY_DYNAMIC_DISPATCH(gradients)(gradient, filters, windows, n, scale, g);
}

}  // namespace tessera
#endif  // HWY_ONCE
