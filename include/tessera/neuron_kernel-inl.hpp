// The loop around a neuron model's vector step: load, step, store, collect. Included once per SIMD
// target through hwy/foreach_target.h; see src/neurons/iaf_psc_exp.cpp for how a model uses it.
//
// A model provides, inside HWY_NAMESPACE,
//   struct Step {
//     static constexpr int states = ..., ports = ..., constants = ...;
//     template <class D, class V = hn::Vec<D>>
//     static HWY_INLINE hn::Mask<D> step(D d, const hn::TFromD<D>* k, V* s, const V* in, V current,
//                                        hn::Mask<D> refractory);
//   };
// `step` reads and writes the state vectors s[] and returns who crossed the threshold. Multiplications
// and additions are never fused, so all targets give the same bits.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#if defined(TESSERA_NEURON_KERNEL_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef TESSERA_NEURON_KERNEL_INL_HPP
#undef TESSERA_NEURON_KERNEL_INL_HPP
#else
#define TESSERA_NEURON_KERNEL_INL_HPP
#endif

#include <cstddef>
#include <cstdint>

#include "hwy/highway.h"
#include "tessera/neuron_model.hpp"
#include "tessera/simd_control.hpp"

HWY_BEFORE_NAMESPACE();
namespace tessera {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// Loads one step's input as physical values and clears the slot for its next use.
template <class D>
HWY_INLINE hn::Vec<D> take_input(D d, std::int32_t* slot, hn::Vec<D> scale) {
  const hn::RebindToSigned<D> di;
  const auto units = hn::Load(di, slot);
  hn::Store(hn::Zero(di), di, slot);
  return hn::Mul(hn::ConvertTo(d, units), scale);
}
template <class D>
HWY_INLINE hn::Vec<D> take_input(D d, double* slot, hn::Vec<D>) {
  const auto value = hn::Load(d, slot);
  hn::Store(hn::Zero(d), d, slot);
  return value;
}

/// Steps left of refractoriness, widened to a vector of integers as wide as the state.
template <class D>
HWY_INLINE auto load_refractory(D, const std::uint16_t* r) {
  const hn::RebindToSigned<D> di;
  const hn::Rebind<std::uint16_t, D> d16;
  if constexpr (sizeof(hn::TFromD<D>) == 8) {
    const hn::Rebind<std::uint32_t, D> d32;
    const hn::RebindToUnsigned<D> d64;
    return hn::BitCast(di, hn::PromoteTo(d64, hn::PromoteTo(d32, hn::LoadU(d16, r))));
  } else {
    return hn::PromoteTo(di, hn::LoadU(d16, r));
  }
}
template <class D, class VI>
HWY_INLINE void store_refractory(D, VI steps, std::uint16_t* r) {
  const hn::RebindToUnsigned<D> du;
  const hn::Rebind<std::uint16_t, D> d16;
  hn::StoreU(hn::TruncateTo(d16, hn::BitCast(du, steps)), d16, r);
}

/// One population's neurons on one tile, one step: take input, step, count refractoriness, collect.
template <class Step, class D, class Real = hn::TFromD<D>>
HWY_INLINE void run_block(D d, UpdateArgs<Real>& args) {
  const hn::RebindToSigned<D> di;
  using V = hn::Vec<D>;
  const std::size_t lanes = hn::Lanes(d);
  Real k[Step::constants];
  for (int i = 0; i < Step::constants; ++i) k[i] = static_cast<Real>(args.constants[i]);
  const V scale = hn::Set(d, args.input_scale);
  const auto one = hn::Set(di, 1);
  const auto after_spike = hn::Set(di, static_cast<hn::TFromD<decltype(di)>>(args.refractory_steps));
  V not_finite = hn::Zero(d);  // 0 * v stays 0 for every finite v
  Real* columns[Step::states];
  for (int s = 0; s < Step::states; ++s) columns[s] = args.state[s];
  std::size_t found = 0;
  for (std::size_t i = 0; i < args.count; i += lanes) {
    V state[Step::states];
    for (int s = 0; s < Step::states; ++s) state[s] = hn::Load(d, columns[s] + i);
    V input[2] = {take_input(d, args.input[0] + i, scale), hn::Zero(d)};
    if constexpr (Step::ports == 2) input[1] = take_input(d, args.input[1] + i, scale);
    const V current = args.current != nullptr ? hn::Load(d, args.current + i)
                                              : hn::Set(d, args.uniform_current);
    auto left = load_refractory(d, args.refractory + i);
    const auto refractory = hn::RebindMask(d, hn::Gt(left, hn::Zero(di)));
    const auto spiked = Step::step(d, k, state, input, current, refractory);
    left = hn::IfThenElse(hn::RebindMask(di, refractory), hn::Sub(left, one), left);
    left = hn::IfThenElse(hn::RebindMask(di, spiked), after_spike, left);
    store_refractory(d, left, args.refractory + i);
    not_finite = hn::Add(not_finite, hn::Mul(hn::Zero(d), state[0]));
    for (int s = 0; s < Step::states; ++s) hn::Store(state[s], d, columns[s] + i);
    if (HWY_UNLIKELY(!hn::AllFalse(d, spiked))) {
      std::uint8_t bits[8] = {};
      hn::StoreMaskBits(d, spiked, bits);
      std::uint32_t mask = static_cast<std::uint32_t>(bits[0]) | static_cast<std::uint32_t>(bits[1]) << 8;
      for (; mask != 0; mask &= mask - 1) {
        const std::size_t neuron = i + static_cast<std::size_t>(__builtin_ctz(mask));
        if (neuron < args.count) args.spikes[found++] = static_cast<std::uint32_t>(neuron);
      }
    }
  }
  args.spike_count = found;
  args.finite = hn::AllTrue(d, hn::Eq(not_finite, hn::Zero(d)));
}

/// The widest vectors of this target, or one lane when the scalar target is asked for.
template <class Step, class Real>
HWY_INLINE void run_neurons(UpdateArgs<Real>& args) {
#if HWY_TARGET == HWY_STATIC_TARGET
  if (scalar_kernels_forced()) return run_block<Step>(hn::CappedTag<Real, 1>(), args);
#endif
  run_block<Step>(hn::ScalableTag<Real>(), args);
}

}  // namespace HWY_NAMESPACE
}  // namespace tessera
HWY_AFTER_NAMESPACE();
#endif
