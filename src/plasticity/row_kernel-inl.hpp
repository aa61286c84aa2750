// A plastic row in vectors of float32. Included once per SIMD target through hwy/foreach_target.h; see stdp.cpp
// for how a rule uses it.
//
// A rule provides, inside HWY_NAMESPACE, with the letters of reference_row.hpp,
//   static constexpr Pairing pairing;
//   static constexpr bool in_order;   false: sums of x may be taken before potentiate() sees them
//   template <class D, class V> static V contribution(D d, const float* k, V x, V slow);   of one spike to x
//   template <class D, class V> static V potentiate(D d, const float* k, V w, V x);
//   template <class D, class V> static V depress(D d, const float* k, V w, V y, V slow);
//   static constexpr bool slow_target;   the slow trace of the target is looked up
//   static constexpr int constants;
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#if defined(TESSERA_PLASTIC_ROW_KERNEL_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef TESSERA_PLASTIC_ROW_KERNEL_INL_HPP
#undef TESSERA_PLASTIC_ROW_KERNEL_INL_HPP
#else
#define TESSERA_PLASTIC_ROW_KERNEL_INL_HPP
#endif

#include <algorithm>

#include "hwy/highway.h"
#include "plasticity/plastic_row.hpp"
#include "base/prefetch.hpp"
#include "plasticity/reference_row.hpp"
#include "tessera/simd_control.hpp"

HWY_BEFORE_NAMESPACE();
namespace tessera {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// The synapses of one vector.
template <class Rule, class D>
class VectorOfSynapses {
  using V = hn::Vec<D>;
  using DI = hn::RebindToSigned<D>;
  using VI = hn::Vec<DI>;
  using MI = hn::Mask<DI>;

 public:
  HWY_INLINE VectorOfSynapses(D d, const PlasticRow<float>& row, const float* k, std::uint32_t i) : d_(d), row_(row), k_(k) {
    const VI words = hn::LoadU(di_, reinterpret_cast<const std::int32_t*>(row.words + i));
    target_ = hn::And(words, hn::Set(di_, static_cast<std::int32_t>(PlasticRow<float>::kTargetMask)));
    delay_ = hn::ShiftRight<PlasticRow<float>::kTargetBits>(words);  // delays are below 2^15
    weight_ = hn::LoadU(d, row.weights + i);
    state_ = row.states != nullptr ? hn::LoadU(d, row.states + i) : hn::Zero(d);
    ring_ = hn::ShiftLeftSame(target_, row.post.capacity_bits);
  }

  HWY_INLINE void bring_up_to_date() {
    if constexpr (Rule::in_order || Rule::pairing != Pairing::every) {
      bring_up_in_order();
    } else {
      bring_up_in_sums();
    }
  }

  HWY_INLINE void at_source_spike() {
    const V y = hn::Mul(last_trace_, decay(row_.minus, hn::Sub(now(), last_arrival_)));
    const V depressed = Rule::depress(d_, k_, weight_, y, hn::Set(d_, row_.slow_now));
    if constexpr (Rule::pairing == Pairing::once_per_interval) {
      weight_ = hn::IfThenElse(hn::Eq(state_, hn::Zero(d_)), depressed, weight_);
      state_ = hn::Set(d_, 1.0f);
    } else {
      weight_ = depressed;
    }
    if constexpr (Rule::pairing == Pairing::until_target) {
      const V faded = decay(row_.plus, hn::Set(di_, row_.now - std::max(row_.before, row_.now - row_.plus.last)));
      state_ = hn::Add(hn::Mul(state_, faded), hn::Set(d_, 1.0f));
    }
  }

  [[nodiscard]] V weight() const { return weight_; }
  [[nodiscard]] V state() const { return state_; }
  [[nodiscard]] VI target() const { return target_; }
  [[nodiscard]] VI delay() const { return delay_; }

