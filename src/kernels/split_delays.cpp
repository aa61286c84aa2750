// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "kernels/split_delays.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/split_delays.cpp"
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
void split_delays_impl(RandomKey key, std::uint32_t source, std::uint32_t stream, std::uint32_t n,
                       const std::uint16_t* thresholds, std::size_t groups, std::uint32_t* counts) {
  reference::split_delays(key, source, stream, n, thresholds, groups, counts);
}
#else

// counts[] first holds how many draws lie below each threshold; differences give the groups.
void split_delays_impl(RandomKey key, std::uint32_t source, std::uint32_t stream, std::uint32_t n,
                       const std::uint16_t* thresholds, std::size_t groups, std::uint32_t* counts) {
  const hn::ScalableTag<std::uint32_t> d;
  const hn::Repartition<std::uint16_t, decltype(d)> d16;
  const PhiloxKeys keys(key);
  for (std::size_t g = 0; g + 1 < groups; ++g) counts[g] = 0;
  const auto lane = hn::Iota(d, 0);
  // Half h of word w of block b is draw 8 b + 2 w + h.
  const auto position = hn::Iota(d16, 0);
  const auto half = hn::And(position, hn::Set(d16, 1));
  const auto first_draw = hn::Add(hn::ShiftLeft<2>(hn::Sub(position, half)), half);
  const auto per_round = static_cast<std::uint32_t>(8 * hn::Lanes(d));
  for (std::uint32_t done = 0; done < n; done += per_round) {
    const PhiloxLanes lanes = philox(hn::Add(lane, hn::Set(d, done / 8)), hn::Set(d, source), hn::Set(d, stream),
                                     hn::Set(d, static_cast<std::uint32_t>(Purpose::delay_split)), keys);
    const std::uint32_t remaining = n - done < per_round ? n - done : per_round;
    const auto limit = hn::Set(d16, static_cast<std::uint16_t>(remaining));
    // Draws beyond the last one are 65535, which is below no threshold. A threshold meets all four words while it is at hand.
    const auto draws = [&](int w) {
      const auto word = hn::OddEven(hn::BitCast(d, hn::ShiftLeft<32>(lanes.odd[w])), hn::BitCast(d, lanes.even[w]));
      const auto valid = hn::Lt(hn::Add(first_draw, hn::Set(d16, static_cast<std::uint16_t>(2 * w))), limit);
      return hn::IfThenElse(valid, hn::BitCast(d16, word), hn::Set(d16, 0xffff));
    };
    const auto draws0 = draws(0), draws1 = draws(1), draws2 = draws(2), draws3 = draws(3);
    for (std::size_t g = 0; g + 1 < groups; ++g) {
      const auto threshold = hn::Set(d16, thresholds[g]);
      const auto below = [&](auto words) { return static_cast<std::uint32_t>(hn::CountTrue(d16, hn::Lt(words, threshold))); };
      counts[g] += below(draws0) + below(draws1) + below(draws2) + below(draws3);
    }
  }
  std::uint32_t before = 0;
  for (std::size_t g = 0; g + 1 < groups; ++g) {
    const std::uint32_t up_to = counts[g];
    counts[g] = up_to - before;
    before = up_to;
  }
  counts[groups - 1] = n - before;
}
#endif

#if HWY_TARGET == HWY_SCALAR
void delay_draws_impl(RandomKey key, const DelayBlocks& blocks, std::size_t n, std::uint32_t* words) {
  reference::delay_draws(key, blocks, n, words);
}
#else
void delay_draws_impl(RandomKey key, const DelayBlocks& blocks, std::size_t n, std::uint32_t* words) {
  const hn::ScalableTag<std::uint32_t> d;
  const PhiloxKeys keys(key);
  for (std::size_t i = 0; i < n; i += hn::Lanes(d)) {
    const PhiloxLanes lanes = philox(hn::LoadU(d, blocks.index + i), hn::LoadU(d, blocks.source + i), hn::LoadU(d, blocks.stream + i),
                                     hn::Set(d, static_cast<std::uint32_t>(Purpose::delay_split)), keys);
    const auto word = [&](int w) {
      return hn::OddEven(hn::BitCast(d, hn::ShiftLeft<32>(lanes.odd[w])), hn::BitCast(d, lanes.even[w]));
    };
    hn::StoreInterleaved4(word(0), word(1), word(2), word(3), d, words + 4 * i);
  }
}
#endif

}  // namespace HWY_NAMESPACE
}  // namespace tessera
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tessera {
HWY_EXPORT(split_delays_impl);
HWY_EXPORT(delay_draws_impl);

void delay_draws(RandomKey key, const DelayBlocks& blocks, std::size_t n, std::uint32_t* words) {
  if (scalar_kernels_forced()) return reference::delay_draws(key, blocks, n, words);
  HWY_DYNAMIC_DISPATCH(delay_draws_impl)(key, blocks, n, words);
}

void split_delays(RandomKey key, std::uint32_t source, std::uint32_t stream, std::uint32_t n,
                  const std::uint16_t* thresholds, std::size_t groups, std::uint32_t* counts) {
  if (groups == 1) {
    counts[0] = n;
    return;
  }
  if (scalar_kernels_forced()) {
    return reference::split_delays(key, source, stream, n, thresholds, groups, counts);
  }
  HWY_DYNAMIC_DISPATCH(split_delays_impl)(key, source, stream, n, thresholds, groups, counts);
}

}  // namespace tessera
#endif  // HWY_ONCE
