// STDP that a third factor turns into changes of weights (Izhikevich 2007; Potjans, Morrison and Diesmann 2010):
//   c' = -c / tau_c, + A_plus x at a postsynaptic spike, - A_minus y at a presynaptic spike
//   n' = -n / tau_n, + 1 / tau_n at a spike of the modulator
//   w' = c (n - b)
// Between two events (a spike of either side or of the modulator) at distance h, from c and n at its beginning,
//   w <- w + c (n tau (1 - exp(-h / tau)) - b tau_c (1 - exp(-h / tau_c))),  1 / tau = 1 / tau_c + 1 / tau_n
// and then w is held within [Wmin, Wmax]. The state of a synapse is c.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "plasticity/stdp_dopamine.cpp"
#include "hwy/foreach_target.h"
#include "hwy/contrib/math/math-inl.h"
#include "plasticity/row_kernel-inl.hpp"

#ifndef TESSERA_STDP_DOPAMINE_CONSTANTS
#define TESSERA_STDP_DOPAMINE_CONSTANTS
namespace tessera::stdp_dopamine {
/// Rates are per step; the first two factors of w are in steps of c: `gain` n, `loss`.
enum Constant { rate_c, rate_n, gain, loss, plus, minus, lowest, highest, kConstants };
}  // namespace tessera::stdp_dopamine
#endif

HWY_BEFORE_NAMESPACE();
namespace tessera::stdp_dopamine {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using tessera::HWY_NAMESPACE::transmit;

/// The synapses of one vector. Their postsynaptic spikes arrive at times of their own, the modulator's spikes at one time.
template <class D>
class Synapses {
  using V = hn::Vec<D>;
  using DI = hn::RebindToSigned<D>;
  using VI = hn::Vec<DI>;
  using MI = hn::Mask<DI>;

 public:
  HWY_INLINE Synapses(D d, const PlasticRow<float>& row, const float* k, std::uint32_t i) : d_(d), row_(row), k_(k) {
    const VI words = hn::LoadU(di_, reinterpret_cast<const std::int32_t*>(row.words + i));
    target_ = hn::And(words, hn::Set(di_, static_cast<std::int32_t>(PlasticRow<float>::kTargetMask)));
    delay_ = hn::ShiftRight<PlasticRow<float>::kTargetBits>(words);
    ring_ = hn::ShiftLeftSame(target_, row.post.capacity_bits);
    head_ = hn::GatherIndex(di_, row.post.head, target_);
    weight_ = hn::LoadU(d, row.weights + i);
    c_ = hn::LoadU(d, row.states + i);
    n_ = hn::Set(d, static_cast<float>(row.modulator_level));
    time_ = hn::Set(di_, row.seen);
  }

  HWY_INLINE void bring_up_to_date() {
    find_spikes();
    for (std::uint32_t e = 0; e < row_.modulator_events; ++e) {
      advance_past_spikes(row_.modulator[e].time);
      n_ = hn::Set(d_, static_cast<float>(row_.modulator[e].level));
    }
    advance_past_spikes(row_.now);
  }
  HWY_INLINE void at_source_spike() {
    const V y = hn::Mul(last_trace_, decay(row_.minus, hn::Sub(hn::Set(di_, row_.now), last_arrival_)));
    c_ = hn::Sub(c_, hn::Mul(hn::Set(d_, k_[minus]), y));
  }

  [[nodiscard]] V weight() const { return weight_; }
  [[nodiscard]] V state() const { return c_; }
  [[nodiscard]] VI target() const { return target_; }
  [[nodiscard]] VI delay() const { return delay_; }

 private:
  HWY_INLINE V decay(const TraceTable<float>& table, VI steps) const {
    return hn::GatherIndex(d_, table.values, hn::Min(steps, hn::Set(di_, table.last)));
  }
  HWY_INLINE VI place(int k) const {
    const VI mask = hn::Set(di_, (1 << row_.post.capacity_bits) - 1);
    return hn::Add(ring_, hn::And(hn::Sub(head_, hn::Set(di_, k - 1)), mask));
  }
  HWY_INLINE VI arrival(int k) const {
    const VI time = k == 0 ? hn::GatherIndex(di_, row_.post.newest, target_) : hn::GatherIndex(di_, row_.post.older, place(k));
    return hn::Add(time, delay_);
  }
  HWY_INLINE V trace(int k) const {
    return k == 0 ? hn::GatherIndex(d_, row_.post.newest_fast, target_) : hn::GatherIndex(d_, row_.post.older_fast, place(k));
  }

