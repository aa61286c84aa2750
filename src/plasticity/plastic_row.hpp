// One visit of a plastic row: the synapses of one source on one chunk, of one delay group, and all that a rule
// needs to bring their weights up to date and to transmit a spike with them.
//
// Weights are brought up to date when their source spikes (or, at the latest, after PlasticRows::kLongestWaitMs):
// what the targets have spiked in between is read from their histories. So a postsynaptic spike costs nothing
// per synapse, and a synapse needs its target, its delay and its weight: eight bytes.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "tessera/plasticity_model.hpp"

namespace tessera {

/// A time before all others, in steps.
inline constexpr std::int32_t kNeverSpiked = -(1 << 28);

/// exp(-steps / tau), 0 from `last` on.
template <class Real>
struct TraceTable {
  const Real* values = nullptr;
  std::int32_t last = 0;
  double steps_per_tau = 0.0;
};

/// What the neurons of a chunk have spiked. The newest spike lies in an array of its own; older ones lie in a
/// ring per neuron, the newest of them at `head`. Entries that were never written: kNeverSpiked, traces 0.
template <class Real>
struct PostSpikes {
  const std::int32_t* newest = nullptr;   ///< [neuron] time in steps
  const Real* newest_fast = nullptr;      ///< [neuron] fast trace right after the spike
  const Real* newest_slow = nullptr;      ///< [neuron] slow trace right before the spike
  const std::int32_t* older = nullptr;    ///< [neuron][capacity]
  const Real* older_fast = nullptr;
  const Real* older_slow = nullptr;
  const std::int32_t* head = nullptr;     ///< [neuron]
  std::int32_t capacity_bits = 0;

  [[nodiscard]] std::size_t place(std::size_t neuron, int k) const {  ///< of the k-th older spike, from 1 on
    const std::size_t mask = (std::size_t{1} << capacity_bits) - 1;
    return (neuron << capacity_bits) + ((static_cast<std::size_t>(head[neuron]) + 1 - static_cast<std::size_t>(k)) & mask);
  }
  [[nodiscard]] std::int32_t time(std::size_t neuron, int k) const { return k == 0 ? newest[neuron] : older[place(neuron, k)]; }
  [[nodiscard]] Real fast(std::size_t neuron, int k) const { return k == 0 ? newest_fast[neuron] : older_fast[place(neuron, k)]; }
  [[nodiscard]] Real slow(std::size_t neuron, int k) const {
    if (newest_slow == nullptr) return 0;  // there is no such trace
    return k == 0 ? newest_slow[neuron] : older_slow[place(neuron, k)];
  }
};

/// The trace of a modulator right after spikes of it have acted.
struct ModulatorEvent {
  std::int32_t time = 0;
  double level = 0.0;
};

/// Times are steps and count at the synapse: a presynaptic spike with its axonal delay, a postsynaptic one
/// with its dendritic delay. Weights are magnitudes.
template <class Real>
struct PlasticRow {
  using Input = typename InputOf<Real>::type;
  static constexpr std::uint32_t kTargetBits = 16;  ///< of a word; the dendritic delay in steps lies above
  static constexpr std::uint32_t kTargetMask = (1u << kTargetBits) - 1;

  std::uint32_t count = 0;
  const std::uint32_t* words = nullptr;  ///< [count], readable a vector past the end
  Real* weights = nullptr;               ///< [count]
  Real* states = nullptr;                ///< [count], of rules that keep a number per synapse

  std::int32_t before = kNeverSpiked;  ///< the source's last spike
  std::int32_t seen = 0;               ///< postsynaptic spikes up to here are in the weights
  std::int32_t now = 0;                ///< this spike, or the time up to which weights are brought
  bool spike = false;
  Real fast = 0;       ///< the source's traces right after its last spike
  Real slow = 0;
  Real slow_now = 0;   ///< the slow one right before this spike
  Real efficacy = 1;   ///< short-term plasticity: what a transmitted weight is multiplied by
  PostSpikes<Real> post;
  TraceTable<Real> plus, minus;
  /// Rules with a third factor: its events of (seen, now], and its trace at `seen`.
  const ModulatorEvent* modulator = nullptr;
  std::uint32_t modulator_events = 0;
  double modulator_level = 0.0;
  const double* constants = nullptr;

  /// Where the spike is added (null: nowhere). Of a synapse: place(target + first_slot, delay - first_delay + now).
  Input* ring = nullptr;
  std::uint32_t first_slot = 0, first_delay = 1, slot_bits = 0, row_of_now = 0, ring_mask = 0;
  Real scale = 1;  ///< integer units per weight (fast), with the sign of the weights; the sign (exact)
  bool finite = true;  ///< out: false when a weight is not
};

/// A visit of a row whose synapses share one delay and whose rule needs no more than a sum over the targets' spikes
/// since the last visit: sum of exp(-(time - before) / tau_plus), times what the rule gives each spike.
///
/// Time is cut into epochs. Of every target and epoch there is B, the sum of exp(-(time - begin of the epoch) / tau_plus)
/// over its spikes so far, and a synapse keeps the B of its target at its last visit: differences of B, one per epoch,
/// make the sum, whatever the targets spike. So a synapse takes ten bytes and a handful of look-ups.
struct SummedRow {
  std::uint32_t count = 0;
  const std::uint16_t* targets = nullptr;  ///< [count], readable a vector past the end, as are the next two
  float* weights = nullptr;
  float* sums = nullptr;                   ///< B of the target's epoch at the last visit
  /// What a target has lies in one cache line: y, times 1 / trace_factor, and B of the last epochs.
  static constexpr int kLineBits = 4, kLine = 1 << kLineBits, kMostEpochs = kLine - 1;
  const float* lines = nullptr;            ///< [target][kLine]
  int epochs = 0;                          ///< of the window, but for the one of now
  int place[kMostEpochs];                  ///< of their B in a line; sums are of the first, or of now when there is none
  float factor[kMostEpochs];               ///< what a B counts
  int place_of_now = 0;
  float factor_of_now = 0, factor_of_sum = 0;
  float trace_factor = 0;
  bool spike = false;
  float slow_now = 0;
  const double* constants = nullptr;
  std::int32_t* ring = nullptr;
  std::uint32_t first_place = 0, ring_mask = 0;  ///< of target 0
  float scale = 1;
  bool finite = true;
};

}  // namespace tessera
