// The loop that advances all tiles, and the spike lists that travel between them.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/thread_team.hpp"
#include "engine/neuron_ranges.hpp"
#include "engine/rank_exchange.hpp"
#include "engine/tile.hpp"
#include "machine/placement.hpp"
#include "tessera/simulation.hpp"

namespace tessera {

/// State samples of one recorder, of the neurons on this rank; the tiles that own them write.
struct SampleBuffer {
  struct Part {  ///< neurons of one chunk
    std::size_t tile = 0;
    std::uint32_t chunk = 0;
    std::uint32_t begin = 0, count = 0;  ///< in the population
    std::size_t column = 0;              ///< of the first one
  };
  std::uint32_t population = 0;
  std::string variable;
  std::uint32_t count = 0;          ///< neurons that are recorded, on all ranks
  std::int64_t interval = 1;        ///< steps
  std::vector<Part> parts;          ///< ascending
  std::size_t columns = 0;          ///< neurons that are recorded on this rank
  std::int64_t first_step = 0;      ///< of the first row (a multiple of the interval)
  std::size_t rows = 0;             ///< of the slice
  std::vector<double> values;       ///< [time][column]
};

/// When and how the threads of a rank, and the ranks, exchange spikes.
struct Meetings {
  std::uint32_t local_interval = 1;   ///< steps between two meetings of the threads, at most
  std::uint32_t remote_interval = 1;  ///< of the ranks; a multiple of the local interval
  /// Exact precision: spikes of a step are received all at once, those of other ranks among its own.
  bool in_order = false;
  std::unique_ptr<RankExchange> ranks;  ///< null: there are no others
};

/// An order-free hash of (step, neuron) pairs: equal spikes give equal sums.
[[nodiscard]] std::uint64_t spike_hash(std::uint32_t step, std::uint32_t neuron) noexcept;

class StepLoop {
 public:
  /// `neurons` outlives the loop.
  StepLoop(std::vector<std::unique_ptr<Tile>>& tiles, const Placement& placement, Meetings meetings,
           std::uint32_t max_delay_steps, std::uint32_t group_steps, const AllNeurons& neurons);

  /// Advances all tiles from step `from` to `to`. Over ranks: CommunicationError when one is missing.
  void advance(ThreadTeam& team, std::int64_t from, std::int64_t to);

  /// Where tiles take turns with others that are not in memory (chip_part.cpp): sends and receives the spikes at time 0,
  /// which advance() then leaves alone.
  void begin(ThreadTeam& team);
  /// Spikes of those others: of step begin + i the list spikes[i]. They must come before any of them is due (argument 4
  /// above the step loop).
  void play_back(ThreadTeam& team, std::int64_t begin, std::span<const std::span<const std::uint32_t>> spikes);

  void keep_spikes(bool keep) { keep_spikes_ = keep; }
  std::vector<SampleBuffer>& samples() { return samples_; }
  /// Own spikes kept since the last call, sorted by step, then neuron.
  [[nodiscard]] std::vector<Spike> take_spikes();
  /// Own spikes of a step (kFirstSpikeStep or later) that is still in the history, in ascending order.
  [[nodiscard]] std::vector<std::uint32_t> history(std::int64_t step) const;
  /// Puts spikes of an earlier step, of all ranks, back (after a checkpoint) and delivers the rest of them.
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
  /// Adds steps that ran elsewhere (on a device): what was counted, and the spikes that observers want.
  void take_in(const Counters& counters, std::span<const Spike> spikes);
  /// Spikes per own neuron since they were last set to zero, by the neurons' numbers.
  [[nodiscard]] std::vector<std::uint32_t>& spike_counts() { return spike_counts_; }
  [[nodiscard]] const NeuronRanges& own() const { return own_; }
  [[nodiscard]] const Meetings& meetings() const { return meetings_; }
  /// Gives back what unusual bursts between ranks took.
  void settle();

 private:
  struct Outbox {  ///< of one tile: what it spiked, and what each delivery group gets of it
    std::vector<std::vector<std::uint32_t>> spikes;                ///< [step]
    std::vector<std::vector<std::vector<std::uint32_t>>> to_group; ///< [group][step]; empty: all of it
    std::vector<Spike> kept;
    NeuronRanges::Cursor numbers;
  };
  struct Interval {
    std::int64_t begin, end;
    bool last;  ///< the advance ends with it
  };
  using Clock = std::chrono::steady_clock;

  void advance_worker(ThreadTeam& team, int worker, std::int64_t from, std::int64_t to);
  [[nodiscard]] bool begin_worker(ThreadTeam& team, std::size_t worker, Counters& counters);
  void send(std::size_t tile, std::int64_t step, Counters& counters);
  void receive(std::size_t worker, std::int64_t begin, std::int64_t end);
  [[nodiscard]] std::vector<std::span<const std::uint32_t>>& lists_for(std::size_t tile, std::int64_t step);
  [[nodiscard]] bool meet_ranks(ThreadTeam& team, std::size_t worker, Interval interval, std::int64_t& unsent,
                                Counters& counters);
  void send_to_ranks(std::int64_t begin, std::int64_t end);
  void receive_from_ranks(std::size_t worker, std::int64_t begin, std::int64_t end);
  void wait_for_ranks();
  void sample(std::size_t tile, std::int64_t step);
  [[nodiscard]] std::size_t slot(std::int64_t step) const { return static_cast<std::size_t>(step) & mask_; }
  [[nodiscard]] std::span<const std::uint32_t> list(std::size_t from_tile, std::size_t group, std::int64_t step) const;
  void learn_reach();

  std::vector<std::unique_ptr<Tile>>* tiles_;
  const Placement* placement_;
  Meetings meetings_;
  NeuronRanges own_;
  std::int64_t exchange_steps_;
  std::uint32_t history_steps_;
  std::size_t mask_;
  std::vector<std::vector<std::size_t>> tiles_of_worker_;
  std::vector<Outbox> outbox_;
  std::vector<std::vector<std::span<const std::uint32_t>>> received_;  ///< per tile: lists of one step
  std::vector<std::vector<bool>> reach_;  ///< [group][own neuron's number]; empty with one group
  std::vector<Counters> counters_;
  std::vector<std::uint32_t> spike_counts_;
  std::vector<SampleBuffer> samples_;
  bool keep_spikes_ = false;
  bool begun_ = false;  ///< spikes at time 0 have been sent by begin()
  RemoteSpikes remote_;
  std::exception_ptr failure_;      ///< between ranks; written by worker 0 before a barrier, read after it
  std::atomic<bool> damaged_{false};  ///< a list from another rank
};

}  // namespace tessera
