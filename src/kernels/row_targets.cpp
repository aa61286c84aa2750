// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "kernels/row_targets.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/row_targets.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/draw_rows.hpp"
#include "kernels/philox-inl.hpp"
#include "kernels/reference/reference.hpp"
#include "tessera/simd_control.hpp"

HWY_BEFORE_NAMESPACE();
namespace tessera {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_SCALAR

void places(const RowKey& row, std::uint32_t first_block, std::uint32_t blocks, std::uint32_t open,
            std::uint32_t self, std::uint32_t* out) {
  reference::draw_places(row, first_block, blocks, open, self, out);
}
void blocks_of(const RowKey& row, Purpose purpose, std::uint32_t round, const std::uint32_t* index, std::size_t n,
               std::uint32_t* words) {
  reference::draw_blocks(row, purpose, round, index, n, words);
}
void permute(const StubPermutation& p, std::uint32_t first, std::uint32_t n, std::uint32_t* targets) {
  reference::stub_targets(p, first, n, targets);
}
void permute_list(const StubPermutation& p, const std::uint32_t* draws, std::uint32_t n, std::uint32_t* targets) {
  reference::stub_targets_of(p, draws, n, targets);
}
void pack(const RowValues& values, const RowKey& row, const std::uint32_t* targets, std::size_t n,
          std::uint32_t* words, std::uint16_t* group_of) {
  reference::pack_row(values, row, targets, n, words, group_of);
}

std::size_t keep(const RowKey& row, const PairBox& box, std::uint32_t* kept) {
  return reference::keep_pairs(row, box, kept);
}

#else

using D32 = hn::CappedTag<std::uint32_t, 16>;
using V32 = hn::Vec<D32>;
using DI = hn::RebindToSigned<D32>;
using DF = hn::RebindToFloat<D32>;

/// Philox blocks of the items [kRowBlock * block + lane, ...) of a row, one per lane.
HWY_INLINE PhiloxLanes row_words(const RowKey& row, Purpose purpose, std::uint32_t block, std::size_t lane,
                                 const PhiloxKeys& keys) {
  const D32 d;
  const V32 index = hn::Add(hn::Iota(d, 0), hn::Set(d, block * 16 + static_cast<std::uint32_t>(lane)));
  return philox(index, hn::Set(d, row.source), hn::Set(d, row.stream),
                hn::Set(d, static_cast<std::uint32_t>(purpose)), keys);
}

/// Word w of every lane.
HWY_INLINE V32 word_of(const PhiloxLanes& lanes, std::size_t w) {
  const D32 d;
  return hn::OddEven(hn::BitCast(d, hn::ShiftLeft<32>(lanes.odd[w])), hn::BitCast(d, lanes.even[w]));
}

void places(const RowKey& row, std::uint32_t first_block, std::uint32_t blocks, std::uint32_t open,
            std::uint32_t self, std::uint32_t* out) {
  const D32 d;
  const PhiloxKeys keys(row.key);
  const V32 open_v = hn::Set(d, open), self_v = hn::Set(d, self);
  for (std::uint32_t b = 0; b < blocks; ++b, out += kRowBlock) {
    for (std::size_t lane = 0; lane < 16; lane += hn::Lanes(d)) {
      const PhiloxLanes lanes = row_words(row, Purpose::pair, first_block + b, lane, keys);
      for (std::size_t w = 0; w < 4; ++w) {
        const auto even = hn::MulEven(hn::BitCast(d, lanes.even[w]), open_v);
        const auto odd = hn::MulEven(hn::BitCast(d, lanes.odd[w]), open_v);
        const V32 place = hn::OddEven(hn::BitCast(d, odd), hn::BitCast(d, hn::ShiftRight<32>(even)));
        const V32 moved = hn::IfThenElse(hn::Lt(place, self_v), place, hn::Add(place, hn::Set(d, 1)));
        hn::StoreU(moved, d, out + 16 * w + lane);
      }
    }
  }
}

void blocks_of(const RowKey& row, Purpose purpose, std::uint32_t round, const std::uint32_t* index, std::size_t n,
               std::uint32_t* words) {
  const D32 d;
  const PhiloxKeys keys(row.key);
  const V32 last = hn::Set(d, static_cast<std::uint32_t>(purpose) | round << 8);
  for (std::size_t i = 0; i < n; i += hn::Lanes(d)) {
    const PhiloxLanes lanes = philox(hn::LoadU(d, index + i), hn::Set(d, row.source), hn::Set(d, row.stream), last, keys);
    hn::StoreInterleaved4(word_of(lanes, 0), word_of(lanes, 1), word_of(lanes, 2), word_of(lanes, 3), d, words + 4 * i);
  }
}

/// Which of the pairs from (r, j) on that are marked are kept, with all bits of their numbers.
HWY_NOINLINE hn::Mask<D32> decide(const RowKey& row, const PairBox& box, std::uint32_t r, std::uint32_t j, hn::Mask<D32> marked) {
  const D32 d;
  alignas(64) std::uint32_t flags[16];
  hn::StoreU(hn::IfThenElseZero(marked, hn::Set(d, 1)), d, flags);
  for (std::uint32_t i = 0; i < hn::Lanes(d); ++i) {
    if (flags[i] != 0) flags[i] = reference::is_kept(row, box, r, j + i) ? 1 : 0;
  }
  return hn::Ne(hn::LoadU(d, flags), hn::Zero(d));
}

/// The leading bits of pairs, one after the other. A batch of sixteen blocks has those of 128 pairs.
class LeadingBits {
 public:
  explicit LeadingBits(const RowKey& row) : row_(row), keys_(row.key) {}
  /// Of pairs k to k + 15; k does not fall.
  HWY_INLINE V32 of(std::uint32_t k) {
    const D32 d;
    while (HWY_UNLIKELY(k + 16 > end_)) draw();
    return hn::PromoteTo(d, hn::LoadU(hn::Rebind<std::uint16_t, D32>(), bits_ + (k + kRoom - end_)));
  }

