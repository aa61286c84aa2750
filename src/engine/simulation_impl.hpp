// What a Simulation owns.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <vector>

#include "base/thread_team.hpp"
#include "comm/agreement.hpp"
#include "engine/device_loop.hpp"
#include "engine/global_rewiring.hpp"
#include "engine/neuron_ranges.hpp"
#include "engine/step_loop.hpp"
#include "engine/tile.hpp"
#include "machine/exchange_plan.hpp"
#include "machine/placement.hpp"
#include "tessera/simulation.hpp"

namespace tessera {

struct Simulation::Impl {
  Impl(const Network& description, const NeuronCatalogue& models, const SimulationOptions& wanted);
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void build(const NeuronCatalogue& models);
  void make_tiles(const std::vector<int>& ports);
  [[nodiscard]] std::unique_ptr<RankExchange> make_exchange() const;

  // simulation_run.cpp
  void run(double time_ms, RunObserver& observer);
  struct Slice {
    std::uint64_t stop = 0;        ///< ranks that want to
    std::uint64_t next_steps = 0;  ///< rank 0 says
  };
  void settle_slice(Slice& slice, const std::exception_ptr& failure) const;
  [[nodiscard]] bool begin_slices(std::int64_t steps, RunObserver& observer);
  [[nodiscard]] std::optional<ActivityError> advance_to(std::int64_t to, std::int64_t end);
  [[nodiscard]] std::uint64_t own_spikes() const;
  [[nodiscard]] std::vector<std::uint64_t> own_population_spikes() const;
  [[nodiscard]] std::int64_t rate_window() const;
  [[nodiscard]] std::int64_t window_after(std::int64_t step) const;
  [[nodiscard]] std::int64_t launch_end() const;
  [[nodiscard]] std::optional<ActivityError> check_activity();
  [[nodiscard]] std::optional<ActivityError> check_rates(std::span<const std::uint64_t> spikes) const;
  [[nodiscard]] ActivityError not_finite(Tile::NotFinite first) const;
  [[nodiscard]] std::uint64_t busiest(std::size_t population) const;

  void show_synapses(const std::string& projection, const std::vector<std::uint32_t>* sources,
                     const std::function<void(std::span<const ConnectivityRule::Synapse> row)>& row) const;

  // simulation_live.cpp
  struct ByTile {
    std::vector<PlasticSynapse> synapses;
    std::vector<std::size_t> end;  ///< of every tile's
  };
  [[nodiscard]] ByTile synapses_by_tile(std::uint32_t projection) const;
  void require_weights(std::size_t projection, std::span<const double> weights, std::span<const double> before) const;
  void renew_inputs();

  // simulation_output.cpp
  void make_sample_buffers();
  void prepare_samples(std::int64_t from, std::int64_t to);
  [[nodiscard]] std::vector<Spike> collect_spikes(std::int64_t from);
  void collect_samples();
  void hand_out(std::span<const Spike> spikes, RunObserver& observer) const;

  // simulation_report.cpp
  [[nodiscard]] SimulationReport report() const;
  [[nodiscard]] RanksReport report_ranks(const SimulationReport& own) const;
  void add_rewiring(SimulationReport& report, std::vector<std::uint64_t>& sums) const;
  static void take_rewiring(SimulationReport& report, const std::vector<std::uint64_t>& sums);

  // checkpoint.cpp
  struct Kept;
  [[nodiscard]] Kept read_checkpoint(const std::filesystem::path& file) const;

  // Description and placement: fixed after construction. Later members point into earlier ones.
  Network network;
  SimulationOptions options;
  Agreement ranks;
  std::unique_ptr<Wiring> wiring;
  Placement placement;
  ExchangePlan exchange;
  WeightUnits units;
  TileContext context;
  std::vector<TileLayout> layouts;
  std::optional<AllNeurons> neurons;
  std::unique_ptr<ThreadTeam> team;
  // State.
  std::vector<std::unique_ptr<Tile>> tiles;
  std::unique_ptr<StepLoop> loop;
  std::unique_ptr<GlobalRewiring> rewiring;  ///< null: no rule looks beyond a chunk
  std::unique_ptr<DeviceLoop> device;  ///< null: steps run on the processor
  std::int64_t now = 0;
  std::int64_t window_begin = 0;  ///< of the activity check
  std::vector<std::uint64_t> population_spikes;  ///< of all ranks, up to the window
  std::uint64_t digest_before_checkpoint = 0;    ///< sums over ranks, like what the loop counts
  std::uint64_t spikes_before_checkpoint = 0;
  bool keep_spikes = false;            ///< rank 0's observer wants them
  std::uint64_t slice_spikes = 0;      ///< of all ranks
  std::uint64_t spikes_checked = 0;    ///< own ones that slice_spikes has
  std::vector<std::vector<double>> samples;      ///< on rank 0, per recorder: rows of a slice, of all ranks
  // Measurements.
  std::uint64_t planned_bytes = 0;
  Mixture mixture;
  double construction_seconds = 0.0;
  double run_seconds = 0.0;
  double observer_seconds = 0.0;
  std::uint64_t steps_advanced = 0;
  std::uint64_t construction_messages = 0, check_messages = 0;
};

}  // namespace tessera