 private:
  HWY_INLINE VI now() const { return hn::Set(di_, row_.now); }
  HWY_INLINE VI seen() const { return hn::Set(di_, row_.seen); }
  /// exp(-steps / tau) of lanes, for any number of steps that is not negative.
  HWY_INLINE V decay(const TraceTable<float>& table, VI steps) const {
    return hn::GatherIndex(d_, table.values, hn::Min(steps, hn::Set(di_, table.last)));
  }
  /// Places in the rings of the k-th older spikes, from 1 on.
  HWY_INLINE VI place(VI head, int k) const {
    const VI mask = hn::Set(di_, (1 << row_.post.capacity_bits) - 1);
    return hn::Add(ring_, hn::And(hn::Sub(head, hn::Set(di_, k - 1)), mask));
  }
  HWY_INLINE void keep_last(MI mask, VI arrival, V trace) {
    last_arrival_ = hn::IfThenElse(mask, arrival, last_arrival_);
    last_trace_ = hn::IfThenElse(hn::RebindMask(d_, mask), trace, last_trace_);
  }
  /// x of the source when spikes arrive; 0 where they are not in the window.
  HWY_INLINE V trace_of_source(MI in, VI arrival) const {
    const VI before = hn::Set(di_, row_.before);
    const V x = hn::Mul(hn::Set(d_, row_.fast), decay(row_.plus, hn::Sub(hn::Max(arrival, before), before)));
    return hn::IfThenElseZero(hn::RebindMask(d_, in), x);
  }
  HWY_INLINE V slow_of(int k, VI place) const {
    if (!Rule::slow_target) return hn::Zero(d_);
    return k == 0 ? hn::GatherIndex(d_, row_.post.newest_slow, target_) : hn::GatherIndex(d_, row_.post.older_slow, place);
  }

  /// Newest spikes first, until all lanes have seen theirs and know the last one that arrived before now.
  HWY_INLINE void bring_up_in_sums() {
    VI arrival = hn::Add(hn::GatherIndex(di_, row_.post.newest, target_), delay_);
    MI unseen = hn::Gt(arrival, seen());
    V sum = contribution(hn::AndNot(hn::Gt(arrival, now()), unseen), arrival, 0, target_);
    MI arrived = hn::Lt(arrival, now());
    last_arrival_ = arrival;
    last_trace_ = hn::GatherIndex(d_, row_.post.newest_fast, target_);
    MI open = hn::Or(unseen, hn::Not(arrived));
    if (!hn::AllFalse(di_, open)) {
      const VI head = hn::GatherIndex(di_, row_.post.head, target_);
      for (int k = 1; k <= (1 << row_.post.capacity_bits) && !hn::AllFalse(di_, open); ++k) {
        const VI at = place(head, k);
        arrival = hn::Add(hn::GatherIndex(di_, row_.post.older, at), delay_);
        unseen = hn::And(open, hn::Gt(arrival, seen()));
        const MI in = hn::AndNot(hn::Gt(arrival, now()), unseen);
        if (!hn::AllFalse(di_, in)) sum = hn::Add(sum, contribution(in, arrival, k, at));
        const MI first = hn::AndNot(arrived, hn::Lt(arrival, now()));
        if (!hn::AllFalse(di_, first)) keep_last(first, arrival, hn::GatherIndex(d_, row_.post.older_fast, at));
        arrived = hn::Or(arrived, first);
        open = hn::And(open, hn::Or(unseen, hn::Not(arrived)));
      }
    }
    weight_ = Rule::potentiate(d_, k_, weight_, sum);
  }
  HWY_INLINE V contribution(MI in, VI arrival, int k, VI at) const {
    return Rule::contribution(d_, k_, trace_of_source(in, arrival), slow_of(k, at));
  }

  /// Spikes one after the other, the oldest first.
  HWY_INLINE void bring_up_in_order() {
    const VI head = hn::GatherIndex(di_, row_.post.head, target_);
    const auto time = [&](int k) HWY_ATTR {
      return hn::Add(k == 0 ? hn::GatherIndex(di_, row_.post.newest, target_) : hn::GatherIndex(di_, row_.post.older, place(head, k)), delay_);
    };
    last_arrival_ = time(0);
    last_trace_ = hn::GatherIndex(d_, row_.post.newest_fast, target_);
    MI arrived = hn::Lt(last_arrival_, now());
    MI unseen = hn::Gt(last_arrival_, seen());
    int oldest = 0;
    while (oldest < (1 << row_.post.capacity_bits) && !hn::AllFalse(di_, hn::Or(unseen, hn::Not(arrived)))) {
      const VI arrival = time(++oldest);
      unseen = hn::And(unseen, hn::Gt(arrival, seen()));
      const MI first = hn::AndNot(arrived, hn::Lt(arrival, now()));
      if (!hn::AllFalse(di_, first)) keep_last(first, arrival, hn::GatherIndex(d_, row_.post.older_fast, place(head, oldest)));
      arrived = hn::Or(arrived, first);
    }
    for (int k = oldest; k >= 0; --k) {
      const VI arrival = time(k);
      const MI in = hn::AndNot(hn::Gt(arrival, now()), hn::Gt(arrival, seen()));
      if (!hn::AllFalse(di_, in)) at_target_spikes(in, arrival, k, k == 0 ? target_ : place(head, k));
    }
  }
  HWY_INLINE void at_target_spikes(MI in, VI arrival, int k, VI at) {
    V x = trace_of_source(in, arrival);
    if constexpr (Rule::pairing == Pairing::until_target) {
      const VI before = hn::Set(di_, row_.before);
      x = hn::IfThenElseZero(hn::RebindMask(d_, in), hn::Mul(state_, decay(row_.plus, hn::Sub(hn::Max(arrival, before), before))));
    }
    if constexpr (Rule::pairing == Pairing::once_per_interval) x = hn::Mul(x, state_);
    if constexpr (Rule::pairing != Pairing::every) state_ = hn::IfThenZeroElse(hn::RebindMask(d_, in), state_);
    const V potentiated = Rule::potentiate(d_, k_, weight_, Rule::contribution(d_, k_, x, slow_of(k, at)));
    weight_ = hn::IfThenElse(hn::Gt(x, hn::Zero(d_)), potentiated, weight_);
  }

