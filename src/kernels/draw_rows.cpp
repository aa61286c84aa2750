// Vector form of Wiring::list_uniform: Philox4x32-10 on all lanes, each output word one synapse.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "kernels/draw_rows.hpp"

#include <algorithm>

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

/// Adds words whose upper bits index the weight tables.
HWY_INLINE void add_entries(const std::uint32_t* words, std::size_t n, const std::int32_t* weights,
                            std::int32_t* ring, std::uint32_t now) {
  std::size_t k = 0;
  for (; k + 4 <= n; k += 4) {
    const std::uint32_t a = words[k], b = words[k + 1], c = words[k + 2], e = words[k + 3];
    ring[(a + now) & kRingMask] += weights[a >> kWeightShift];
    ring[(b + now) & kRingMask] += weights[b >> kWeightShift];
    ring[(c + now) & kRingMask] += weights[c >> kWeightShift];
    ring[(e + now) & kRingMask] += weights[e >> kWeightShift];
  }
  for (; k < n; ++k) ring[(words[k] + now) & kRingMask] += weights[words[k] >> kWeightShift];
}

#if HWY_TARGET == HWY_SCALAR

std::size_t draw_words_impl(const DrawQueue& queue, RandomKey key, const DrawTables& tables,
                            std::uint32_t* out) {
  return reference::draw_words(queue, key, tables, out);
}

std::size_t draw_entries_impl(const DrawQueue& queue, RandomKey key, const DrawTables& tables,
                              std::uint32_t* out) {
  return reference::draw_entries(queue, key, tables, out);
}

std::size_t draw_words_in_order_impl(const DrawQueue& queue, RandomKey key, const DrawTables& tables,
                                     std::uint32_t* out) {
  return reference::draw_words(queue, key, tables, out);
}

std::size_t draw_entries_in_order_impl(const DrawQueue& queue, RandomKey key, const DrawTables& tables,
                                       std::uint32_t* out) {
  return reference::draw_entries(queue, key, tables, out);
}

std::size_t draw_and_deliver_impl(const DrawQueue& queue, RandomKey key, const DrawTables& tables,
                                  std::int32_t* ring, std::uint32_t now) {
  return reference::draw_and_deliver(queue, key, tables, ring, now);
}

#else

using D32 = hn::ScalableTag<std::uint32_t>;
using V32 = hn::Vec<D32>;

/// One vector of queue entries, unpacked.
struct Lanes {
  PhiloxLanes words;
  hn::Vec<hn::Repartition<std::uint64_t, D32>> size_even, size_odd;
  V32 slot, weight_offset;
  hn::Vec<hn::RebindToSigned<D32>> left, threshold[3], step_table;
};

HWY_INLINE Lanes load_lanes(const DrawQueue& q, std::size_t i, const PhiloxKeys& keys) {
  const D32 d;
  const hn::RebindToSigned<D32> di;
  const hn::Repartition<std::uint64_t, D32> d64;
  Lanes lanes;
  const V32 index = hn::Load(d, q.index + i);
  const V32 stream = hn::Load(d, q.stream + i);
  lanes.words = philox(hn::And(index, hn::Set(d, (1u << DrawQueue::kLeftShift) - 1)),
                       hn::Load(d, q.source + i),
                       hn::And(stream, hn::Set(d, (1u << kTableShift) - 1)),
                       hn::Set(d, static_cast<std::uint32_t>(Purpose::synapse)), keys);
  const V32 place = hn::Load(d, q.place + i);
  const V32 size = hn::ShiftRight<16>(place);
  lanes.slot = hn::And(place, hn::Set(d, 0xffff));
  lanes.size_even = hn::BitCast(d64, size);
  lanes.size_odd = hn::ShiftRight<32>(hn::BitCast(d64, size));
  lanes.weight_offset = hn::ShiftLeft<10>(hn::ShiftRight<kTableShift>(stream));
  const V32 left = hn::Add(hn::ShiftRight<DrawQueue::kLeftShift>(index), hn::Set(d, 1));
  lanes.left = hn::BitCast(di, hn::IfThenElseZero(hn::FirstN(d, q.size - i), left));
  const V32 steps = hn::Load(d, q.steps + i);
  lanes.step_table = hn::BitCast(di, steps);
  const V32 ten_bits = hn::Set(d, 1023);
  lanes.threshold[0] = hn::BitCast(di, hn::And(steps, ten_bits));
  lanes.threshold[1] = hn::BitCast(di, hn::And(hn::ShiftRight<10>(steps), ten_bits));
  lanes.threshold[2] = hn::BitCast(di, hn::ShiftRight<20>(steps));
  return lanes;
}