  /// The oldest postsynaptic spike that some lane has not seen, and the last one of each before now.
  HWY_INLINE void find_spikes() {
    const VI now = hn::Set(di_, row_.now), seen = hn::Set(di_, row_.seen);
    VI time = arrival(0);
    last_arrival_ = time;
    last_trace_ = trace(0);
    MI arrived = hn::Lt(time, now), unseen = hn::Gt(time, seen);
    next_ = hn::AllFalse(di_, unseen) ? -1 : 0;
    for (int k = 1; k <= (1 << row_.post.capacity_bits) && !hn::AllFalse(di_, hn::Or(unseen, hn::Not(arrived))); ++k) {
      time = arrival(k);
      unseen = hn::And(unseen, hn::Gt(time, seen));
      if (!hn::AllFalse(di_, unseen)) next_ = k;
      const MI first = hn::AndNot(arrived, hn::Lt(time, now));
      last_arrival_ = hn::IfThenElse(first, time, last_arrival_);
      last_trace_ = hn::IfThenElse(hn::RebindMask(d_, first), trace(k), last_trace_);
      arrived = hn::Or(arrived, first);
    }
  }

  /// Takes in the postsynaptic spikes that arrive up to `end`, and goes there.
  HWY_INLINE void advance_past_spikes(std::int32_t end) {
    const VI until = hn::Set(di_, end);
    for (int k = next_; k >= 0; --k) {
      const VI time = arrival(k);
      const MI in = hn::AndNot(hn::Gt(time, until), hn::Gt(time, time_));
      if (!hn::AllFalse(di_, in)) at_target_spike(in, time);
      const MI later = hn::Gt(time, until);
      if (hn::AllTrue(di_, later)) break;   // and so are all newer ones
      if (hn::AllFalse(di_, later)) next_ = k - 1;
    }
    integrate(hn::Gt(until, time_), until);
  }
  HWY_INLINE void at_target_spike(MI in, VI time) {
    integrate(in, time);
    const VI before = hn::Set(di_, row_.before);
    const V x = hn::Mul(hn::Set(d_, row_.fast), decay(row_.plus, hn::Sub(hn::Max(time, before), before)));
    c_ = hn::Add(c_, hn::IfThenElseZero(hn::RebindMask(d_, in), hn::Mul(hn::Set(d_, k_[plus]), x)));
  }
  /// Brings lanes to a time.
  HWY_INLINE void integrate(MI lanes, VI to) {
    const V steps = hn::IfThenElseZero(hn::RebindMask(d_, lanes), hn::ConvertTo(d_, hn::Sub(to, time_)));
    const V one = hn::Set(d_, 1.0f);
    const V gone_c = hn::Neg(hn::Expm1(d_, hn::Mul(steps, hn::Set(d_, k_[rate_c]))));
    const V gone_n = hn::Neg(hn::Expm1(d_, hn::Mul(steps, hn::Set(d_, k_[rate_n]))));
    const V gone_both = hn::Sub(hn::Add(gone_c, gone_n), hn::Mul(gone_c, gone_n));
    const V drift = hn::Sub(hn::Mul(hn::Mul(hn::Set(d_, k_[gain]), n_), gone_both), hn::Mul(hn::Set(d_, k_[loss]), gone_c));
    const V changed = hn::Clamp(hn::Add(weight_, hn::Mul(c_, drift)), hn::Set(d_, k_[lowest]), hn::Set(d_, k_[highest]));
    weight_ = hn::IfThenElse(hn::RebindMask(d_, lanes), changed, weight_);
    c_ = hn::Mul(c_, hn::Sub(one, gone_c));
    n_ = hn::Mul(n_, hn::Sub(one, gone_n));
    time_ = hn::IfThenElse(lanes, to, time_);
  }

