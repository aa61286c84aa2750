// Vector form of Wiring::list_uniform: Philox4x32-10 on all lanes, each output word one synapse.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "kernels/draw_rows.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/draw_rows.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/philox-inl.hpp"
#include "kernels/reference/reference.hpp"
#include "tessera/simd_control.hpp"

HWY_BEFORE_NAMESPACE();
namespace tessera {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

HWY_INLINE void add_words(const std::uint32_t* words, std::size_t n, std::int32_t* ring,
                          std::uint32_t now) {
  std::size_t k = 0;
  for (; k + 4 <= n; k += 4) {
    const std::uint32_t a = words[k], b = words[k + 1], c = words[k + 2], e = words[k + 3];
    ring[(a + now) & kRingMask] += static_cast<std::int32_t>(a) >> kWeightShift;
    ring[(b + now) & kRingMask] += static_cast<std::int32_t>(b) >> kWeightShift;
    ring[(c + now) & kRingMask] += static_cast<std::int32_t>(c) >> kWeightShift;
    ring[(e + now) & kRingMask] += static_cast<std::int32_t>(e) >> kWeightShift;
  }
  for (; k < n; ++k) {
    ring[(words[k] + now) & kRingMask] += static_cast<std::int32_t>(words[k]) >> kWeightShift;
  }
}

#if HWY_TARGET == HWY_SCALAR

std::size_t draw_words_impl(const DrawQueue& queue, RandomKey key, const std::int32_t* weights,
                            std::uint32_t* out) {
  return reference::draw_words(queue, key, weights, out);
}

std::size_t draw_and_deliver_impl(const DrawQueue& queue, RandomKey key,
                                  const std::int32_t* weights, std::int32_t* ring,
                                  std::uint32_t now) {
  std::uint32_t words[4 * DrawQueue::kCapacity];
  const std::size_t n = reference::draw_words(queue, key, weights, words);
  add_words(words, n, ring, now);
  return n;
}

#else

using D32 = hn::ScalableTag<std::uint32_t>;
using V32 = hn::Vec<D32>;

/// One vector of queue entries, unpacked.
struct Lanes {
  PhiloxLanes words;
  hn::Vec<hn::Repartition<std::uint64_t, D32>> size_even, size_odd;
  V32 slot, weight_offset;
  hn::Vec<hn::RebindToSigned<D32>> left, threshold[3];
};

HWY_INLINE Lanes load_lanes(const DrawQueue& q, std::size_t i, const PhiloxKeys& keys) {
  const D32 d;
  const hn::RebindToSigned<D32> di;
  const hn::Repartition<std::uint64_t, D32> d64;
  Lanes lanes;
  lanes.words = philox(hn::Load(d, q.index + i), hn::Load(d, q.source + i), hn::Load(d, q.stream + i),
                       hn::Set(d, static_cast<std::uint32_t>(Purpose::synapse)), keys);
  const V32 place = hn::Load(d, q.place + i);
  const V32 size = hn::ShiftRight<16>(place);
  lanes.slot = hn::And(place, hn::Set(d, 0xffff));
  lanes.size_even = hn::BitCast(d64, size);
  lanes.size_odd = hn::ShiftRight<32>(hn::BitCast(d64, size));
  lanes.weight_offset = hn::Load(d, q.weight_offset + i);
  lanes.left = hn::IfThenElseZero(hn::FirstN(di, q.size - i), hn::Load(di, q.left + i));
  const V32 steps = hn::Load(d, q.steps + i);
  const V32 ten_bits = hn::Set(d, 1023);
  lanes.threshold[0] = hn::BitCast(di, hn::And(steps, ten_bits));
  lanes.threshold[1] = hn::BitCast(di, hn::And(hn::ShiftRight<10>(steps), ten_bits));
  lanes.threshold[2] = hn::BitCast(di, hn::ShiftRight<20>(steps));
  return lanes;
}

/// Word `w` of every lane as a packed synapse, written to `out` without the lanes that have none.
template <int w>
HWY_INLINE std::size_t pack(const Lanes& lanes, const std::int32_t* weights, std::uint32_t* out) {
  const D32 d;
  const hn::RebindToSigned<D32> di;
  const auto even = hn::MulEven(hn::BitCast(d, lanes.words.even[w]), hn::BitCast(d, lanes.size_even));
  const auto odd = hn::MulEven(hn::BitCast(d, lanes.words.odd[w]), hn::BitCast(d, lanes.size_odd));
  const V32 target = hn::OddEven(hn::BitCast(d, odd), hn::BitCast(d, hn::ShiftRight<32>(even)));
  const V32 fraction = hn::OddEven(hn::BitCast(d, hn::ShiftLeft<32>(odd)), hn::BitCast(d, even));
  const V32 entry = hn::Add(hn::ShiftRight<22>(fraction), lanes.weight_offset);
  const auto weight = hn::GatherIndex(di, weights, hn::BitCast(di, entry));
  const auto draw = hn::Min(hn::BitCast(di, hn::ShiftRight<22>(hn::ShiftLeft<10>(fraction))),
                            hn::Set(di, 1022));
  const auto one_step = hn::Set(di, 1 << kSlotBits);
  auto place = hn::BitCast(di, hn::Add(target, lanes.slot));
  for (const auto& threshold : lanes.threshold) {
    place = hn::Add(place, hn::IfThenZeroElse(hn::Lt(draw, threshold), one_step));
  }
  const auto word = hn::Or(place, hn::ShiftLeft<kWeightShift>(weight));
  const auto valid = hn::Gt(lanes.left, hn::Set(di, w));
  hn::StoreU(hn::BitCast(d, hn::Compress(word, valid)), d, out);
  return hn::CountTrue(di, valid);
}

std::size_t draw_words_impl(const DrawQueue& queue, RandomKey key, const std::int32_t* weights,
                            std::uint32_t* out) {
  const PhiloxKeys keys(key);
  const std::uint32_t* begin = out;
  for (std::size_t i = 0; i < queue.size; i += hn::Lanes(D32())) {
    const Lanes lanes = load_lanes(queue, i, keys);
    out += pack<0>(lanes, weights, out);
    out += pack<1>(lanes, weights, out);
    out += pack<2>(lanes, weights, out);
    out += pack<3>(lanes, weights, out);
  }
  return static_cast<std::size_t>(out - begin);
}

// The words of one vector of lanes are added while those of the next are drawn: the additions wait for
// the cache, the draws for the multipliers.
std::size_t draw_and_deliver_impl(const DrawQueue& queue, RandomKey key,
                                  const std::int32_t* weights, std::int32_t* ring,
                                  std::uint32_t now) {
  const PhiloxKeys keys(key);
  alignas(64) std::uint32_t buffer[2][5 * 16 + 16];
  std::size_t total = 0, pending = 0;
  int side = 0;
  for (std::size_t i = 0; i < queue.size; i += hn::Lanes(D32())) {
    const Lanes lanes = load_lanes(queue, i, keys);
    std::uint32_t* words = buffer[side];
    const std::uint32_t* previous = buffer[1 - side];
    const std::size_t quarter = pending / 4;
    std::size_t n = pack<0>(lanes, weights, words);
    add_words(previous, quarter, ring, now);
    n += pack<1>(lanes, weights, words + n);
    add_words(previous + quarter, quarter, ring, now);
    n += pack<2>(lanes, weights, words + n);
    add_words(previous + 2 * quarter, quarter, ring, now);
    n += pack<3>(lanes, weights, words + n);
    add_words(previous + 3 * quarter, pending - 3 * quarter, ring, now);
    total += n;
    pending = n;
    side = 1 - side;
  }
  add_words(buffer[1 - side], pending, ring, now);
  return total;
}

#endif  // HWY_TARGET == HWY_SCALAR

template <class Count>
HWY_INLINE std::size_t enqueue_impl(DrawQueue& q, const DrawStreams& streams, std::size_t bundle,
                                    const Count* counts, const std::uint32_t* steps,
                                    std::uint32_t source, std::uint32_t group) {
  const hn::CappedTag<std::uint32_t, 8> d;
  const hn::RebindToSigned<decltype(d)> di;
  const std::size_t width = hn::Lanes(d);
  const auto source_v = hn::Set(d, source);
  for (; bundle < streams.bundles; ++bundle) {
    const std::uint32_t n = counts[bundle];
    const std::size_t blocks = (n + 3) / 4;
    if (q.size + blocks > DrawQueue::kCapacity) return bundle;
    const auto stream = hn::Set(d, streams.stream[bundle]);
    const auto place = hn::Set(d, streams.place[bundle]);
    const auto weight_offset = hn::Set(d, streams.weight_offset[bundle]);
    const auto step = hn::Set(d, steps[bundle]);
    const std::size_t at = q.size;
    for (std::size_t l = 0; l < blocks; l += width) {
      const auto block = hn::Iota(di, static_cast<std::int32_t>(l));
      hn::StoreU(hn::BitCast(d, hn::Add(block, hn::Set(di, static_cast<std::int32_t>(group << 20)))), d,
                 q.index + at + l);
      hn::StoreU(hn::Sub(hn::Set(di, static_cast<std::int32_t>(n)), hn::ShiftLeft<2>(block)), di,
                 q.left + at + l);
      hn::StoreU(source_v, d, q.source + at + l);
      hn::StoreU(stream, d, q.stream + at + l);
      hn::StoreU(place, d, q.place + at + l);
      hn::StoreU(weight_offset, d, q.weight_offset + at + l);
      hn::StoreU(step, d, q.steps + at + l);
    }
    q.size += blocks;
  }
  return bundle;
}

std::size_t enqueue_u8(DrawQueue& q, const DrawStreams& s, std::size_t bundle,
                       const std::uint8_t* counts, const std::uint32_t* steps, std::uint32_t source,
                       std::uint32_t group) {
  return enqueue_impl(q, s, bundle, counts, steps, source, group);
}
std::size_t enqueue_u16(DrawQueue& q, const DrawStreams& s, std::size_t bundle,
                        const std::uint16_t* counts, const std::uint32_t* steps,
                        std::uint32_t source, std::uint32_t group) {
  return enqueue_impl(q, s, bundle, counts, steps, source, group);
}

}  // namespace HWY_NAMESPACE
}  // namespace tessera
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tessera {
HWY_EXPORT(draw_words_impl);
HWY_EXPORT(draw_and_deliver_impl);
HWY_EXPORT(enqueue_u8);
HWY_EXPORT(enqueue_u16);

std::size_t draw_words(const DrawQueue& queue, RandomKey key, const std::int32_t* weights,
                       std::uint32_t* out) {
  if (scalar_kernels_forced()) return reference::draw_words(queue, key, weights, out);
  return HWY_DYNAMIC_DISPATCH(draw_words_impl)(queue, key, weights, out);
}
std::size_t draw_and_deliver(const DrawQueue& queue, RandomKey key, const std::int32_t* weights,
                             std::int32_t* ring, std::uint32_t now) {
  return HWY_DYNAMIC_DISPATCH(draw_and_deliver_impl)(queue, key, weights, ring, now);
}
template <>
std::size_t enqueue(DrawQueue& q, const DrawStreams& s, std::size_t bundle,
                    const std::uint8_t* counts, const std::uint32_t* steps, std::uint32_t source,
                    std::uint32_t group) {
  return HWY_DYNAMIC_DISPATCH(enqueue_u8)(q, s, bundle, counts, steps, source, group);
}
template <>
std::size_t enqueue(DrawQueue& q, const DrawStreams& s, std::size_t bundle,
                    const std::uint16_t* counts, const std::uint32_t* steps, std::uint32_t source,
                    std::uint32_t group) {
  return HWY_DYNAMIC_DISPATCH(enqueue_u16)(q, s, bundle, counts, steps, source, group);
}

}  // namespace tessera
#endif  // HWY_ONCE
