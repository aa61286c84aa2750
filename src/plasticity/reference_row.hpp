// A plastic row in float64, spike after spike, as the rules are written: exact precision, and the oracle of
// the vector kernels.
//
// A rule provides
//   static constexpr Pairing pairing;
//   static double potentiate(const double* k, double w, double x, double slow);   at a postsynaptic spike
//   static double depress(const double* k, double w, double y, double slow);      at a presynaptic spike
// w is the magnitude of the weight; x and y are the traces of the source and the target; `slow` is the slow
// trace of the side that spikes, from before the spike.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

#include "plasticity/plastic_row.hpp"

namespace tessera {

enum class Pairing {
  every,              ///< traces of the neurons, whatever they do
  until_target,       ///< the source's trace at a synapse is forgotten once the target has spiked (state: the trace)
  once_per_interval,  ///< the same with nearest spikes, and depression only where the target has spiked since the
                      ///< source's last spike (state: 1 while it has not)
};

template <class Rule>
class ReferenceSynapse {
 public:
  ReferenceSynapse(PlasticRow<double>& row, std::uint32_t i)
      : row_(row), k_(row.constants), weight_(row.weights[i]), state_(row.states != nullptr ? row.states + i : nullptr),
        target_(row.words[i] & PlasticRow<double>::kTargetMask),
        delay_(static_cast<std::int32_t>(row.words[i] >> PlasticRow<double>::kTargetBits)) {}

  void bring_up_to_date() {
    int oldest = 0;
    while (oldest <= most() && arrival(oldest) > row_.seen) ++oldest;
    for (int k = oldest - 1; k >= 0; --k) {
      if (arrival(k) <= row_.now) at_target_spike(arrival(k), row_.post.slow(target_, k));
    }
  }
  void at_source_spike() {
    int last = 0;  // the coincident spike does not count
    while (last < most() && arrival(last) >= row_.now) ++last;
    const double y = row_.post.fast(target_, last) * decay(row_.now - arrival(last), row_.minus);
    if constexpr (Rule::pairing == Pairing::once_per_interval) {
      if (*state_ == 0.0) weight_ = Rule::depress(k_, weight_, y, row_.slow_now);
      *state_ = 1.0;
    } else {
      weight_ = Rule::depress(k_, weight_, y, row_.slow_now);
    }
    if constexpr (Rule::pairing == Pairing::until_target) *state_ = *state_ * decay(row_.now - row_.before, row_.plus) + 1.0;
  }

 private:
  [[nodiscard]] int most() const { return 1 << row_.post.capacity_bits; }  // spikes that are kept, but for the newest
  [[nodiscard]] std::int32_t arrival(int k) const { return row_.post.time(target_, k) + delay_; }
  [[nodiscard]] static double decay(std::int32_t steps, const TraceTable<double>& table) {
    return std::exp(-steps / table.steps_per_tau);
  }
  void at_target_spike(std::int32_t time, double slow) {
    double x = row_.fast * decay(time - row_.before, row_.plus);
    if constexpr (Rule::pairing == Pairing::until_target) x = *state_ * decay(time - row_.before, row_.plus);
    if constexpr (Rule::pairing == Pairing::once_per_interval) x *= *state_;
    if constexpr (Rule::pairing != Pairing::every) *state_ = 0.0;
    if (x > 0.0) weight_ = Rule::potentiate(k_, weight_, x, slow);
  }

  PlasticRow<double>& row_;
  const double* k_;
  double& weight_;
  double* state_;
  std::uint32_t target_;
  std::int32_t delay_;
};

template <class Rule>
void run_reference(PlasticRow<double>& row) {
  for (std::uint32_t i = 0; i < row.count; ++i) {
    ReferenceSynapse<Rule> synapse(row, i);
    synapse.bring_up_to_date();
    if (row.spike) synapse.at_source_spike();
    row.finite = row.finite && std::isfinite(row.weights[i]);
    if (row.ring != nullptr) {
      row.ring[row.first_slot + (row.words[i] & PlasticRow<double>::kTargetMask)] += row.weights[i] * row.scale * row.efficacy;
    }
  }
}

}  // namespace tessera
