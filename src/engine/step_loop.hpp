// The loop that advances all tiles, and the spike lists that travel between them.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/thread_team.hpp"
#include "engine/tile.hpp"
#include "machine/placement.hpp"
#include "tessera/simulation.hpp"

namespace tessera {

/// State samples of one recorder, written by the tiles that own its neurons.
struct SampleBuffer {
  std::uint32_t population = 0;
  std::string variable;
  std::uint32_t count = 0;
  std::int64_t interval = 1;        ///< steps
  std::int64_t first_step = 0;      ///< of the first row (a multiple of the interval)
  std::vector<double> values;       ///< [time][neuron]
};

/// An order-free hash of (step, neuron) pairs: equal spikes give equal sums.
[[nodiscard]] std::uint64_t spike_hash(std::uint32_t step, std::uint32_t neuron) noexcept;

class StepLoop {
 public:
  StepLoop(std::vector<std::unique_ptr<Tile>>& tiles, const Placement& placement,
           std::uint32_t exchange_steps, std::uint32_t max_delay_steps, std::uint32_t group_steps,
           std::uint32_t neurons);

  /// Advances all tiles from step `from` to `to`.
  void advance(ThreadTeam& team, std::int64_t from, std::int64_t to);

  void keep_spikes(bool keep) { keep_spikes_ = keep; }
  std::vector<SampleBuffer>& samples() { return samples_; }
  /// Spikes kept since the last call, sorted by step, then neuron.
  [[nodiscard]] std::vector<Spike> take_spikes();
  /// Spikes of a step (kFirstSpikeStep or later) that is still in the history, in ascending order.
  [[nodiscard]] std::vector<std::uint32_t> history(std::int64_t step) const;
  /// Puts spikes of an earlier step back (after a checkpoint) and delivers the rest of them.
  void restore(std::int64_t step, std::int64_t now, std::span<const std::uint32_t> neurons);
  [[nodiscard]] std::uint32_t history_steps() const { return history_steps_; }

  struct Counters {
    std::uint64_t digest = 0;
    std::uint64_t spikes = 0;
    std::uint64_t messages = 0;
    std::uint64_t message_bytes = 0;
    PhaseSeconds phases;
  };
  [[nodiscard]] const std::vector<Counters>& worker_counters() const { return counters_; }
  /// Spikes per neuron since they were last set to zero.
  [[nodiscard]] std::vector<std::uint32_t>& spike_counts() { return spike_counts_; }

 private:
  struct Outbox {  ///< of one tile: what it spiked, and what each delivery group gets of it
    std::vector<std::vector<std::uint32_t>> spikes;                ///< [step]
    std::vector<std::vector<std::vector<std::uint32_t>>> to_group; ///< [group][step]; empty: all of it
    std::vector<Spike> kept;
  };
  using Clock = std::chrono::steady_clock;

  void advance_worker(ThreadTeam& team, int worker, std::int64_t from, std::int64_t to);
  void begin_worker(ThreadTeam& team, std::size_t worker, Counters& counters);
  void send(std::size_t tile, std::int64_t step, Counters& counters);
  void receive(std::size_t tile, std::int64_t step);
  void sample(std::size_t tile, std::int64_t step);
  [[nodiscard]] std::size_t slot(std::int64_t step) const { return static_cast<std::size_t>(step) & mask_; }
  [[nodiscard]] std::span<const std::uint32_t> list(std::size_t from_tile, std::size_t group, std::int64_t step) const;
  void learn_reach();

  std::vector<std::unique_ptr<Tile>>* tiles_;
  const Placement* placement_;
  std::int64_t exchange_steps_;
  std::uint32_t history_steps_;
  std::size_t mask_;
  std::vector<std::vector<std::size_t>> tiles_of_worker_;
  std::vector<Outbox> outbox_;
  std::vector<std::vector<std::span<const std::uint32_t>>> received_;  ///< per tile: lists of one step
  std::vector<std::vector<bool>> reach_;  ///< [group][neuron]; empty with one group
  std::vector<Counters> counters_;
  std::vector<std::uint32_t> spike_counts_;
  std::vector<SampleBuffer> samples_;
  bool keep_spikes_ = false;
};

}  // namespace tessera