/// Word `w` of every lane as a packed synapse. With
/// `entries` the weight bits hold the index of the weight instead of the weight; with `step_tables` the
/// step is looked up, else it counts thresholds.
template <int w, bool entries, bool step_tables>
HWY_INLINE V32 packed(const Lanes& lanes, const DrawTables& tables) {
  const D32 d;
  const hn::RebindToSigned<D32> di;
  const auto even = hn::MulEven(hn::BitCast(d, lanes.words.even[w]), hn::BitCast(d, lanes.size_even));
  const auto odd = hn::MulEven(hn::BitCast(d, lanes.words.odd[w]), hn::BitCast(d, lanes.size_odd));
  const V32 target = hn::OddEven(hn::BitCast(d, odd), hn::BitCast(d, hn::ShiftRight<32>(even)));
  const V32 fraction = hn::OddEven(hn::BitCast(d, hn::ShiftLeft<32>(odd)), hn::BitCast(d, even));
  const V32 entry = hn::Add(hn::ShiftRight<22>(fraction), lanes.weight_offset);
  auto weight = hn::BitCast(di, entry);
  if constexpr (!entries) weight = hn::GatherIndex(di, tables.weights, weight);
  const auto draw = hn::BitCast(di, hn::ShiftRight<22>(hn::ShiftLeft<10>(fraction)));
  auto place = hn::BitCast(di, hn::Add(target, lanes.slot));
  if constexpr (step_tables) {
    place = hn::Add(place, hn::GatherIndex(di, tables.steps, hn::Add(lanes.step_table, draw)));
  } else {
    const auto one_step = hn::Set(di, 1 << RingShape{}.slot_bits());
    const auto reachable = hn::Min(draw, hn::Set(di, 1022));
    for (const auto& threshold : lanes.threshold) {
      place = hn::Add(place, hn::IfThenZeroElse(hn::Lt(reachable, threshold), one_step));
    }
  }
  return hn::BitCast(d, hn::Or(place, hn::ShiftLeft<kWeightShift>(weight)));
}

/// The same, written to `out` without the lanes that have none.
template <int w, bool entries, bool step_tables>
HWY_INLINE std::size_t pack(const Lanes& lanes, const DrawTables& tables, std::uint32_t* out) {
  const D32 d;
  const hn::RebindToSigned<D32> di;
  const auto word = hn::BitCast(di, packed<w, entries, step_tables>(lanes, tables));
  const auto valid = hn::Gt(lanes.left, hn::Set(di, w));
  hn::StoreU(hn::BitCast(d, hn::Compress(word, valid)), d, out);
  return hn::CountTrue(di, valid);
}

template <bool entries, bool step_tables>
HWY_INLINE std::size_t draw_words_with(const DrawQueue& queue, RandomKey key, const DrawTables& tables,
                                       std::uint32_t* out) {
  const PhiloxKeys keys(key);
  const std::uint32_t* begin = out;
  for (std::size_t i = 0; i < queue.size; i += hn::Lanes(D32())) {
    const Lanes lanes = load_lanes(queue, i, keys);
    out += pack<0, entries, step_tables>(lanes, tables, out);
    out += pack<1, entries, step_tables>(lanes, tables, out);
    out += pack<2, entries, step_tables>(lanes, tables, out);
    out += pack<3, entries, step_tables>(lanes, tables, out);
  }
  return static_cast<std::size_t>(out - begin);
}

std::size_t draw_words_impl(const DrawQueue& queue, RandomKey key, const DrawTables& tables,
                            std::uint32_t* out) {
  return tables.steps != nullptr ? draw_words_with<false, true>(queue, key, tables, out)
                                 : draw_words_with<false, false>(queue, key, tables, out);
}

std::size_t draw_entries_impl(const DrawQueue& queue, RandomKey key, const DrawTables& tables,
                              std::uint32_t* out) {
  return tables.steps != nullptr ? draw_words_with<true, true>(queue, key, tables, out)
                                 : draw_words_with<true, false>(queue, key, tables, out);
}

