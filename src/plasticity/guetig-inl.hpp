// The weight dependence of Guetig et al. (2003) as vector code: what stdp.cpp and its nearest-neighbour forms share.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#if defined(TESSERA_PLASTIC_GUETIG_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef TESSERA_PLASTIC_GUETIG_INL_HPP
#undef TESSERA_PLASTIC_GUETIG_INL_HPP
#else
#define TESSERA_PLASTIC_GUETIG_INL_HPP
#endif

#include "hwy/highway.h"
#include "hwy/contrib/math/math-inl.h"
#include "plasticity/guetig.hpp"
#include "plasticity/row_kernel-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace tessera {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// base^exponent for 0 <= base.
template <Exponent kind, class D, class V = hn::Vec<D>>
HWY_INLINE V power(D d, V base, float exponent) {
  if constexpr (kind == Exponent::zero) return hn::Set(d, 1.0f);
  if constexpr (kind == Exponent::one) return base;
  const V most = hn::Set(d, 104.0f);  // where Exp is still good, and infinite
  const V result = hn::Exp(d, hn::Min(hn::Mul(hn::Set(d, exponent), hn::Log(d, base)), most));
  return hn::IfThenElse(hn::Gt(base, hn::Zero(d)), result, hn::Set(d, exponent == 0.0f ? 1.0f : 0.0f));
}

template <Exponent plus, Exponent minus, Pairing kPairing>
struct GuetigVector {
  static constexpr Pairing pairing = kPairing;
  static constexpr bool in_order = plus != Exponent::zero, slow_target = false;
  static constexpr int constants = guetig::kConstants;

  template <class D, class V>
  static HWY_INLINE V contribution(D, const float*, V x, V) {
    return x;
  }
  template <class D, class V>
  static HWY_INLINE V potentiate(D d, const float* k, V w, V x) {
    const V highest = hn::Set(d, k[guetig::highest]);
    const V rest = hn::Mul(hn::Sub(highest, w), hn::Set(d, k[guetig::per_highest]));
    const V step = hn::Mul(hn::Set(d, k[guetig::step_plus]), power<plus>(d, rest, k[guetig::mu_plus]));
    return hn::Min(highest, hn::Add(w, hn::Mul(step, x)));
  }
  template <class D, class V>
  static HWY_INLINE V depress(D d, const float* k, V w, V y, V) {
    const V step = power<minus>(d, hn::Mul(w, hn::Set(d, k[guetig::per_highest])), k[guetig::mu_minus]);
    return hn::Max(hn::Zero(d), hn::Sub(w, hn::Mul(hn::Mul(hn::Set(d, k[guetig::step_minus]), step), y)));
  }
};

}  // namespace HWY_NAMESPACE
}  // namespace tessera
HWY_AFTER_NAMESPACE();
#endif
