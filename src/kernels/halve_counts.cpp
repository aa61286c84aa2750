// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "kernels/halve_counts.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/halve_counts.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/philox-inl.hpp"
#include "kernels/reference/reference.hpp"
#include "tessera/simd_control.hpp"

HWY_BEFORE_NAMESPACE();
namespace tessera {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_SCALAR
void halve_counts_impl(RandomKey key, std::uint32_t stream, std::uint32_t first_node, const std::uint32_t* counts, std::size_t n,
                       std::uint32_t* children) {
  reference::halve_counts(key, stream, first_node, counts, n, children);
}
#else
// Lanes are nodes: neighbours have about as many coins, so few lanes wait for the others.
void halve_counts_impl(RandomKey key, std::uint32_t stream, std::uint32_t first_node, const std::uint32_t* counts, std::size_t n,
                       std::uint32_t* children) {
  const hn::ScalableTag<std::uint32_t> d;
  const PhiloxKeys keys(key);
  const auto zero = hn::Zero(d), word_bits = hn::Set(d, 32), most_shift = hn::Set(d, 31);
  const auto purpose = hn::Set(d, static_cast<std::uint32_t>(Purpose::source_tree));
  const auto lane = hn::Iota(d, 0);
  for (std::size_t i = 0; i < n; i += hn::Lanes(d)) {
    const auto all = hn::LoadU(d, counts + i);
    const auto node = hn::Add(lane, hn::Set(d, first_node + static_cast<std::uint32_t>(i)));
    auto left = all, heads = zero;
    for (std::uint32_t block = 0; !hn::AllTrue(d, hn::Eq(left, zero)); ++block) {
      const PhiloxLanes lanes = philox(hn::Set(d, block), node, hn::Set(d, stream), purpose, keys);
      for (int w = 0; w < 4; ++w) {
        const auto word = hn::OddEven(hn::BitCast(d, hn::ShiftLeft<32>(lanes.odd[w])), hn::BitCast(d, lanes.even[w]));
        const auto taken = hn::Min(left, word_bits);
        const auto coins = hn::Shr(word, hn::Min(hn::Sub(word_bits, taken), most_shift));
        heads = hn::Add(heads, hn::PopulationCount(hn::IfThenZeroElse(hn::Eq(taken, zero), coins)));
        left = hn::Sub(left, taken);
      }
    }
    hn::StoreInterleaved2(heads, hn::Sub(all, heads), d, children + 2 * i);
  }
}
#endif

}  // namespace HWY_NAMESPACE
}  // namespace tessera
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tessera {
HWY_EXPORT(halve_counts_impl);

void halve_counts(RandomKey key, std::uint32_t stream, std::uint32_t first_node, const std::uint32_t* counts, std::size_t n,
                  std::uint32_t* children) {
  if (scalar_kernels_forced()) return reference::halve_counts(key, stream, first_node, counts, n, children);
  HWY_DYNAMIC_DISPATCH(halve_counts_impl)(key, stream, first_node, counts, n, children);
}

}  // namespace tessera
#endif  // HWY_ONCE
