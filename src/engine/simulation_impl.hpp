// What a Simulation owns.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/thread_team.hpp"
#include "engine/step_loop.hpp"
#include "engine/tile.hpp"
#include "machine/placement.hpp"
#include "tessera/simulation.hpp"

namespace tessera {

struct Simulation::Impl {
  Impl(const Network& description, const NeuronCatalogue& models, const SimulationOptions& wanted);
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void run(double time_ms, RunObserver& observer);
  [[nodiscard]] SimulationReport report() const;
  [[nodiscard]] std::uint64_t total_spikes() const;
  void make_sample_buffers();
  void prepare_samples(std::int64_t from, std::int64_t to);
  void hand_out(RunObserver& observer);
  [[nodiscard]] std::int64_t rate_window() const;
  [[nodiscard]] std::optional<ActivityError> check_activity();

  // Description and placement: fixed after construction. Later members point into earlier ones.
  Network network;
  SimulationOptions options;
  std::unique_ptr<Wiring> wiring;
  Placement placement;
  WeightUnits units;
  TileContext context;
  std::vector<TileLayout> layouts;
  std::unique_ptr<ThreadTeam> team;
  // State.
  std::vector<std::unique_ptr<Tile>> tiles;
  std::unique_ptr<StepLoop> loop;
  std::int64_t now = 0;
  std::int64_t window_begin = 0;  ///< of the activity check
  std::vector<std::uint64_t> population_spikes;
  std::uint64_t digest_before_checkpoint = 0;
  std::uint64_t spikes_before_checkpoint = 0;
  // Measurements.
  std::uint64_t planned_bytes = 0;
  double construction_seconds = 0.0;
  double run_seconds = 0.0;
  double observer_seconds = 0.0;
};

}  // namespace tessera
