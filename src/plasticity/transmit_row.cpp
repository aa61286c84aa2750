// Rows whose weights stay as they are: short-term plasticity scales what they transmit.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "plasticity/transmit_row.cpp"
#include "hwy/foreach_target.h"
#include "plasticity/row_kernel-inl.hpp"
#include "plasticity/transmit_row.hpp"

HWY_BEFORE_NAMESPACE();
namespace tessera {
namespace HWY_NAMESPACE {

template <class D>
void transmit_all(D d, const PlasticRow<float>& row) {
  const hn::RebindToSigned<D> di;
  const std::size_t lanes = hn::Lanes(d);
  for (std::uint32_t i = 0; i < row.count; i += static_cast<std::uint32_t>(lanes)) {
    const auto words = hn::LoadU(di, reinterpret_cast<const std::int32_t*>(row.words + i));
    const auto target = hn::And(words, hn::Set(di, static_cast<std::int32_t>(PlasticRow<float>::kTargetMask)));
    transmit(d, row, hn::LoadU(d, row.weights + i), target, hn::ShiftRight<PlasticRow<float>::kTargetBits>(words),
             std::min<std::size_t>(lanes, row.count - i));
  }
}
void transmit_fast(PlasticRow<float>& row) {
#if HWY_TARGET == HWY_STATIC_TARGET
  if (scalar_kernels_forced()) return transmit_all(hn::CappedTag<float, 1>(), row);
#endif
  transmit_all(hn::ScalableTag<float>(), row);
}

}  // namespace HWY_NAMESPACE
}  // namespace tessera
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tessera {

HWY_EXPORT(transmit_fast);

void transmit_row(PlasticRow<float>& row) {
  if (row.ring != nullptr) HWY_DYNAMIC_DISPATCH(transmit_fast)(row);
}

void transmit_row(PlasticRow<double>& row) {
  if (row.ring == nullptr) return;
  for (std::uint32_t i = 0; i < row.count; ++i) {
    row.ring[row.first_slot + (row.words[i] & PlasticRow<double>::kTargetMask)] += row.weights[i] * row.scale * row.efficacy;
  }
}

}  // namespace tessera
#endif  // HWY_ONCE
