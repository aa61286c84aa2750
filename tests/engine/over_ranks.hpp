// Runs a network over ranks that live inside this process.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "comm/loopback.hpp"
#include "engine/networks.hpp"

namespace tessera::test {

/// A run over ranks: what its rank 0 was handed, and what all of them report.
struct RanksOutcome : Outcome {
  std::vector<Keeper::Sample> samples;
  std::vector<SimulationReport> reports;  ///< by rank
  std::uint64_t messages = 0;             ///< of lists that a fault can pick
};

/// Calls work(simulation, observer) on every rank; only rank 0's observer is looked at afterwards.
inline RanksOutcome run_over_ranks(const Network& network, const SimulationOptions& options, int ranks,
                                   const std::function<void(Simulation&, Keeper&)>& work, std::uint64_t seed = 1,
                                   LoopbackFault fault = {}) {
  RanksOutcome outcome;
  outcome.reports.resize(static_cast<std::size_t>(ranks));
  const LoopbackSummary summary = run_loopback(
      ranks, seed,
      [&](const std::shared_ptr<Communicator>& communicator) {
        SimulationOptions own = options;
        own.communicator = communicator;
        Simulation simulation = simulation_of(network, own);
        Keeper keeper;
        work(simulation, keeper);
        outcome.reports[static_cast<std::size_t>(communicator->rank())] = simulation.report();
        if (communicator->rank() > 0) {
          EXPECT_TRUE(keeper.spikes.empty() && keeper.samples.empty()) << "rank 0 alone speaks to its observer";
          return;
        }
        outcome.list = std::move(keeper.spikes);
        outcome.samples = std::move(keeper.samples);
      },
      fault);
  outcome.messages = summary.messages;
  const SimulationReport& first = outcome.reports.front();
  outcome.digest = first.digest;
  outcome.spikes = first.counts.spikes;
  outcome.synapses = first.counts.synapses;
  outcome.events = first.counts.synaptic_events;
  return outcome;
}

inline RanksOutcome outcome_over_ranks(const Network& network, const SimulationOptions& options, int ranks, double time_ms,
                                       std::uint64_t seed = 1, LoopbackFault fault = {}) {
  return run_over_ranks(
      network, options, ranks, [time_ms](Simulation& simulation, Keeper& keeper) { simulation.run(time_ms, keeper); },
      seed, fault);
}

inline SimulationOptions with(SimulationOptions options, Exchange exchange,
                              RankPlacement placement = RankPlacement::spread) {
  options.exchange = exchange;
  options.rank_placement = placement;
  return options;
}

/// Three areas of an excitatory and an inhibitory population: delays from 0.1 ms inside of an area, from
/// `between_ms` between them. Each has so many silent neurons (beside_silent() says what for).
inline Network three_areas(double between_ms = 2.0, std::uint32_t silent = 0) {
  Network network;
  network.name = "three_areas";
  const Distribution inside = Distribution::normal(1.5, 0.75).within(0.1, 6.0);
  const Distribution between = Distribution::uniform(between_ms, between_ms + 12.0);
  for (const char* area : {"A", "B", "C"}) {
    const std::string e = std::string("E") + area, i = std::string("I") + area;
    network.populations.push_back(neurons_of(e, 400));
    network.populations.push_back(neurons_of(i, 100));
    network.projections.push_back(project(e, e, Kind::fixed_total_number, 8000, Distribution::normal(120, 12), inside));
    network.projections.push_back(project(e, i, Kind::fixed_total_number, 2000, Distribution::normal(120, 12), inside));
    network.projections.push_back(project(i, e, Kind::fixed_indegree, 5, Distribution::normal(-400, 40), inside));
    network.stimuli.push_back(current(e, 390.0));
    network.stimuli.push_back(current(i, 370.0));
    if (silent == 0) continue;
    network.populations.push_back(neurons_of(std::string("S") + area, silent));
    network.projections.push_back(project(e, std::string("S") + area, Kind::fixed_total_number, 500, Distribution::constant(1), inside));
  }
  for (const auto& [from, to] : {std::pair{"EA", "EB"}, {"EB", "EC"}, {"EC", "EA"}, {"EB", "IA"}}) {
    network.projections.push_back(project(from, to, Kind::fixed_total_number, 1500, Distribution::constant(150), between));
  }
  for (Population& p : network.populations) {
    p.initial["V_m"].distribution = Distribution::normal(-58.0, 5.0);
    p.mean_rate_hz = 10.0;
    p.parameters = {{"tau_syn_in", 1.0}};
  }
  return network;
}

}  // namespace tessera::test