 private:
  static constexpr std::uint32_t kBatch = 128, kRoom = 2 * kBatch;

  void draw() {
    const D32 d;
    alignas(64) std::uint32_t words[kBatch / 2];
    for (std::size_t lane = 0; lane < 16; lane += hn::Lanes(d)) {
      const PhiloxLanes lanes = row_words(row_, Purpose::pair, end_ / kBatch, lane, keys_);
      for (std::size_t w = 0; w < 4; ++w) hn::StoreU(word_of(lanes, w), d, words + 16 * w + lane);
    }
    std::memcpy(bits_, bits_ + kBatch, sizeof words);
    std::memcpy(bits_ + kBatch, words, sizeof words);
    end_ += kBatch;
  }

  const RowKey& row_;
  const PhiloxKeys keys_;
  std::uint32_t end_ = 0;  ///< bits_ has those of the pairs before this one
  alignas(64) std::uint16_t bits_[kRoom + 16];  // uninitialised: draw() writes before of() reads
};

// Leading bits decide nearly always. Chances in steps of 2^-16 are off by 2^-7 at most: two roundings of 2^-24. So a
// draw that is 1.05 below is below whatever bits follow, and one that is 0.05 above is not.
std::size_t keep(const RowKey& row, const PairBox& pairs, std::uint32_t* kept) {
  const D32 d;
  const DI di;
  const DF df;
  const PairBox box = pairs;  // what is kept cannot change it
  const auto width = static_cast<std::uint32_t>(hn::Lanes(d));
  const V32 targets = hn::Set(d, box.targets), self = hn::Set(d, box.self);
  LeadingBits bits(row);
  std::uint32_t* out = kept;
  for (std::uint32_t r = 0; r < box.n_rows; ++r) {
    const auto scale = hn::Set(df, static_cast<float>(0x1p16 * box.scale * static_cast<double>(box.row_chances[r])));
    const V32 first = hn::Set(d, box.width * box.rows[r] - box.first);
    for (std::uint32_t j = 0; j < box.n; j += width) {
      const auto draw = hn::ConvertTo(df, hn::BitCast(di, bits.of(box.n * r + j)));
      const auto chance = hn::Mul(hn::LoadU(df, box.chances + j), scale);
      const V32 target = hn::Add(hn::LoadU(d, box.columns + j), first);
      const auto inside = hn::AndNot(hn::Eq(target, self), hn::And(hn::FirstN(d, box.n - j), hn::Lt(target, targets)));
      auto chosen = hn::And(inside, hn::RebindMask(d, hn::Lt(draw, hn::Sub(chance, hn::Set(df, 1.05f)))));
      const auto open = hn::And(hn::AndNot(chosen, inside), hn::RebindMask(d, hn::Lt(draw, hn::Add(chance, hn::Set(df, 0.05f)))));
      if (HWY_UNLIKELY(!hn::AllFalse(d, open))) chosen = hn::Or(chosen, decide(row, pairs, r, j, open));
      out += hn::CompressStore(target, chosen, d, out);
    }
  }
  return static_cast<std::size_t>(out - kept);
}

/// The upper halves of the products with a number.
HWY_INLINE V32 upper_product(V32 a, std::uint32_t by) {
  const D32 d;
  const hn::Repartition<std::uint64_t, D32> d64;
  const auto even = hn::MulEven(a, hn::Set(d, by));
  const auto odd = hn::MulEven(hn::BitCast(d, hn::ShiftRight<32>(hn::BitCast(d64, a))), hn::Set(d, by));
  return hn::OddEven(hn::BitCast(d, odd), hn::BitCast(d, hn::ShiftRight<32>(even)));
}

HWY_INLINE V32 shifted(V32 value, V32 by, std::uint32_t key, std::uint32_t modulus) {
  const D32 d;
  V32 hash = hn::Add(hn::Mul(by, hn::Set(d, 0x9E3779B1u)), hn::Set(d, key));
  hash = hn::Xor(hash, hn::ShiftRight<15>(hash));
  const V32 sum = hn::Add(value, upper_product(hn::Mul(hash, hash), modulus));
  return hn::Min(sum, hn::Sub(sum, hn::Set(d, modulus)));
}

/// Rounds wait for one multiplication after the other: several vectors take turns.
template <int kVectors>
HWY_INLINE void rounds(const StubPermutation& p, V32* x, V32* y) {
  for (std::uint32_t r = 0; r < p.rounds; r += 2) {
    HWY_UNROLL(4)
    for (int v = 0; v < kVectors; ++v) x[v] = shifted(x[v], y[v], p.keys[r], p.columns);
    HWY_UNROLL(4)
    for (int v = 0; v < kVectors; ++v) y[v] = shifted(y[v], x[v], p.keys[r + 1], p.rows);
  }
}

// stub / per_target: a float estimate that is never above and at most one below (relative errors of the
// five roundings are below 2^-20, quotients below 2^14), put right by the remainder.
HWY_INLINE V32 target_of(const StubPermutation& p, V32 x, V32 y, V32 stub, float columns, float share) {
  const D32 d;
  const DI di;
  const DF df;
  const auto about = hn::Add(hn::ConvertTo(df, hn::BitCast(di, x)),
                             hn::Mul(hn::ConvertTo(df, hn::BitCast(di, y)), hn::Set(df, columns)));
  const V32 target = hn::BitCast(d, hn::ConvertTo(di, hn::Mul(about, hn::Set(df, share))));
  const V32 rest = hn::Sub(stub, hn::Mul(target, hn::Set(d, p.per_target)));
  return hn::IfThenElse(hn::Lt(rest, hn::Set(d, p.per_target)), target, hn::Add(target, hn::Set(d, 1)));
}

/// Targets of kVectors vectors of draws x + columns * y, of which n count.
template <int kVectors>
HWY_INLINE void permute_vectors(const StubPermutation& p, V32* x, V32* y, std::uint32_t n, std::uint32_t* targets) {
  const D32 d;
  const auto width = static_cast<std::uint32_t>(hn::Lanes(d));
  const V32 columns = hn::Set(d, p.columns), stubs = hn::Set(d, p.stubs);
  const float columns_f = static_cast<float>(p.columns);
  const float share = (1.0f / static_cast<float>(p.per_target)) * (1.0f - 0x1p-20f);
  rounds<kVectors>(p, x, y);
  for (int v = 0; v < kVectors; ++v) {
    const std::uint32_t before = static_cast<std::uint32_t>(v) * width;
    const auto valid = hn::FirstN(d, n > before ? n - before : 0);
    V32 stub = hn::Add(x[v], hn::Mul(y[v], columns));
    auto outside = hn::AndNot(hn::Lt(stub, stubs), valid);
    while (HWY_UNLIKELY(!hn::AllFalse(d, outside))) {
      V32 again_x = x[v], again_y = y[v];
      rounds<1>(p, &again_x, &again_y);
      x[v] = hn::IfThenElse(outside, again_x, x[v]);
      y[v] = hn::IfThenElse(outside, again_y, y[v]);
      stub = hn::Add(x[v], hn::Mul(y[v], columns));
      outside = hn::AndNot(hn::Lt(stub, stubs), valid);
    }
    hn::StoreU(target_of(p, x[v], y[v], stub, columns_f, share), d, targets + before);
  }
}

/// The same of the draws from x0 + columns * y0 on, which move on.
template <int kVectors>
HWY_INLINE void permute_next(const StubPermutation& p, std::uint32_t& x0, std::uint32_t& y0, std::uint32_t n,
                             std::uint32_t* targets) {
  const D32 d;
  const V32 columns = hn::Set(d, p.columns);
  V32 x[kVectors], y[kVectors];
  for (int v = 0; v < kVectors; ++v) {
    x[v] = hn::Add(hn::Iota(d, 0), hn::Set(d, x0));
    const auto same_row = hn::Lt(x[v], columns);
    x[v] = hn::Min(x[v], hn::Sub(x[v], columns));
    y[v] = hn::Add(hn::Set(d, y0), hn::IfThenZeroElse(same_row, hn::Set(d, 1)));
    x0 += static_cast<std::uint32_t>(hn::Lanes(d));
    if (x0 >= p.columns) x0 -= p.columns, ++y0;
  }
  permute_vectors<kVectors>(p, x, y, n, targets);
}

// The same of draws in memory. Their rows are estimated as target_of() estimates: the lost bit of a draw and the
// roundings of a quotient below 2^16 make less than one row.
template <int kVectors>
HWY_INLINE void permute_loaded(const StubPermutation& p, const std::uint32_t* draws, std::uint32_t n, std::uint32_t* targets) {
  const D32 d;
  const DI di;
  const DF df;
  const V32 columns = hn::Set(d, p.columns);
  const auto share = hn::Set(df, (2.0f / static_cast<float>(p.columns)) * (1.0f - 0x1p-20f));
  V32 x[kVectors], y[kVectors];
  for (int v = 0; v < kVectors; ++v) {
    const V32 draw = hn::LoadU(d, draws + static_cast<std::size_t>(v) * hn::Lanes(d));
    const auto about = hn::ConvertTo(df, hn::BitCast(di, hn::ShiftRight<1>(draw)));
    const V32 row = hn::BitCast(d, hn::ConvertTo(di, hn::Mul(about, share)));
    const V32 rest = hn::Sub(draw, hn::Mul(row, columns));
    const auto same_row = hn::Lt(rest, columns);
    x[v] = hn::Min(rest, hn::Sub(rest, columns));
    y[v] = hn::Add(row, hn::IfThenZeroElse(same_row, hn::Set(d, 1)));
  }
  permute_vectors<kVectors>(p, x, y, n, targets);
}

void permute_list(const StubPermutation& p, const std::uint32_t* draws, std::uint32_t n, std::uint32_t* targets) {
  if (p.shuffled != nullptr) {
    for (std::uint32_t i = 0; i < n; ++i) targets[i] = p.shuffled[draws[i]];
    return;
  }
  const auto width = static_cast<std::uint32_t>(hn::Lanes(D32()));
  std::uint32_t i = 0;
  for (; i + 2 * width < n; i += 4 * width) permute_loaded<4>(p, draws + i, n - i, targets + i);
  for (; i < n; i += width) permute_loaded<1>(p, draws + i, n - i, targets + i);
}

void permute(const StubPermutation& p, std::uint32_t first, std::uint32_t n, std::uint32_t* targets) {
  if (p.shuffled != nullptr) {
    for (std::uint32_t i = 0; i < n; ++i) targets[i] = p.shuffled[first + i];
    return;
  }
  const auto width = static_cast<std::uint32_t>(hn::Lanes(D32()));
  std::uint32_t x = first % p.columns, y = first / p.columns;
  std::uint32_t i = 0;
  for (; i + 2 * width < n; i += 4 * width) permute_next<4>(p, x, y, n - i, targets + i);
  for (; i < n; i += width) permute_next<1>(p, x, y, n - i, targets + i);
}

/// How many thresholds are at or below each draw: few are counted, many are searched by halves.
HWY_INLINE V32 group_of_draw(const RowValues& v, V32 draw) {
  const D32 d;
  const DI di;
  const auto draw_i = hn::BitCast(di, draw);
  auto group = hn::Zero(di);
  if (v.groups <= 32) {
    for (std::uint32_t g = 0; g + 1 < v.groups; ++g) {
      const auto below = hn::Lt(draw_i, hn::Set(di, v.thresholds[g]));
      group = hn::Add(group, hn::IfThenZeroElse(below, hn::Set(di, 1)));
    }
    return hn::BitCast(d, group);
  }
  for (auto half = static_cast<std::int32_t>(padded_groups(v.groups) / 2); half > 0; half /= 2) {
    const auto candidate = hn::Add(group, hn::Set(di, half));
    const auto threshold = hn::GatherIndex(di, v.thresholds, hn::Sub(candidate, hn::Set(di, 1)));
    group = hn::IfThenElse(hn::Gt(threshold, draw_i), group, candidate);
  }
  return hn::BitCast(d, group);
}

HWY_INLINE V32 step_place(const RowValues& v, V32 group, V32 draw) {
  const D32 d;
  const DI di;
  if (v.codes == nullptr) return hn::Set(d, v.step_place);
  const auto ten = hn::BitCast(di, hn::ShiftRight<22>(hn::ShiftLeft<10>(draw)));
  const auto code = v.groups == 1 ? hn::Set(di, v.codes[0]) : hn::GatherIndex(di, v.codes, hn::BitCast(di, group));
  if (v.steps != nullptr) return hn::BitCast(d, hn::GatherIndex(di, v.steps, hn::Add(code, ten)));
  const auto mask = hn::Set(di, 1023), one = hn::Set(di, 1 << RingShape{}.slot_bits());
  const auto reachable = hn::Min(ten, hn::Set(di, 1022));
  auto place = hn::IfThenZeroElse(hn::Lt(reachable, hn::And(code, mask)), one);
  place = hn::Add(place, hn::IfThenZeroElse(hn::Lt(reachable, hn::And(hn::ShiftRight<10>(code), mask)), one));
  place = hn::Add(place, hn::IfThenZeroElse(hn::Lt(reachable, hn::And(hn::ShiftRight<20>(code), mask)), one));
  return hn::BitCast(d, place);
}

/// Words and groups of sixteen-item lanes from `lane` on: item k + 16 w for every word w that exists.
HWY_INLINE void pack_lanes(const RowValues& v, const PhiloxLanes* values, const PhiloxLanes* splits,
                           const std::uint32_t* targets, std::size_t left, std::uint32_t* words,
                           std::uint16_t* group_of) {
  const D32 d;
  const DI di;
  const hn::Rebind<std::uint16_t, D32> d16;
  for (std::size_t w = 0; w < 4 && 16 * w < left; ++w) {
    const V32 draw = values != nullptr ? word_of(values[0], w) : hn::Zero(d);
    const V32 group = splits != nullptr ? group_of_draw(v, hn::ShiftRight<16>(word_of(splits[0], w))) : hn::Zero(d);
    const auto weight = v.weights != nullptr ? hn::GatherIndex(di, v.weights, hn::BitCast(di, hn::ShiftRight<22>(draw)))
                                             : hn::Set(di, v.weight);
    const auto negative = hn::Lt(weight, hn::Zero(di));
    const auto slot = hn::IfThenElse(negative, hn::Set(di, static_cast<std::int32_t>(v.negative_slot)),
                                     hn::Set(di, static_cast<std::int32_t>(v.positive_slot)));
    const V32 place = hn::Add(hn::LoadU(d, targets + 16 * w), hn::BitCast(d, slot));
    const V32 bits = v.entries && v.weights != nullptr ? hn::ShiftRight<22>(draw) : hn::BitCast(d, weight);
    const V32 word = hn::Or3(place, step_place(v, group, draw), hn::ShiftLeft<kWeightShift>(bits));
    hn::StoreU(word, d, words + 16 * w);
    hn::StoreU(hn::DemoteTo(d16, hn::BitCast(di, group)), d16, group_of + 16 * w);
  }
}

void pack(const RowValues& v, const RowKey& row, const std::uint32_t* targets, std::size_t n,
          std::uint32_t* words, std::uint16_t* group_of) {
  const D32 d;
  const PhiloxKeys keys(row.key);
  const bool draws = v.weights != nullptr || v.codes != nullptr;
  for (std::size_t k = 0; k < n; k += kRowBlock) {
    const auto block = static_cast<std::uint32_t>(k / kRowBlock);
    for (std::size_t lane = 0; lane < 16; lane += hn::Lanes(d)) {
      PhiloxLanes values, splits;
      if (draws) values = row_words(row, Purpose::synapse, block, lane, keys);
      if (v.groups > 1) splits = row_words(row, Purpose::delay_split, block, lane, keys);
      pack_lanes(v, draws ? &values : nullptr, v.groups > 1 ? &splits : nullptr, targets + k + lane, n - k,
                 words + k + lane, group_of + k + lane);
    }
  }
}

#endif  // HWY_TARGET == HWY_SCALAR

}  // namespace HWY_NAMESPACE
}  // namespace tessera
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tessera {
HWY_EXPORT(places);
HWY_EXPORT(blocks_of);
HWY_EXPORT(permute);
HWY_EXPORT(permute_list);
HWY_EXPORT(pack);
HWY_EXPORT(keep);

std::size_t padded_groups(std::size_t groups) { return std::bit_ceil(groups); }

void draw_places(const RowKey& row, std::uint32_t first_block, std::uint32_t blocks, std::uint32_t open,
                 std::uint32_t self, std::uint32_t* out) {
  if (scalar_kernels_forced()) return reference::draw_places(row, first_block, blocks, open, self, out);
  HWY_DYNAMIC_DISPATCH(places)(row, first_block, blocks, open, self, out);
}
void stub_targets(const StubPermutation& p, std::uint32_t first, std::uint32_t n, std::uint32_t* targets) {
  if (scalar_kernels_forced()) return reference::stub_targets(p, first, n, targets);
  HWY_DYNAMIC_DISPATCH(permute)(p, first, n, targets);
}
void stub_targets_of(const StubPermutation& p, const std::uint32_t* draws, std::uint32_t n, std::uint32_t* targets) {
  if (scalar_kernels_forced()) return reference::stub_targets_of(p, draws, n, targets);
  HWY_DYNAMIC_DISPATCH(permute_list)(p, draws, n, targets);
}
void draw_blocks(const RowKey& row, Purpose purpose, std::uint32_t round, const std::uint32_t* index, std::size_t n,
                 std::uint32_t* words) {
  if (scalar_kernels_forced()) return reference::draw_blocks(row, purpose, round, index, n, words);
  HWY_DYNAMIC_DISPATCH(blocks_of)(row, purpose, round, index, n, words);
}
std::size_t keep_pairs(const RowKey& row, const PairBox& box, std::uint32_t* kept) {
  if (scalar_kernels_forced()) return reference::keep_pairs(row, box, kept);
  return HWY_DYNAMIC_DISPATCH(keep)(row, box, kept);
}
void pack_row(const RowValues& values, const RowKey& row, const std::uint32_t* targets, std::size_t n,
              std::uint32_t* words, std::uint16_t* group_of) {
  if (scalar_kernels_forced()) return reference::pack_row(values, row, targets, n, words, group_of);
  HWY_DYNAMIC_DISPATCH(pack)(values, row, targets, n, words, group_of);
}

}  // namespace tessera
#endif  // HWY_ONCE
