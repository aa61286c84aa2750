// Populations that only send: Poisson sources and given spike trains.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "base/random.hpp"
#include "connectivity/chunks.hpp"
#include "kernels/poisson.hpp"
#include "tessera/network.hpp"

namespace tessera {

/// One chunk of a source population, whole: its draws belong to the chunk.
class SpikeSource {
 public:
  SpikeSource(const Network& network, const Chunk& chunk, std::uint32_t chunk_index,
              std::uint32_t first_id, RandomKey key);
  /// Appends the global ids of neurons that spike between step and step + 1, once per spike. Listed
  /// spikes at time 0 belong to step kFirstSpikeStep.
  void emit(std::int64_t step, std::vector<std::uint32_t>& ids);
  /// Of a Poisson source; others have none.
  void set_rate(double rate_hz);
  [[nodiscard]] const Chunk& chunk() const { return chunk_; }

 private:
  [[nodiscard]] bool active(std::int64_t step) const;
  void draw_period(std::int64_t period);

  Chunk chunk_;
  std::uint32_t chunk_index_;
  std::uint32_t first_id_;
  RandomKey key_;
  PoissonTable table_;
  double dt_ms_;
  double start_ms_ = 0.0, duration_ms_ = 0.0, interval_ms_ = 0.0;  ///< interval 0: one pulse
  std::vector<std::int32_t> counts_;
  std::vector<std::pair<std::int64_t, std::uint32_t>> train_;  ///< (step, neuron in chunk), sorted; of a bump, those of its period
  std::optional<ActivityBump> bump_;
  double base_hz_ = 0.0;
  std::uint32_t columns_ = 0;
  std::int64_t period_ = -1;  ///< which train_ is of
};

}  // namespace tessera