  D d_;
  DI di_;
  const PlasticRow<float>& row_;
  const float* k_;
  VI target_, delay_, ring_, head_, time_, last_arrival_;
  V weight_, c_, n_, last_trace_;
  int next_ = -1;  ///< spikes older than this one were seen by all lanes
};

template <class D>
HWY_INLINE void run_row(D d, PlasticRow<float>& row) {
  const std::size_t lanes = hn::Lanes(d);
  float k[kConstants];
  for (int i = 0; i < kConstants; ++i) k[i] = static_cast<float>(row.constants[i]);
  hn::Vec<D> not_finite = hn::Zero(d);  // 0 * w stays 0 for every finite w
  for (std::uint32_t i = 0; i < row.count; i += static_cast<std::uint32_t>(lanes)) {
    const std::size_t n = std::min<std::size_t>(lanes, row.count - i);
    Synapses<D> synapses(d, row, k, i);
    synapses.bring_up_to_date();
    if (row.spike) synapses.at_source_spike();
    const auto valid = hn::FirstN(d, n);
    hn::BlendedStore(synapses.weight(), valid, d, row.weights + i);
    hn::BlendedStore(synapses.state(), valid, d, row.states + i);
    const hn::Vec<D> both = hn::Add(hn::Mul(hn::Zero(d), synapses.weight()), hn::Mul(hn::Zero(d), synapses.state()));
    not_finite = hn::Add(not_finite, hn::IfThenElseZero(valid, both));
    if (row.ring != nullptr) transmit(d, row, synapses.weight(), synapses.target(), synapses.delay(), n);
  }
  if (!hn::AllTrue(d, hn::Eq(not_finite, hn::Zero(d)))) row.finite = false;
}

void fast(PlasticRow<float>& row) {
#if HWY_TARGET == HWY_STATIC_TARGET
  if (scalar_kernels_forced()) return run_row(hn::CappedTag<float, 1>(), row);
#endif
  run_row(hn::ScalableTag<float>(), row);
}

}  // namespace HWY_NAMESPACE
}  // namespace tessera::stdp_dopamine
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <cmath>
#include <limits>

namespace tessera::stdp_dopamine {
namespace {

HWY_EXPORT(fast);

/// One synapse in float64, event after event.
class ReferenceSynapse {
 public:
  ReferenceSynapse(PlasticRow<double>& row, std::uint32_t i)
      : row_(row), k_(row.constants), weight_(row.weights[i]), c_(row.states[i]), n_(row.modulator_level), time_(row.seen),
        target_(row.words[i] & PlasticRow<double>::kTargetMask),
        delay_(static_cast<std::int32_t>(row.words[i] >> PlasticRow<double>::kTargetBits)) {}

  void bring_up_to_date() {
    int next = -1;
    while (next < most() && arrival(next + 1) > row_.seen) ++next;
    for (std::uint32_t e = 0; e <= row_.modulator_events; ++e) {
      const bool last = e == row_.modulator_events;
      const std::int32_t end = last ? row_.now : row_.modulator[e].time;
      for (; next >= 0 && arrival(next) <= end; --next) {
        integrate(arrival(next));
        c_ += k_[plus] * row_.fast * std::exp(-(arrival(next) - row_.before) / row_.plus.steps_per_tau);
      }
      integrate(end);
      if (!last) n_ = row_.modulator[e].level;
    }
  }
  void at_source_spike() {
    int last = 0;  // the coincident spike does not count
    while (last < most() && arrival(last) >= row_.now) ++last;
    c_ -= k_[minus] * row_.post.fast(target_, last) * std::exp(-(row_.now - arrival(last)) / row_.minus.steps_per_tau);
  }
  [[nodiscard]] bool is_finite() const { return std::isfinite(weight_) && std::isfinite(c_); }

 private:
  [[nodiscard]] int most() const { return 1 << row_.post.capacity_bits; }  // spikes that are kept, but for the newest
  [[nodiscard]] std::int32_t arrival(int k) const { return row_.post.time(target_, k) + delay_; }
  void integrate(std::int32_t to) {
    const double gone_c = -std::expm1((to - time_) * k_[rate_c]), gone_n = -std::expm1((to - time_) * k_[rate_n]);
    const double gone_both = -std::expm1((to - time_) * (k_[rate_c] + k_[rate_n]));
    weight_ = std::clamp(weight_ + c_ * (k_[gain] * n_ * gone_both - k_[loss] * gone_c), k_[lowest], k_[highest]);
    c_ *= 1.0 - gone_c;
    n_ *= 1.0 - gone_n;
    time_ = to;
  }

