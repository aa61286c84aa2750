// What a PartitionedSimulation owns.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/chip_part.hpp"
#include "engine/part_link.hpp"
#include "tessera/partitioned_simulation.hpp"

namespace tessera {

struct PartitionedSimulation::Impl {
  Impl(const Network& description, const NeuronCatalogue& models, const PartitionedOptions& wanted);
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  /// What is kept of a part for the whole run, whether it is in memory or not.
  struct Part {
    std::uint32_t run = 0;  ///< of the partition, from 1; 0: the host
    std::uint32_t beside = 0;  ///< the same number of parts that run at one time without being in lock-step; 0: none do
    std::vector<PartChunk> chunks;
    std::vector<std::uint32_t> populations;  ///< ascending
    std::unique_ptr<ChipPart> here;          ///< null: not in memory
    std::vector<bool> reached_by;            ///< neurons of the network, while it is in memory
    SpikeLog log;
    std::vector<PartTrace> traces;
    std::vector<substrate::LinkCounts> links;  ///< per part that sends
    std::optional<PartLink> link;            ///< into it; none: everything arrives
    std::optional<OutLink> out;
    std::uint64_t unrecorded = 0;            ///< spikes that could not leave
    std::int64_t given = kFirstSpikeStep;    ///< spikes of others are known up to this step
    std::int64_t checked = 0;                ///< end of the last window whose rates were looked at
    PartMemory memory;
    RowCounters counters;
    std::uint64_t synapses = 0;
    PhaseSeconds phases;                     ///< mean over the workers
    std::uint64_t messages = 0, message_bytes = 0;
  };
  /// Parts that are in memory at the same time: one, or those of a component in lock-step.
  struct Group {
    std::vector<std::uint32_t> parts;
    std::int64_t turn_steps = 1;
    std::uint64_t turns = 0;
    std::unique_ptr<ScratchFile> parked;  ///< rows of the parts that wait; null: they stay in memory
  };

  /// Parts that are executed together: of one group, or of groups that share a round on several chips.
  struct Wave {
    std::vector<std::uint32_t> groups;
    std::vector<std::uint32_t> parts;  ///< of all of them
    std::size_t lanes = 1;             ///< parts that run at one time, part i in lane i % lanes; each has threads of its own
  };

  // partitioned_parts.cpp: which neurons are where, in which order.
  void make_parts();
  void make_groups();
  [[nodiscard]] std::int64_t turn_steps_of(const Group& group) const;
  [[nodiscard]] std::uint64_t expected_bytes(const Part& part) const;
  [[nodiscard]] bool rows_leave_memory(const Group& group) const;
  void choose_connectivity();
  [[nodiscard]] std::uint64_t memory_limit() const;

  // partitioned_simulation.cpp
  void map_weights();
  [[nodiscard]] std::int64_t rate_window() const;
  void play_back(Part& part, std::int64_t to);
  void count_rest(Part& part);
  void take_sent(Part& part, std::int64_t step, std::vector<SentSpike>& sent) const;
  [[nodiscard]] std::vector<std::uint32_t> slips_of(const Part& part, std::int64_t step, const std::vector<SentSpike>& sent) const;
  void put_away(const Wave& wave);
  void count_memory(const Wave& wave);
  void check_activity(Part& part, std::int64_t now);
  void check_window(const Part& part, std::int64_t begin);
  [[nodiscard]] std::uint64_t busiest(std::size_t population, std::int64_t begin) const;
  [[nodiscard]] std::size_t population_of(std::uint32_t neuron) const;
  [[nodiscard]] bool wants_to_stop(RunObserver& observer, std::int64_t steps);
  [[nodiscard]] std::int64_t reached() const;

  // partitioned_rounds.cpp: what is executed when, by which threads.
  void make_lanes();
  void make_waves();
  [[nodiscard]] std::size_t lanes_for(const Wave& wave) const;
  [[nodiscard]] bool fits_beside(const Wave& wave, const Group& group) const;
  [[nodiscard]] ThreadTeam& team_of(const Wave& wave, std::size_t lane) { return wave.lanes > 1 ? *lane_teams[lane] : *team; }
  void each_part(const Wave& wave, const std::function<void(std::size_t)>& work);
  void run(double time_ms, RunObserver& observer);
  void build(Wave& wave);
  void check_order(Wave& wave) const;
  bool run_wave(const Wave& wave, RunObserver& observer);

  // partitioned_output.cpp
  void hand_out(std::int64_t until, RunObserver& observer);
  void hand_out_samples(std::int64_t from, std::int64_t until, RunObserver& observer) const;
  [[nodiscard]] SimulationReport report() const;
  [[nodiscard]] TurnsReport turns() const;

  Network network;  ///< with the weights of its lists as chips have them
  NeuronCatalogue models;
  PartitionedOptions options;
  Wiring wiring;  ///< without chunks of its own
  WeightUnits units;
  substrate::EventLinks event_links;
  double step_us = 0.0;  ///< of the chip, of a step of the network
  MembraneNoise noise;
  substrate::NoiseTable event_noise;  ///< us of the chip
  std::optional<AllNeurons> neurons;
  std::unique_ptr<ThreadTeam> team;                     ///< all threads
  std::unique_ptr<ThreadTeam> lanes;                    ///< with several chips: who runs parts at one time; else null
  std::vector<std::unique_ptr<ThreadTeam>> lane_teams;  ///< the threads of each of them
  PartContext context;
  std::vector<Part> parts;
  std::vector<Group> groups;  ///< in the order in which they run
  std::vector<Wave> waves;    ///< all of them
  bool has_host = false;      ///< parts[0] is the host
  std::int64_t end = 0;       ///< steps of the run
  std::int64_t done = 0;      ///< part-steps, for the progress
  std::vector<std::vector<std::uint64_t>> window_spikes;  ///< [window][population]
  std::uint64_t digest = 0, spikes = 0;
  std::vector<std::uint64_t> population_spikes;
  std::uint64_t peak_bytes = 0, saved_bytes = 0, parked_bytes = 0;
  double construction_seconds = 0.0, run_seconds = 0.0, observer_seconds = 0.0;
  double last_asked = 0.0;    ///< seconds of the clock
};

}  // namespace tessera