/// Lane by lane instead of word by word.
template <bool entries, bool step_tables>
HWY_INLINE std::size_t draw_in_order_with(const DrawQueue& queue, RandomKey key, const DrawTables& tables,
                                          std::uint32_t* out) {
  const D32 d;
  const hn::RebindToSigned<D32> di;
  const PhiloxKeys keys(key);
  const std::size_t width = hn::Lanes(d);
  const std::uint32_t* begin = out;
  alignas(64) std::uint32_t words[4 * hn::MaxLanes(d)], left[4 * hn::MaxLanes(d)];
  const auto in_block = hn::And(hn::Iota(di, 0), hn::Set(di, 3));
  for (std::size_t i = 0; i < queue.size; i += width) {
    const Lanes lanes = load_lanes(queue, i, keys);
    hn::StoreInterleaved4(packed<0, entries, step_tables>(lanes, tables), packed<1, entries, step_tables>(lanes, tables),
                          packed<2, entries, step_tables>(lanes, tables), packed<3, entries, step_tables>(lanes, tables), d, words);
    const V32 n = hn::BitCast(d, lanes.left);
    hn::StoreInterleaved4(n, n, n, n, d, left);
    for (std::size_t w = 0; w < 4 * width; w += width) {
      const auto valid = hn::Gt(hn::BitCast(di, hn::Load(d, left + w)), in_block);
      out += hn::CompressStore(hn::Load(d, words + w), hn::RebindMask(d, valid), d, out);
    }
  }
  return static_cast<std::size_t>(out - begin);
}

std::size_t draw_words_in_order_impl(const DrawQueue& queue, RandomKey key, const DrawTables& tables,
                                     std::uint32_t* out) {
  return tables.steps != nullptr ? draw_in_order_with<false, true>(queue, key, tables, out)
                                 : draw_in_order_with<false, false>(queue, key, tables, out);
}

std::size_t draw_entries_in_order_impl(const DrawQueue& queue, RandomKey key, const DrawTables& tables,
                                       std::uint32_t* out) {
  return tables.steps != nullptr ? draw_in_order_with<true, true>(queue, key, tables, out)
                                 : draw_in_order_with<true, false>(queue, key, tables, out);
}

/// Adds exactly kSome words, without a branch.
constexpr int kSome = 14;
HWY_INLINE void add_some(const std::uint32_t* words, const std::int32_t* weights, std::int32_t* ring,
                         std::uint32_t now) {
  HWY_UNROLL(14)
  for (int k = 0; k < kSome; ++k) ring[(words[k] + now) & kRingMask] += weights[words[k] >> kWeightShift];
}

// Words are added some way behind where they are drawn: additions wait for the cache, draws for the
// multipliers, and a fixed number of additions between two draws lets the processor do both at once.
template <bool step_tables>
HWY_INLINE std::size_t draw_and_deliver_with(const DrawQueue& queue, RandomKey key, const DrawTables& tables,
                                             std::int32_t* ring, std::uint32_t now) {
  const PhiloxKeys keys(key);
  alignas(64) std::uint32_t words[4 * DrawQueue::kCapacity + 64];
  std::uint32_t* drawn = words;
  const std::uint32_t* added = words;
  const auto add = [&] {
    if (drawn - added < 64) return;
    add_some(added, tables.weights, ring, now);
    added += kSome;
  };
  for (std::size_t i = 0; i < queue.size; i += hn::Lanes(D32())) {
    const Lanes lanes = load_lanes(queue, i, keys);
    drawn += pack<0, true, step_tables>(lanes, tables, drawn);
    add();
    drawn += pack<1, true, step_tables>(lanes, tables, drawn);
    add();
    drawn += pack<2, true, step_tables>(lanes, tables, drawn);
    add();
    drawn += pack<3, true, step_tables>(lanes, tables, drawn);
    add();
  }
  add_entries(added, static_cast<std::size_t>(drawn - added), tables.weights, ring, now);
  return static_cast<std::size_t>(drawn - words);
}

std::size_t draw_and_deliver_impl(const DrawQueue& queue, RandomKey key, const DrawTables& tables,
                                  std::int32_t* ring, std::uint32_t now) {
  return tables.steps != nullptr ? draw_and_deliver_with<true>(queue, key, tables, ring, now)
                                 : draw_and_deliver_with<false>(queue, key, tables, ring, now);
}

#endif  // HWY_TARGET == HWY_SCALAR

#if HWY_TARGET == HWY_SCALAR

template <class Count>
std::size_t enqueue_impl(DrawQueue& q, const DrawStreams& streams, std::size_t bundle,
                         const Count* counts, const std::uint32_t* steps, std::uint32_t source,
                         std::uint32_t group) {
  return reference::enqueue(q, streams, bundle, counts, steps, source, group);
}

#else

