// Philox4x32-10 on vectors. Even and odd lanes are computed apart, as the low halves of 64-bit lanes:
// multiplications need no shuffles, and what lands in the high halves is never read.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#if defined(TESSERA_PHILOX_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef TESSERA_PHILOX_INL_HPP
#undef TESSERA_PHILOX_INL_HPP
#else
#define TESSERA_PHILOX_INL_HPP
#endif

#include <cstdint>

#include "base/random.hpp"
#include "hwy/highway.h"

#if HWY_TARGET != HWY_SCALAR  // one-lane targets use kernels/reference
HWY_BEFORE_NAMESPACE();
namespace tessera {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using PhiloxTag = hn::ScalableTag<std::uint64_t>;
using PhiloxVec = hn::Vec<PhiloxTag>;

/// The ten round keys.
struct PhiloxKeys {
  explicit PhiloxKeys(RandomKey key) {
    for (std::uint32_t r = 0; r < 10; ++r) {
      low[r] = key.low + r * 0x9E3779B9u;
      high[r] = key.high + r * 0xBB67AE85u;
    }
  }
  std::uint32_t low[10], high[10];
};

/// Four output words; lane 2i of word w is the low half of even[w][i], lane 2i + 1 that of odd[w][i].
struct PhiloxLanes {
  PhiloxVec even[4], odd[4];
};

HWY_INLINE void philox_round(PhiloxVec* c, PhiloxVec k0, PhiloxVec k1) {
  const PhiloxTag d;
  const hn::Repartition<std::uint32_t, PhiloxTag> d32;
  const auto m0 = hn::BitCast(d32, hn::Set(d, 0xD2511F53u));
  const auto m1 = hn::BitCast(d32, hn::Set(d, 0xCD9E8D57u));
  const PhiloxVec p0 = hn::MulEven(hn::BitCast(d32, c[0]), m0);
  const PhiloxVec p1 = hn::MulEven(hn::BitCast(d32, c[2]), m1);
  c[0] = hn::Xor3(hn::ShiftRight<32>(p1), c[1], k0);
  c[1] = p1;
  c[2] = hn::Xor3(hn::ShiftRight<32>(p0), c[3], k1);
  c[3] = p0;
}

template <class V32>
HWY_INLINE PhiloxLanes philox(V32 c0, V32 c1, V32 c2, V32 c3, const PhiloxKeys& keys) {
  const PhiloxTag d;
  PhiloxLanes lanes;
  const PhiloxVec in[4] = {hn::BitCast(d, c0), hn::BitCast(d, c1), hn::BitCast(d, c2),
                           hn::BitCast(d, c3)};
  for (int i = 0; i < 4; ++i) {
    lanes.even[i] = in[i];
    lanes.odd[i] = hn::ShiftRight<32>(in[i]);
  }
  for (int r = 0; r < 10; ++r) {
    const PhiloxVec k0 = hn::Set(d, keys.low[r]);
    const PhiloxVec k1 = hn::Set(d, keys.high[r]);
    philox_round(lanes.even, k0, k1);
    philox_round(lanes.odd, k0, k1);
  }
  return lanes;
}

}  // namespace HWY_NAMESPACE
}  // namespace tessera
HWY_AFTER_NAMESPACE();
#endif  // HWY_TARGET != HWY_SCALAR
#endif
