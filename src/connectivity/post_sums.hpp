// Sums over the spikes of a chunk's neurons, for plastic rows of one delay (plasticity/plastic_row.hpp, SummedRow).
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/aligned_array.hpp"
#include "plasticity/plastic_row.hpp"

namespace tessera {

class PostSums {
 public:
  PostSums(const PostSums& other);
  PostSums& operator=(const PostSums&) = delete;
  /// Spikes arrive at the synapses `delay` steps after they are spiked. The rule outlives the sums.
  PostSums(std::uint32_t neurons, const PlasticityVariant& rule, std::int32_t delay, double dt_ms);

  [[nodiscard]] const PlasticityVariant& rule() const { return *rule_; }
  [[nodiscard]] std::int32_t delay() const { return delay_; }
  /// A spike of a neuron (its place in the chunk). Times never go back.
  void add(std::uint32_t neuron, std::int32_t time) { spikes_.push_back({neuron, time + delay_}); }
  /// Takes in what arrives up to `now`. Times never go back.
  void advance(std::int32_t now);
  [[nodiscard]] bool begins_epoch(std::int32_t now) const { return now % epoch_steps_ == 0; }

  /// Whether the source's trace has faded before `seen`, so that nothing is left to add.
  [[nodiscard]] bool settled(std::int32_t before, std::int32_t seen) const { return before == kNeverSpiked || seen - before >= fade_; }
  /// Whether a row that was last visited at `seen` must be visited now, before its sums are overwritten.
  [[nodiscard]] bool is_old(std::int32_t seen, std::int32_t now) const {
    return now / epoch_steps_ - seen / epoch_steps_ >= SummedRow::kMostEpochs - 1;
  }
  /// Sets what a visit at the time of the last advance() looks up: of a source with trace `fast` since `before`.
  void look_up(std::int32_t before, std::int32_t seen, double fast, SummedRow& row) const;

  /// What a synapse that is made now keeps of its target.
  [[nodiscard]] float sum_of_now(std::uint32_t neuron) const {
    return lines_[neuron * std::size_t{SummedRow::kLine} + static_cast<std::size_t>(place_of(epoch_))];
  }

  [[nodiscard]] std::size_t bytes() const;
  [[nodiscard]] static double expected_bytes(double neurons, const PlasticityVariant& rule) {
    return neurons * (SummedRow::kLine * sizeof(float) + (rule.tau_minus_slow > 0.0 ? sizeof(float) + sizeof(std::int32_t) : 0));
  }
  void save(std::vector<std::uint8_t>& bytes) const;
  [[nodiscard]] std::size_t saved_bytes() const;
  /// Takes from the front of `bytes`; false when they are not what save() writes for as many neurons.
  [[nodiscard]] bool load(std::span<const std::uint8_t>& bytes);

 private:
  struct Arrival {
    std::uint32_t neuron;
    std::int32_t time;
  };
  [[nodiscard]] static int place_of(std::int32_t epoch) { return 1 + epoch % SummedRow::kMostEpochs; }
  [[nodiscard]] float& at(std::uint32_t neuron, int place) { return lines_[neuron * std::size_t{SummedRow::kLine} + static_cast<std::size_t>(place)]; }
  void open_epochs(std::int32_t last);
  void fade_traces(std::int32_t epoch);
  [[nodiscard]] float weight_of(const Arrival& arrival);

  std::uint32_t neurons_;
  const PlasticityVariant* rule_;
  std::int32_t delay_, epoch_steps_, fade_;
  double dt_ms_;
  std::int32_t now_ = 0, epoch_ = 0, trace_epoch_ = 0;
  std::vector<Arrival> spikes_;            ///< that are not yet in both
  std::size_t in_sums_ = 0, in_traces_ = 0;  ///< of spikes_
  AlignedArray<float> lines_;              ///< [neuron][SummedRow::kLine]: y of arrivals before now, B of epochs up to now
  std::vector<float> slow_;                ///< right after the last arrival; empty without that trace
  std::vector<std::int32_t> last_;         ///< that arrival
};

}  // namespace tessera