/// Sum of the lanes up to and including each one.
HWY_INLINE V32 sums_up_to(V32 values) {
  const D32 d;
  const V32 lane = hn::Iota(d, 0);
  for (std::size_t shift = 1; shift < hn::Lanes(d); shift *= 2) {
    const V32 by = hn::Set(d, static_cast<std::uint32_t>(shift));
    const auto from = hn::IfThenElseZero(hn::Not(hn::Lt(lane, by)), hn::Sub(lane, by));
    const V32 shifted = hn::TableLookupLanes(values, hn::IndicesFromVec(d, from));
    values = hn::Add(values, hn::IfThenElseZero(hn::Not(hn::Lt(lane, by)), shifted));
  }
  return values;
}

// A vector of bundles at a time: block l of all their blocks belongs to the last bundle that starts at
// or before l, found by bisection; everything else is looked up by that bundle.
template <class Count>
HWY_INLINE std::size_t enqueue_impl(DrawQueue& q, const DrawStreams& streams, std::size_t bundle,
                                    const Count* counts, const std::uint32_t* steps,
                                    std::uint32_t source, std::uint32_t group) {
  const D32 d;
  const hn::RebindToSigned<D32> di;
  const hn::Rebind<Count, D32> dc;
  const std::size_t width = hn::Lanes(d);
  const auto lane = hn::Iota(di, 0);
  const V32 source_v = hn::Set(d, source);
  const V32 group_v = hn::Set(d, group << 20);
  for (; bundle < streams.bundles; bundle += width) {
    const auto inside = hn::FirstN(d, streams.bundles - bundle);
    const V32 n = hn::IfThenElseZero(inside, hn::PromoteTo(d, hn::LoadU(dc, counts + bundle)));
    const V32 blocks = hn::ShiftRight<2>(hn::Add(n, hn::Set(d, 3)));
    const V32 end = sums_up_to(blocks);
    const V32 start = hn::Sub(end, blocks);
    const std::size_t total = hn::ExtractLane(end, width - 1);
    if (q.size + total > DrawQueue::kCapacity) {
      if (q.size > 0) return bundle;
      // More than an empty queue holds: as many of these bundles as fit, one by one.
      return reference::enqueue(q, streams, bundle, counts, steps, source, group);
    }
    const V32 stream = hn::LoadU(d, streams.stream + bundle);
    const V32 place = hn::LoadU(d, streams.place + bundle);
    const V32 step = hn::LoadU(d, steps + bundle);
    for (std::size_t l = 0; l < total; l += width) {
      const auto block = hn::Add(lane, hn::Set(di, static_cast<std::int32_t>(l)));
      auto owner = hn::Zero(di);
      for (std::size_t half = width / 2; half > 0; half /= 2) {
        const auto candidate = hn::Add(owner, hn::Set(di, static_cast<std::int32_t>(half)));
        const auto begins = hn::BitCast(di, hn::TableLookupLanes(start, hn::IndicesFromVec(d, candidate)));
        owner = hn::IfThenElse(hn::Gt(begins, block), owner, candidate);
      }
      const auto of_owner = hn::IndicesFromVec(d, owner);
      const auto in_bundle = hn::Sub(block, hn::BitCast(di, hn::TableLookupLanes(start, of_owner)));
      const std::size_t at = q.size + l;
      const auto left = hn::Sub(hn::BitCast(di, hn::TableLookupLanes(n, of_owner)), hn::ShiftLeft<2>(in_bundle));
      const auto beyond_first = hn::Sub(hn::Min(left, hn::Set(di, 4)), hn::Set(di, 1));
      hn::StoreU(hn::Or3(hn::BitCast(d, in_bundle), group_v,
                         hn::ShiftLeft<DrawQueue::kLeftShift>(hn::BitCast(d, beyond_first))), d, q.index + at);
      hn::StoreU(source_v, d, q.source + at);
      hn::StoreU(hn::TableLookupLanes(stream, of_owner), d, q.stream + at);
      hn::StoreU(hn::TableLookupLanes(place, of_owner), d, q.place + at);
      hn::StoreU(hn::TableLookupLanes(step, of_owner), d, q.steps + at);
    }
    q.size += total;
  }
  return streams.bundles;
}

#endif  // HWY_TARGET == HWY_SCALAR

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
HWY_EXPORT(draw_entries_impl);
HWY_EXPORT(draw_words_in_order_impl);
HWY_EXPORT(draw_entries_in_order_impl);
HWY_EXPORT(draw_and_deliver_impl);
HWY_EXPORT(enqueue_u8);
HWY_EXPORT(enqueue_u16);