  PlasticRow<double>& row_;
  const double* k_;
  double &weight_, &c_;
  double n_;
  std::int32_t time_;
  std::uint32_t target_;
  std::int32_t delay_;
};

void reference(PlasticRow<double>& row) {
  for (std::uint32_t i = 0; i < row.count; ++i) {
    ReferenceSynapse synapse(row, i);
    synapse.bring_up_to_date();
    if (row.spike) synapse.at_source_spike();
    row.finite = row.finite && synapse.is_finite();
    if (row.ring != nullptr) {
      row.ring[row.first_slot + (row.words[i] & PlasticRow<double>::kTargetMask)] += row.weights[i] * row.scale * row.efficacy;
    }
  }
}

std::vector<std::string> check(const ParameterValues& p) {
  if (p["Wmax"] == 0.0) return {"Wmax must not be 0."};
  if (p["Wmin"] * p["Wmax"] < 0.0 || std::abs(p["Wmin"]) > std::abs(p["Wmax"])) return {"Wmin must lie between 0 and Wmax."};
  return {};
}

PlasticityVariant prepare(const ParameterValues& p, double dt_ms) {
  PlasticityVariant variant;
  variant.tau_plus = p["tau_plus"];
  variant.tau_minus = p["tau_minus"];
  variant.tau_modulator = p["tau_n"];
  variant.lowest = std::min(0.0, p["Wmax"]);
  variant.highest = std::max(0.0, p["Wmax"]);
  variant.bound_by = "Wmax";
  variant.keeps_state = true;
  variant.constants.resize(kConstants);
  variant.constants[rate_c] = -dt_ms / p["tau_c"];
  variant.constants[rate_n] = -dt_ms / p["tau_n"];
  variant.constants[gain] = 1.0 / (1.0 / p["tau_c"] + 1.0 / p["tau_n"]);
  variant.constants[loss] = p["b"] * p["tau_c"];
  variant.constants[plus] = p["A_plus"];
  variant.constants[minus] = p["A_minus"];
  variant.constants[lowest] = std::abs(p["Wmin"]);
  variant.constants[highest] = std::abs(p["Wmax"]);
  variant.reference = reference;
  variant.fast = [](PlasticRow<float>& row) { HWY_DYNAMIC_DISPATCH(fast)(row); };
  return variant;
}

}  // namespace

PlasticityModel rule() {
  constexpr double kUnbounded = std::numeric_limits<double>::infinity();
  return {.name = "stdp_dopamine",
          .summary = "STDP whose pairs are remembered at the synapse, and change its weight when a third factor, dopamine, comes.",
          .equations = "x' = -x / tau_plus, + 1 at a presynaptic spike;  y' = -y / tau_minus, + 1 at a postsynaptic spike\n"
                       "c' = -c / tau_c, + A_plus x at a postsynaptic spike, - A_minus y at a presynaptic spike\n"
                       "n' = -n / tau_n, + 1 / tau_n at a spike of the modulator, modulator_delay later; the same for all synapses\n"
                       "w' = c (n - b), |w| held between |Wmin| and |Wmax| at every spike of the source, the target, the modulator",
          .source = "Izhikevich (2007) Cereb. Cortex 17:2443; Potjans, Morrison and Diesmann (2010) Front. Comput. Neurosci. 4:141",
          .parameters = {{"tau_plus", "ms", 20.0, "decay of the source's trace x", 0.0, kUnbounded, false},
                         {"tau_minus", "ms", 20.0, "decay of the target's trace y", 0.0, kUnbounded, false},
                         {"tau_c", "ms", 1000.0, "decay of the eligibility c", 0.0, kUnbounded, false},
                         {"tau_n", "ms", 200.0, "decay of the dopamine n", 0.0, kUnbounded, false},
                         {"A_plus", "weight", 1.0, "what a postsynaptic spike adds to c", 0.0, kUnbounded, true},
                         {"A_minus", "weight", 1.5, "what a presynaptic spike takes from c", 0.0, kUnbounded, true},
                         {"b", "kHz", 0.0, "dopamine at which weights rest", 0.0, kUnbounded, true},
                         {"Wmin", "weight", 0.0, "smallest weight", -kUnbounded, kUnbounded, true},
                         {"Wmax", "weight", 200.0, "largest weight; below 0 for inhibitory synapses, whose magnitudes then change"}},
          .check = check,
          .prepare = prepare,
          .has_modulator = true};
}

}  // namespace tessera::stdp_dopamine
#endif  // HWY_ONCE
