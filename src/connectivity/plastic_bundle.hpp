// The plastic rows of one projection on one chunk.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <optional>
#include <type_traits>
#include <vector>

#include "connectivity/plastic_rows.hpp"

namespace tessera {

/// exp(-steps / tau) until float32 does not notice what it is added to.
template <class Real>
class DecayTable {
 public:
  DecayTable() = default;
  DecayTable(double tau_ms, double dt_ms) : steps_per_tau_(tau_ms / dt_ms) {
    if (std::is_same_v<Real, double> || tau_ms == 0.0) return;  // exact precision takes exponentials
    constexpr double kTaus = 24.0;
    const auto n = static_cast<std::size_t>(std::ceil(kTaus * steps_per_tau_)) + 1;
    for (std::size_t i = 0; i < n; ++i) values_.push_back(static_cast<Real>(std::exp(-static_cast<double>(i) / steps_per_tau_)));
    values_.push_back(0);
  }
  [[nodiscard]] TraceTable<Real> view() const {
    return {values_.data(), static_cast<std::int32_t>(values_.size()) - 1, steps_per_tau_};
  }

 private:
  double steps_per_tau_ = 0.0;
  std::vector<Real> values_;
};

[[nodiscard]] inline bool has_one_delay(const Projection& projection) {
  return projection.rule.kind != ConnectivityRule::Kind::explicit_list && projection.delay_slope == 0.0 &&
         projection.delay_ms.kind == Distribution::Kind::constant;
}

/// Whether the rows of a projection are summed ones.
template <class Real>
[[nodiscard]] bool takes_sums(const Projection& projection, const PlasticityVariant& rule) {
  return std::is_same_v<Real, float> && rule.summed != nullptr && has_one_delay(projection);
}

/// Synapses lie row by row. Where the rule and the delays allow it, rows are summed ones (SummedRow): `sums` is there,
/// targets have 16 bits and there is no history.
template <class Real>
struct PlasticRows<Real>::Bundle {
  static constexpr std::size_t kPadding = 64;  ///< vectors may read past the last synapse

  std::uint32_t projection = 0, chunk = 0;
  const tessera::Bundle* described = nullptr;
  const PlasticityVariant* rule = nullptr;
  std::uint32_t first_source = 0, sources = 0;  ///< global id of the first, and how many
  std::uint32_t first_target_id = 0;            ///< global id of the chunk's first neuron
  std::uint32_t first_target = 0, targets_in_chunk = 0, first_slot = 0;
  std::int32_t axonal = 0;   ///< steps
  std::int32_t delay = 0;    ///< dendritic steps, where all synapses have the same
  double sign = 1.0, dt_ms = 0.1;
  Real scale = 1;
  std::uint32_t history = 0;
  std::uint32_t modulator = 0;  ///< of rules with a third factor
  DecayTable<Real> plus, minus;
  std::optional<PostSums> sums;
  std::vector<std::uint32_t> first_row;  ///< [source] and the end
  std::vector<Row> rows;
  AlignedArray<std::uint32_t> words;     ///< as in PlasticRow; empty with sums
  AlignedArray<std::uint16_t> targets;   ///< with sums
  AlignedArray<Real> weights, states;
  AlignedArray<float> seen_sums;
  std::size_t synapses = 0;  ///< that exist

  // Of projections whose synapses come and go: every source has one row, with room to grow.
  const StructuralRule* structural = nullptr;
  std::int64_t rewiring_interval = 1;  ///< steps
  std::uint32_t max_indegree = 0;
  std::vector<std::uint32_t> allowed;  ///< [source] synapses that may be made until the next time; empty: any number
  const SeenNeurons* seen = nullptr;   ///< what the rule sees of neurons
  std::optional<SheetPair> sheets;
  std::vector<std::uint32_t> indegree;  ///< [target in the chunk]
  std::size_t used = 0, wasted = 0;     ///< places up to the last row's end; of them, those that rows have left
  RewiringCounts rewired;

  [[nodiscard]] bool is_summed() const { return sums.has_value(); }
  [[nodiscard]] std::uint32_t target(std::size_t k) const {
    return is_summed() ? targets[k] : words[k] & PlasticRow<Real>::kTargetMask;
  }
  [[nodiscard]] std::uint32_t delay_steps(std::size_t k) const {
    const std::uint32_t dendritic = is_summed() ? static_cast<std::uint32_t>(delay) : words[k] >> PlasticRow<Real>::kTargetBits;
    return dendritic + static_cast<std::uint32_t>(axonal);
  }
  void resize(std::size_t room) {
    if (is_summed()) {
      targets.resize(room);
    } else {
      words.resize(room);
    }
    weights.resize(room);
    if (states.size() > 0) states.resize(room);
    if (seen_sums.size() > 0) seen_sums.resize(room);
  }
  /// The place of a synapse in a row, or the row's count.
  [[nodiscard]] std::uint32_t find(const Row& row, std::uint32_t target_in_chunk) const {
    std::uint32_t k = 0;
    while (k < row.count && target(row.begin + k) != target_in_chunk) ++k;
    return k;
  }
  void append(Row& row, std::uint32_t target_in_chunk, Real weight);
  void remove(Row& row, std::uint32_t k);
  /// Makes the columns hold rows of these sizes one after the other, with the room that they ask for.
  void lay_out(std::size_t room);

  [[nodiscard]] std::uint64_t bytes() const {
    return words.bytes() + targets.bytes() + weights.bytes() + states.bytes() + seen_sums.bytes() + rows.capacity() * sizeof(Row) +
           (first_row.capacity() + indegree.capacity() + allowed.capacity()) * sizeof(std::uint32_t) + (sums ? sums->bytes() : 0);
  }

 private:
  void move(std::size_t from, std::size_t to, std::uint32_t n);
  void give_room(Row& row);
};

}  // namespace tessera