std::uint32_t enqueue_groups(DrawQueue& q, const GroupedRow& row, std::uint32_t first) {
  const std::size_t begin = q.size;
  std::uint32_t g = first;
  for (; g < row.groups; ++g) {
    const std::uint32_t n = row.counts[g], blocks = (n + 3) / 4;
    if (q.size + blocks > DrawQueue::kCapacity) break;
    const std::uint32_t full = (row.first_group + g) << 20 | 3u << DrawQueue::kLeftShift;
    for (std::uint32_t b = 0; b < blocks; ++b) {
      q.index[q.size + b] = full + b;
      q.steps[q.size + b] = static_cast<std::uint32_t>(row.codes[g]);
    }
    q.size += blocks;
    if (blocks > 0) q.index[q.size - 1] -= (4 * blocks - n) << DrawQueue::kLeftShift;
  }
  std::fill(q.source + begin, q.source + q.size, row.source);
  std::fill(q.stream + begin, q.stream + q.size, row.stream);
  std::fill(q.place + begin, q.place + q.size, row.place);
  return g;
}

std::size_t draw_words(const DrawQueue& queue, RandomKey key, const DrawTables& tables,
                       std::uint32_t* out) {
  if (scalar_kernels_forced()) return reference::draw_words(queue, key, tables, out);
  return HWY_DYNAMIC_DISPATCH(draw_words_impl)(queue, key, tables, out);
}
std::size_t draw_entries(const DrawQueue& queue, RandomKey key, const DrawTables& tables,
                         std::uint32_t* out) {
  if (scalar_kernels_forced()) return reference::draw_entries(queue, key, tables, out);
  return HWY_DYNAMIC_DISPATCH(draw_entries_impl)(queue, key, tables, out);
}
std::size_t draw_entries_in_order(const DrawQueue& queue, RandomKey key, const DrawTables& tables,
                                  std::uint32_t* out) {
  if (scalar_kernels_forced()) return reference::draw_entries(queue, key, tables, out);
  return HWY_DYNAMIC_DISPATCH(draw_entries_in_order_impl)(queue, key, tables, out);
}
std::size_t draw_words_in_order(const DrawQueue& queue, RandomKey key, const DrawTables& tables,
                                std::uint32_t* out) {
  if (scalar_kernels_forced()) return reference::draw_words(queue, key, tables, out);
  return HWY_DYNAMIC_DISPATCH(draw_words_in_order_impl)(queue, key, tables, out);
}

namespace {
std::size_t widen(const std::uint32_t* entries, std::size_t n, const std::int32_t* weights, WideWord* out) {
  for (std::size_t k = 0; k < n; ++k) out[k] = {entries[k] & kRingMask, weights[entries[k] >> kWeightShift]};
  return n;
}
}  // namespace

std::size_t draw_words(const DrawQueue& queue, RandomKey key, const DrawTables& tables, WideWord* out) {
  std::uint32_t entries[4 * DrawQueue::kCapacity + DrawQueue::kSlack];
  return widen(entries, draw_entries(queue, key, tables, entries), tables.weights, out);
}
std::size_t draw_words_in_order(const DrawQueue& queue, RandomKey key, const DrawTables& tables, WideWord* out) {
  std::uint32_t entries[4 * DrawQueue::kCapacity + DrawQueue::kSlack];
  return widen(entries, draw_entries_in_order(queue, key, tables, entries), tables.weights, out);
}
std::size_t draw_and_deliver(const DrawQueue& queue, RandomKey key, const DrawTables& tables,
                             std::int32_t* ring, std::uint32_t now) {
  if (scalar_kernels_forced()) return reference::draw_and_deliver(queue, key, tables, ring, now);
  return HWY_DYNAMIC_DISPATCH(draw_and_deliver_impl)(queue, key, tables, ring, now);
}
template <>
std::size_t enqueue(DrawQueue& q, const DrawStreams& s, std::size_t bundle,
                    const std::uint8_t* counts, const std::uint32_t* steps, std::uint32_t source,
                    std::uint32_t group) {
  if (scalar_kernels_forced()) return reference::enqueue(q, s, bundle, counts, steps, source, group);
  return HWY_DYNAMIC_DISPATCH(enqueue_u8)(q, s, bundle, counts, steps, source, group);
}
template <>
std::size_t enqueue(DrawQueue& q, const DrawStreams& s, std::size_t bundle,
                    const std::uint16_t* counts, const std::uint32_t* steps, std::uint32_t source,
                    std::uint32_t group) {
  if (scalar_kernels_forced()) return reference::enqueue(q, s, bundle, counts, steps, source, group);
  return HWY_DYNAMIC_DISPATCH(enqueue_u16)(q, s, bundle, counts, steps, source, group);
}

}  // namespace tessera
#endif  // HWY_ONCE
