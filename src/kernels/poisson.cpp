// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "kernels/poisson.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/poisson.cpp"
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
void draw_counts(const PoissonTable& table, const PoissonStream& s, std::size_t count,
                 std::int32_t* counts) {
  reference::draw_poisson(table, s, count, counts);
}
void add_counts(const PoissonTable& table, const PoissonStream& s, std::size_t count,
                std::int32_t weight, std::int32_t* input) {
  reference::add_poisson(table, s, count, weight, input);
}
#else

// Neuron 64 j + 16 w + l takes word w of block 16 j + l: sixteen blocks make 64 neurons whatever the
// vector width. `add` receives the first neuron of a vector and its counts.
template <class Add>
HWY_INLINE void each_count(const PoissonTable& table, const PoissonStream& s, std::size_t count,
                           const Add& add) {
  const hn::CappedTag<std::uint32_t, 16> d;
  const hn::RebindToSigned<decltype(d)> di;
  const PhiloxKeys keys(s.key);
  const std::size_t lanes = hn::Lanes(d);
  const auto lane = hn::Iota(d, 0);
  const auto one = hn::Set(di, 1);
  const auto flip = hn::Set(di, INT32_MIN);  // unsigned comparison with signed instructions
  for (std::size_t begin = 0; begin < count; begin += 64) {
    for (std::size_t l = 0; l < 16; l += lanes) {
      hn::Vec<decltype(di)> sum[4] = {hn::Zero(di), hn::Zero(di), hn::Zero(di), hn::Zero(di)};
      for (std::uint32_t part = 0; part < table.parts; ++part) {
        const auto words =
            philox(hn::Add(lane, hn::Set(d, static_cast<std::uint32_t>(begin / 4 + l))), hn::Set(d, s.step),
                   hn::Set(d, s.stream), hn::Set(d, s.purpose | part << 8), keys);
        hn::Vec<decltype(di)> draw[4];
        for (int w = 0; w < 4; ++w) {
          draw[w] = hn::Xor(hn::BitCast(di, hn::OddEven(hn::BitCast(d, hn::ShiftLeft<32>(words.odd[w])),
                                                        hn::BitCast(d, words.even[w]))), flip);
        }
        for (const std::uint32_t threshold : table.thresholds) {
          const auto t = hn::Set(di, static_cast<std::int32_t>(threshold ^ 0x80000000u));
          auto largest = draw[0];
          for (int w = 0; w < 4; ++w) {
            sum[w] = hn::Add(sum[w], hn::IfThenZeroElse(hn::Lt(draw[w], t), one));
            largest = hn::Max(largest, draw[w]);
          }
          if (hn::AllTrue(di, hn::Lt(largest, t))) break;  // thresholds ascend
        }
      }
      for (std::size_t w = 0; w < 4; ++w) add(begin + 16 * w + l, di, sum[w]);
    }
  }
}

void draw_counts(const PoissonTable& table, const PoissonStream& s, std::size_t count,
                 std::int32_t* counts) {
  each_count(table, s, count, [counts](std::size_t i, auto di, auto n) { hn::StoreU(n, di, counts + i); });
}

void add_counts(const PoissonTable& table, const PoissonStream& s, std::size_t count,
                std::int32_t weight, std::int32_t* input) {
  each_count(table, s, count, [=](std::size_t i, auto di, auto n) {
    hn::StoreU(hn::Add(hn::LoadU(di, input + i), hn::Mul(n, hn::Set(di, weight))), di, input + i);
  });
}
#endif

}  // namespace HWY_NAMESPACE
}  // namespace tessera
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <algorithm>
#include <cmath>

namespace tessera {
HWY_EXPORT(draw_counts);
HWY_EXPORT(add_counts);

PoissonTable::PoissonTable(double mean) {
  parts = static_cast<std::uint32_t>(std::max(1.0, std::ceil(mean / kLargestMean)));
  const double part = mean / parts;
  double probability = std::exp(-part), cumulative = probability;
  for (int k = 1; k < 128; ++k) {
    const double threshold = std::round(cumulative * 0x1p32);
    if (threshold >= 0x1p32) break;
    thresholds.push_back(static_cast<std::uint32_t>(threshold));
    probability *= part / k;
    cumulative += probability;
  }
}

void draw_poisson(const PoissonTable& table, const PoissonStream& stream, std::size_t count,
                  std::int32_t* counts) {
  if (scalar_kernels_forced()) return reference::draw_poisson(table, stream, count, counts);
  HWY_DYNAMIC_DISPATCH(draw_counts)(table, stream, count, counts);
}

void add_poisson(const PoissonTable& table, const PoissonStream& stream, std::size_t count,
                 std::int32_t weight, std::int32_t* input) {
  if (scalar_kernels_forced()) return reference::add_poisson(table, stream, count, weight, input);
  HWY_DYNAMIC_DISPATCH(add_counts)(table, stream, count, weight, input);
}

}  // namespace tessera
#endif  // HWY_ONCE
