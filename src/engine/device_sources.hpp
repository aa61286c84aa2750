// Sources of spikes beside a device: the host draws what they spike, some steps ahead, and launches get their rows.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "base/thread_team.hpp"
#include "engine/tile.hpp"

namespace tessera {

class DeviceSources {
 public:
  /// `team` draws; nobody else may use it meanwhile.
  DeviceSources(const TileContext& context, ThreadTeam& team);

  [[nodiscard]] bool empty() const { return sources_.empty(); }
  /// Draws the steps up to `to` - 1 that are not drawn yet.
  void draw_until(std::int64_t to);
  /// Global ids, an id per spike, of a step that is drawn and not forgotten; of others none.
  [[nodiscard]] const std::vector<std::uint32_t>& of(std::int64_t step) const;
  /// The first step that is not forgotten.
  [[nodiscard]] std::int64_t first() const { return first_; }
  void forget_before(std::int64_t step);
  /// Begins with the spikes that step `now` ends with; at 0 with those at time 0.
  void restart(std::int64_t now);

 private:
  ThreadTeam* team_;
  std::vector<SpikeSource> sources_;
  std::int64_t first_;
  std::deque<std::vector<std::uint32_t>> steps_;  ///< from first_ on
  std::vector<std::uint32_t> none_;
};

}  // namespace tessera
