// exponential() of the neuron kernels against the C library, on every instruction set.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "neurons/exponential_test.cpp"
#include "hwy/foreach_target.h"
#include "tessera/neuron_kernel-inl.hpp"
#include "tessera/neuron_math-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace tessera::exponential_test {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class D>
HWY_INLINE void apply(D d, hn::TFromD<D>* values, std::size_t count) {
  for (std::size_t i = 0; i < count; i += hn::Lanes(d)) {
    hn::StoreU(tessera::HWY_NAMESPACE::exponential(d, hn::LoadU(d, values + i)), d, values + i);
  }
}
template <class Real>
HWY_INLINE void apply_all(Real* values, std::size_t count) {
#if HWY_TARGET == HWY_STATIC_TARGET
  if (scalar_kernels_forced()) return apply(hn::CappedTag<Real, 1>(), values, count);
#endif
  apply(hn::ScalableTag<Real>(), values, count);
}
void exponential_f32(float* values, std::size_t count) { apply_all(values, count); }
void exponential_f64(double* values, std::size_t count) { apply_all(values, count); }

}  // namespace HWY_NAMESPACE
}  // namespace tessera::exponential_test
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <gtest/gtest.h>

#include <cmath>

#include "neurons/block.hpp"

namespace tessera::exponential_test {
namespace {

HWY_EXPORT(exponential_f32);
HWY_EXPORT(exponential_f64);

void exponentials(float* x, std::size_t n) { HWY_DYNAMIC_DISPATCH(exponential_f32)(x, n); }
void exponentials(double* x, std::size_t n) { HWY_DYNAMIC_DISPATCH(exponential_f64)(x, n); }

template <class Real>
void expect_close_to_the_library(double bound) {
  constexpr std::size_t count = 4096;
  std::vector<Real> x(count), first;
  for (std::size_t i = 0; i < count; ++i) {
    x[i] = static_cast<Real>(bound * (2.0 * static_cast<double>(i) / (count - 1) - 1.0));
  }
  for (const std::string& target : simd_targets()) {
    const test::ForcedTarget forced(target);
    std::vector<Real> y = x;
    exponentials(y.data(), count);
    for (std::size_t i = 0; i < count; ++i) {
      const double exact = std::exp(static_cast<double>(x[i]));
      ASSERT_NEAR(y[i] / exact, 1.0, 2.0 * std::numeric_limits<Real>::epsilon()) << x[i];
    }
    if (first.empty()) first = y;
    EXPECT_EQ(y, first) << target;
  }
}

TEST(Exponential, IsWithinTwoUnitsInTheLastPlace) {
  expect_close_to_the_library<float>(80.0);
  expect_close_to_the_library<float>(1.0);
  expect_close_to_the_library<double>(700.0);
  expect_close_to_the_library<double>(1.0);
}

TEST(Exponential, IsOneAtZeroAndStaysAtTheBoundsOutside) {
  std::vector<double> x(64, 0.0);
  x[1] = 1e9;
  x[2] = -1e9;
  x[3] = 700.0;
  x[4] = -700.0;
  exponentials(x.data(), x.size());
  EXPECT_EQ(x[0], 1.0);
  EXPECT_EQ(x[1], x[3]);
  EXPECT_EQ(x[2], x[4]);
}

}  // namespace
}  // namespace tessera::exponential_test
#endif  // HWY_ONCE
