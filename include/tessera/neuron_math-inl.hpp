// Functions that neuron kernels need beside arithmetic, as vectors. Included once per SIMD target,
// like tessera/neuron_kernel-inl.hpp. Only multiplications, additions and integer operations, never
// fused: every instruction set gives the same bits.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#if defined(TESSERA_NEURON_MATH_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef TESSERA_NEURON_MATH_INL_HPP
#undef TESSERA_NEURON_MATH_INL_HPP
#else
#define TESSERA_NEURON_MATH_INL_HPP
#endif

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace tessera {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// The largest |x| that exponential() tells apart; beyond it the result stays at the bound's value.
template <class Real>
inline constexpr Real kExponentialBound = sizeof(Real) == 8 ? Real(700) : Real(80);

/// The smaller and the larger of two vectors. A NaN in `a` stays (hn::Min differs between targets).
template <class D, class V = hn::Vec<D>>
HWY_INLINE V at_most(D, V a, V bound) {
  return hn::IfThenElse(hn::Lt(bound, a), bound, a);
}
template <class D, class V = hn::Vec<D>>
HWY_INLINE V at_least(D, V a, V bound) {
  return hn::IfThenElse(hn::Lt(a, bound), bound, a);
}

/// e^x within 2 units in the last place for |x| <= kExponentialBound, clamped outside.
/// x = n ln 2 + r with |r| <= ln(2)/2; e^r is its Taylor polynomial; 2^n is added to the exponent
/// bits.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V exponential(D d, V x) {
  using Real = hn::TFromD<D>;
  constexpr bool wide = sizeof(Real) == 8;
  const hn::RebindToSigned<D> di;
  const auto c = [d](double value) { return hn::Set(d, static_cast<Real>(value)); };
  x = at_least(d, at_most(d, x, c(kExponentialBound<Real>)), c(-kExponentialBound<Real>));
  // Adding 1.5 * 2^(mantissa bits) rounds to an integer and leaves it in the low bits.
  const V magic = c(wide ? 6755399441055744.0 : 12582912.0);
  const V shifted = hn::Add(hn::Mul(x, c(1.44269504088896340736)), magic);
  const V n = hn::Sub(shifted, magic);
  // ln 2 in two parts, the first with trailing zeros: n times it is exact (Cody and Waite 1980).
  V r = hn::Sub(x, hn::Mul(n, c(wide ? 6.93147180369123816490e-01 : 0.693359375)));
  r = hn::Sub(r, hn::Mul(n, c(wide ? 1.90821492927058770002e-10 : -2.12194440054690583e-4)));
  constexpr double inverse_factorial[] = {1.0,
                                          1.0,
                                          1.0 / 2,
                                          1.0 / 6,
                                          1.0 / 24,
                                          1.0 / 120,
                                          1.0 / 720,
                                          1.0 / 5040,
                                          1.0 / 40320,
                                          1.0 / 362880,
                                          1.0 / 3628800,
                                          1.0 / 39916800,
                                          1.0 / 479001600,
                                          1.0 / 6227020800};
  constexpr int degree = wide ? 13 : 7;
  V e = c(inverse_factorial[degree]);
  for (int i = degree - 1; i >= 0; --i) e = hn::Add(hn::Mul(e, r), c(inverse_factorial[i]));
  const auto exponent = hn::ShiftLeft < wide ? 52 : 23 > (hn::BitCast(di, shifted));
  return hn::BitCast(d, hn::Add(hn::BitCast(di, e), exponent));
}

}  // namespace HWY_NAMESPACE
}  // namespace tessera
HWY_AFTER_NAMESPACE();
#endif
