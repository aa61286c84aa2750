// What ranks that share the tiles of every layer say to each other in a batch: who spiked, the traces of a
// readout, what flows back to the entries of a layer's lists, and sums of neurons. Weights never travel.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <vector>

#include "comm/agreement.hpp"
#include "train/crew.hpp"
#include "train/layer_share.hpp"
#include "train/list_code.hpp"
#include "train/spike_lists.hpp"
#include "train/visit_block.hpp"

namespace tessera::training {

/// Numbers of all neurons of a layer, of which a rank has made those of its own tiles: [rows][stride].
struct NeuronRows {
  float* values;
  std::size_t rows;
  std::uint32_t stride, tile_width, neurons;
};

class TileExchange {
 public:
  explicit TileExchange(const Agreement& ranks) : ranks_(ranks) {}
  [[nodiscard]] const Agreement& ranks() const { return ranks_; }

  /// Runs a job and keeps what it throws until the ranks meet next. Any worker.
  template <class Job>
  void keep_failure(const Job& job) noexcept {
    try {
      job();
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!failure_) failure_ = std::current_exception();
    }
  }
  /// Throws on all ranks what any has kept. On the caller's thread.
  void settle();

  // Called by all workers. All ranks throw what any has kept.

  /// The recordings of the own tiles become known to all ranks: ids and steps, not slopes.
  void gather_lists(Worker& worker, const LayerShare& share, ListKinds kinds, std::uint32_t neurons, SpikeLists& lists);
  void gather_columns(Worker& worker, const LayerShare& share, const NeuronRows& rows);
  /// What flowed from the own parts of `above` to the entries of `lists` goes to the owners of their sections
  /// (`below`), who add the parts in order. `visits`: [block][section].
  void return_ds(Worker& worker, const LayerShare& above, const LayerShare& below, std::uint32_t blocks,
                 const std::vector<VisitBlock>& visits, SpikeLists& lists,
                 const std::function<VisitRange(std::uint32_t block, std::uint32_t section)>& range);

  /// On the caller's thread, where nothing can have failed.
  void gather_columns(const LayerShare& share, const NeuronRows& rows);

 private:
  void send_lists(const LayerShare& share);
  void find_places(const LayerShare& above, const LayerShare& below, std::uint32_t blocks,
                   const std::vector<VisitBlock>& visits);
  void send_ds(const LayerShare& above, const LayerShare& below);
  [[nodiscard]] const float* received_ds(int rank) const;

  Agreement ranks_;
  std::mutex mutex_;
  std::exception_ptr failure_;

  std::vector<std::vector<std::byte>> coded_;  ///< of every own tile
  std::vector<std::byte> packed_;
  Gathered gathered_;
  std::vector<std::size_t> section_begin_;  ///< in gathered_, of every tile; and the ends
  std::vector<std::size_t> section_end_;

  std::vector<std::vector<float>> outgoing_;     ///< for every rank: [block][section of that rank][own part][entry]
  std::vector<std::size_t> entries_, place_;     ///< of every [block][section]: how many, and before them in the rank's
  std::vector<int> from_;                        ///< ranks that sent ds
  std::vector<std::vector<float>> sums_;         ///< of every worker
};

}  // namespace tessera::training
