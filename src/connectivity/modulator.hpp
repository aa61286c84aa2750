// The third factor of a projection's plasticity: the trace of a population's spikes, the same for all its synapses.
//
// Spikes add up at the times at which they act. In between the trace decays, so that it is known everywhere from its values
// right after the times at which something was added; rows that look back need those since their last visit.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "plasticity/plastic_row.hpp"

namespace tessera {

class Modulator {
 public:
  struct Source {
    std::uint32_t first_id = 0, size = 0;  ///< global ids of the population
    std::int32_t delay = 1;                ///< steps from a spike to when it acts
    double tau_ms = 1.0;
    friend bool operator==(const Source&, const Source&) = default;
  };
  Modulator(Source source, double dt_ms);

  [[nodiscard]] const Source& source() const { return source_; }
  [[nodiscard]] bool has(std::uint32_t neuron) const { return neuron - source_.first_id < source_.size; }
  /// A spike of this time, in any order as long as advance() has not passed when it acts.
  void add(std::int32_t time);
  /// All spikes that act up to now were added.
  void advance(std::int32_t now);
  /// Nobody will ask for this time or an earlier one any more.
  void need_after(std::int32_t time);

  struct Window {
    std::span<const ModulatorEvent> events;  ///< of (seen, now]
    double level = 0.0;                      ///< at `seen`
  };
  [[nodiscard]] Window window(std::int32_t seen, std::int32_t now) const;

  [[nodiscard]] std::size_t bytes() const;
  void save(std::vector<std::uint8_t>& bytes) const;
  [[nodiscard]] std::size_t saved_bytes() const;
  /// Takes from the front of `bytes`; false when they are not what save() writes.
  [[nodiscard]] bool load(std::span<const std::uint8_t>& bytes);

 private:
  struct Coming {
    std::int32_t time;
    std::uint32_t spikes;
  };
  [[nodiscard]] double faded(double level, std::int32_t steps) const;

  Source source_;
  double dt_ms_;
  std::vector<ModulatorEvent> events_;  ///< ascending; the first one may be the last before what is needed
  std::vector<Coming> coming_;          ///< ascending: not yet acted
};

}  // namespace tessera