  D d_;
  DI di_;
  const PlasticRow<float>& row_;
  const float* k_;
  VI target_, delay_, ring_, last_arrival_;
  V weight_, state_, last_trace_;
};

/// Adds what the synapses of a vector transmit. Targets may repeat, so it goes one by one.
template <class D, class VI = hn::Vec<hn::RebindToSigned<D>>>
HWY_INLINE void transmit(D d, const PlasticRow<float>& row, hn::Vec<D> weight, VI target, VI delay, std::size_t n) {
  const hn::RebindToSigned<D> di;
  HWY_ALIGN std::int32_t places[HWY_MAX_BYTES / 4];
  HWY_ALIGN std::int32_t units[HWY_MAX_BYTES / 4];
  const VI late = hn::ShiftLeftSame(hn::Sub(delay, hn::Set(di, static_cast<std::int32_t>(row.first_delay))), static_cast<int>(row.slot_bits));
  const VI from = hn::Set(di, static_cast<std::int32_t>(row.first_slot + row.row_of_now));
  hn::Store(hn::And(hn::Add(hn::Add(target, from), late), hn::Set(di, static_cast<std::int32_t>(row.ring_mask))), di, places);
  const hn::Vec<D> most = hn::Set(d, 0x1p30f);
  hn::Store(hn::NearestInt(hn::Clamp(hn::Mul(weight, hn::Set(d, row.scale * row.efficacy)), hn::Neg(most), most)), di, units);
  for (std::size_t i = 0; i < n; ++i) row.ring[places[i]] += units[i];
}

template <class Rule, class D>
HWY_INLINE void run_row(D d, PlasticRow<float>& row) {
  const std::size_t lanes = hn::Lanes(d);
  float k[Rule::constants];
  for (int i = 0; i < Rule::constants; ++i) k[i] = static_cast<float>(row.constants[i]);
  hn::Vec<D> not_finite = hn::Zero(d);  // 0 * w stays 0 for every finite w
  for (std::uint32_t i = 0; i < row.count; i += static_cast<std::uint32_t>(lanes)) {
    const std::size_t n = std::min<std::size_t>(lanes, row.count - i);
    VectorOfSynapses<Rule, D> synapses(d, row, k, i);
    synapses.bring_up_to_date();
    if (row.spike) synapses.at_source_spike();
    const auto valid = hn::FirstN(d, n);
    hn::BlendedStore(synapses.weight(), valid, d, row.weights + i);
    if constexpr (Rule::pairing != Pairing::every) hn::BlendedStore(synapses.state(), valid, d, row.states + i);
    not_finite = hn::Add(not_finite, hn::Mul(hn::Zero(d), hn::IfThenElseZero(valid, synapses.weight())));
    if (row.ring != nullptr) transmit(d, row, synapses.weight(), synapses.target(), synapses.delay(), n);
  }
  if (!hn::AllTrue(d, hn::Eq(not_finite, hn::Zero(d)))) row.finite = false;
}

/// The widest vectors of this target, or one lane when the scalar target is asked for.
template <class Rule>
HWY_INLINE void run_fast(PlasticRow<float>& row) {
#if HWY_TARGET == HWY_STATIC_TARGET
  if (scalar_kernels_forced()) return run_row<Rule>(hn::CappedTag<float, 1>(), row);
#endif
  run_row<Rule>(hn::ScalableTag<float>(), row);
}

/// The sum over the targets' spikes since the last visit; what a synapse keeps of it is renewed.
template <class D>
HWY_INLINE hn::Vec<D> take_sum(D d, const SummedRow& row, hn::Vec<hn::RebindToSigned<D>> line, std::uint32_t i, hn::Mask<D> valid) {
  using V = hn::Vec<D>;
  const V of_now = hn::GatherIndex(d, row.lines + row.place_of_now, line);
  V sum = hn::Sub(hn::Mul(hn::Set(d, row.factor_of_now), of_now), hn::Mul(hn::Set(d, row.factor_of_sum), hn::LoadU(d, row.sums + i)));
  for (int e = 0; e < row.epochs; ++e) {
    sum = hn::Add(sum, hn::Mul(hn::Set(d, row.factor[e]), hn::GatherIndex(d, row.lines + row.place[e], line)));
  }
  hn::BlendedStore(of_now, valid, d, row.sums + i);
  return hn::Max(sum, hn::Zero(d));
}

template <class Rule, class D>
HWY_INLINE void run_summed_row(D d, SummedRow& row) {
  const hn::RebindToSigned<D> di;
  const hn::Rebind<std::uint16_t, D> d16;
  const std::size_t lanes = hn::Lanes(d);
  float k[Rule::constants];
  for (int i = 0; i < Rule::constants; ++i) k[i] = static_cast<float>(row.constants[i]);
  hn::Vec<D> not_finite = hn::Zero(d);
  HWY_ALIGN std::int32_t places[HWY_MAX_BYTES / 4];
  HWY_ALIGN std::int32_t units[HWY_MAX_BYTES / 4];
  const hn::Vec<D> most = hn::Set(d, 0x1p30f);
  for (std::uint32_t i = 0; i < row.count; i += static_cast<std::uint32_t>(lanes)) {
    const std::size_t n = std::min<std::size_t>(lanes, row.count - i);
    const auto valid = hn::FirstN(d, n);
    constexpr std::size_t kAhead = 256;
    if (i + kAhead < row.count) {
      prefetch(row.weights + i + kAhead);
      prefetch(row.sums + i + kAhead);
      if (i % 32 == 0) prefetch(row.targets + i + kAhead);
    }
    const auto target = hn::PromoteTo(di, hn::LoadU(d16, row.targets + i));
    const auto line = hn::ShiftLeft<SummedRow::kLineBits>(target);
    hn::Vec<D> weight = Rule::potentiate(d, k, hn::LoadU(d, row.weights + i), take_sum(d, row, line, i, valid));
    if (row.spike) {
      const hn::Vec<D> y = hn::Mul(hn::Set(d, row.trace_factor), hn::GatherIndex(d, row.lines, line));
      weight = Rule::depress(d, k, weight, y, hn::Set(d, row.slow_now));
    }
    hn::BlendedStore(weight, valid, d, row.weights + i);
    not_finite = hn::Add(not_finite, hn::Mul(hn::Zero(d), hn::IfThenElseZero(valid, weight)));
    if (row.ring == nullptr) continue;
    hn::Store(hn::And(hn::Add(target, hn::Set(di, static_cast<std::int32_t>(row.first_place))),
                      hn::Set(di, static_cast<std::int32_t>(row.ring_mask))), di, places);
    hn::Store(hn::NearestInt(hn::Clamp(hn::Mul(weight, hn::Set(d, row.scale)), hn::Neg(most), most)), di, units);
    if (n == lanes) {
      for (std::size_t l = 0; l < lanes; ++l) row.ring[places[l]] += units[l];
    } else {
      for (std::size_t l = 0; l < n; ++l) row.ring[places[l]] += units[l];
    }
  }
  if (!hn::AllTrue(d, hn::Eq(not_finite, hn::Zero(d)))) row.finite = false;
}

template <class Rule>
HWY_INLINE void run_summed(SummedRow& row) {
#if HWY_TARGET == HWY_STATIC_TARGET
  if (scalar_kernels_forced()) return run_summed_row<Rule>(hn::CappedTag<float, 1>(), row);
#endif
  run_summed_row<Rule>(hn::ScalableTag<float>(), row);
}

}  // namespace HWY_NAMESPACE
}  // namespace tessera
HWY_AFTER_NAMESPACE();
#endif
