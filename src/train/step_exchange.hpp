// What ranks that share the tiles of a recurrent layer say to each other in every step: who spiked, before the next
// step, and on the way back what the next step brings to the entries of this one. Recordings are one for every tile
// (section) and sample (part).
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "comm/agreement.hpp"
#include "train/crew.hpp"
#include "train/layer_share.hpp"
#include "train/spike_lists.hpp"

namespace tessera::training {

class StepExchange {
 public:
  /// `width`: neurons of a tile.
  StepExchange(const Agreement& ranks, const LayerShare& share, std::uint32_t width, std::uint32_t neurons)
      : ranks_(ranks), share_(share), width_(width), neurons_(neurons) {}

  // Forward.
  /// Nobody has spiked, and the recordings of other ranks' tiles are empty.
  void begin(SpikeLists& lists);
  /// On the caller's thread: the spikes of the own tiles in step t reach all ranks, which record those of others.
  void gather_spikes(std::uint32_t t, SpikeLists& lists);
  /// Who spiked in the last step that was gathered, ascending: the first `capacity` of them.
  [[nodiscard]] const std::vector<std::uint16_t>& spikes(std::uint32_t sample) const { return spikes_[sample]; }
  void keep(std::uint32_t sample, std::uint32_t capacity) {
    if (spikes_[sample].size() > capacity) spikes_[sample].resize(capacity);
  }
  void end(SpikeLists& lists);

  // Backward. Called by all workers.
  /// The steps behind `end` have been taken.
  void begin_back(Worker& worker, std::uint32_t end, const SpikeLists& lists);
  /// To step t. Where sums are exchanged in this step, add() tells what the own parts bring to the entries of a
  /// section in a sample: add(part, section, sample, entries, sums), sums of spikes, then of others, are zero before.
  /// Then the sums of all parts are added to ds of the own sections, in order.
  template <class Add>
  void step_back(Worker& worker, std::uint32_t t, bool exchanges, SpikeLists& lists, const Add& add);
  [[nodiscard]] const StepEntries& entries(std::uint32_t section, std::uint32_t sample) const {
    return entries_[std::size_t{section} * samples_ + sample];
  }

 private:
  [[nodiscard]] static std::size_t count(const StepEntries& e) { return e.spike1 - e.spike0 + e.other1 - e.other0; }
  void take_spikes(int rank, std::span<const std::byte> bytes, std::uint32_t t, SpikeLists& lists);
  void find_places();
  void exchange_sums();
  void add_sums(std::uint32_t section, std::uint32_t sample, Recording& recording) const;
  [[nodiscard]] float* sums_for(int rank, std::uint32_t own_part, std::uint32_t section, std::uint32_t sample) {
    return sums_[static_cast<std::size_t>(rank)].data() + own_part * rank_entries_[static_cast<std::size_t>(rank)] +
           place_[std::size_t{section} * samples_ + sample];
  }

  Agreement ranks_;
  LayerShare share_;
  std::uint32_t width_, neurons_, samples_ = 0;
  std::vector<std::vector<std::uint16_t>> spikes_;  ///< of every sample
  std::vector<std::byte> packed_;
  Gathered gathered_;

  std::vector<StepEntries> entries_;  ///< of every [section][sample]
  std::vector<std::size_t> place_;    ///< of every [section][sample]: entries of the same rank before it
  std::vector<std::size_t> rank_entries_;
  std::vector<std::vector<float>> sums_;  ///< for every rank: [own part][section of that rank][sample][entry]
  std::vector<const float*> from_;        ///< of every rank: the same for the own sections; null: it has no parts
};

template <class Add>
void StepExchange::step_back(Worker& worker, std::uint32_t t, bool exchanges, SpikeLists& lists, const Add& add) {
  worker.each(lists.sections, [&](std::size_t s) {
    for (std::uint32_t b = 0; b < samples_; ++b)
      entries_[s * samples_ + b].back_to(lists.recording(static_cast<std::uint32_t>(s), b), 0, t);
  });
  if (!exchanges) return;
  worker.once([&] { find_places(); });
  const std::uint32_t own = share_.own_parts();
  worker.each(std::size_t{own} * samples_, [&](std::size_t job) {
    const auto part = static_cast<std::uint32_t>(job / samples_), b = static_cast<std::uint32_t>(job % samples_);
    for (int r = 0; r < share_.ranks; ++r) {
      for (std::uint32_t s = share_.first_tile_of(r); s < share_.first_tile_of(r + 1); ++s) {
        const StepEntries& e = entries(s, b);
        if (count(e) > 0) add(share_.first_part(share_.rank) + part, s, b, e, sums_for(r, part, s, b));
      }
    }
  });
  worker.on_caller([&] { exchange_sums(); });
  worker.each(share_.own_tiles(), [&](std::size_t k) {
    const std::uint32_t s = share_.begin() + static_cast<std::uint32_t>(k);
    for (std::uint32_t b = 0; b < samples_; ++b) add_sums(s, b, lists.recording(s, b));
  });
}

}  // namespace tessera::training
