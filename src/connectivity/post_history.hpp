// What the neurons of a chunk have spiked, as far back as plastic rows may still look.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "plasticity/plastic_row.hpp"

namespace tessera {

/// Time constants of the targets' traces in ms, 0: no such trace.
struct PostTraces {
  double tau_fast = 0.0, tau_slow = 0.0;
  bool nearest = false;  ///< a spike sets the trace to 1
  friend bool operator==(const PostTraces&, const PostTraces&) = default;
};

template <class Real>
class PostHistory {
 public:
  PostHistory(std::uint32_t neurons, PostTraces traces, double dt_ms);

  [[nodiscard]] const PostTraces& traces() const { return traces_; }
  /// A spike of a neuron (its place in the chunk) at a step later than its last one.
  void add(std::uint32_t neuron, std::int32_t time);
  /// Spikes at this step and before may be forgotten, but for the last one of them of each neuron.
  void need_after(std::int32_t time) { needed_after_ = time; }
  [[nodiscard]] PostSpikes<Real> view() const;
  [[nodiscard]] std::size_t bytes() const;
  /// When so many spikes of a neuron are kept.
  [[nodiscard]] static double expected_bytes(double neurons, double spikes, bool has_slow) {
    double places = 4.0;  // older ones; there is room for a power of two
    while (places < spikes) places *= 2.0;
    return neurons * ((places + 2.0) * sizeof(std::int32_t) + (places + 1.0) * sizeof(Real) * (has_slow ? 2.0 : 1.0));
  }

  /// Everything, as bytes that depend on the spikes alone.
  void save(std::vector<std::uint8_t>& bytes) const;
  [[nodiscard]] std::size_t saved_bytes() const { return 2 * sizeof(std::int32_t) + bytes(); }
  /// Takes from the front of `bytes`; false when they are not what save() writes for as many neurons.
  [[nodiscard]] bool load(std::span<const std::uint8_t>& bytes);

 private:
  void grow();

  std::uint32_t neurons_;
  PostTraces traces_;
  double dt_ms_;
  std::int32_t needed_after_ = kNeverSpiked;
  std::int32_t capacity_bits_ = 2;
  std::vector<std::int32_t> newest_, older_, head_;
  std::vector<Real> newest_fast_, newest_slow_, older_fast_, older_slow_;  ///< slow ones: empty without that trace
};

extern template class PostHistory<float>;
extern template class PostHistory<double>;

}  // namespace tessera
