// How spike lists travel between ranks: a strategy each, chosen before the loop. One thread calls, in this order:
// begin, put for every list, start, finish. Between start and finish messages are under way.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/neuron_ranges.hpp"
#include "engine/reach_table.hpp"
#include "engine/spike_code.hpp"
#include "tessera/communicator.hpp"

namespace tessera {

class RankExchange {
 public:
  virtual ~RankExchange() = default;
  /// What error messages call it.
  void enter(std::int64_t step) { ranks_->enter("exchange", step); }
  /// Of a new list; steps are counted from its first one.
  virtual void begin() = 0;
  /// Spikes of one step, as global ids of own neurons.
  virtual void put(std::uint64_t step, std::span<const std::uint32_t> spikes) = 0;
  virtual void start() = 0;
  /// Waits for the other ranks. What they sent stays valid until the next start().
  virtual void finish() = 0;
  /// A list of every rank that sent anything.
  [[nodiscard]] const std::vector<Parcel>& arrived() const { return arrived_; }
  /// Gives back what unusual bursts took.
  virtual void settle() = 0;
  [[nodiscard]] virtual std::uint64_t table_bytes() const { return 0; }
  /// Sent in all exchanges.
  [[nodiscard]] const Traffic& sent() const { return sent_; }

 protected:
  explicit RankExchange(std::shared_ptr<Communicator> ranks) : ranks_(std::move(ranks)) {}
  /// Refuses what MPI cannot count, before anything is sent.
  static void require_countable(std::size_t bytes);
  template <class Call>
  void counted(const Call& call) {
    const Traffic before = ranks_->traffic();
    call();
    const Traffic after = ranks_->traffic();
    sent_.messages += after.messages - before.messages;
    sent_.bytes += after.bytes - before.bytes;
  }

  std::shared_ptr<Communicator> ranks_;
  Gathered received_;
  std::vector<Parcel> arrived_;
  Traffic sent_;
};

/// Every rank gets all spikes.
[[nodiscard]] std::unique_ptr<RankExchange> make_collective(std::shared_ptr<Communicator> ranks, NeuronRanges own);
/// Rank to[i] gets the spikes that `table` says it needs; from[i] sends to this rank.
[[nodiscard]] std::unique_ptr<RankExchange> make_point_to_point(std::shared_ptr<Communicator> ranks, NeuronRanges own,
                                                                ReachTable table, std::vector<int> to,
                                                                std::vector<int> from);

/// What came, as lists of global ids. The parts of one interval may be unpacked at the same time.
class RemoteSpikes {
 public:
  RemoteSpikes(const AllNeurons& neurons, int parts, std::uint32_t steps);
  /// Reads every parts-th list from `part` on. False: one is damaged.
  [[nodiscard]] bool unpack(int part, std::uint64_t steps, const std::vector<Parcel>& lists);
  /// Appends the lists of one step, of all parts.
  void add_lists(std::uint64_t step, std::vector<std::span<const std::uint32_t>>& lists) const;
  void settle();

 private:
  const AllNeurons* neurons_;
  std::vector<std::vector<std::vector<std::uint32_t>>> lists_;  ///< [part][step]
};

}  // namespace tessera
