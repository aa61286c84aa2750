// What keeps a network from being run in parts.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "engine/chip_circuits.hpp"
#include "tessera/communicator.hpp"
#include "tessera/partitioned_simulation.hpp"

namespace tessera {
namespace {

class Report {
 public:
  explicit Report(std::vector<Problem>& problems) : problems_(&problems) {}
  void add(const std::string& key, const std::string& message) { problems_->push_back({{"", 0, 0, key}, message}); }
  void add(SourceLocation where, const std::string& key, const std::string& message) {
    if (where.key_path.empty()) where.key_path = key;
    problems_->push_back({std::move(where), message});
  }

 private:
  std::vector<Problem>* problems_;
};

/// Every neuron must be in one run.
void check_slices(const Network& network, const Partition& partition, Report& report) {
  std::vector<std::vector<std::uint32_t>> owners(network.populations.size());
  for (std::size_t p = 0; p < owners.size(); ++p) owners[p].assign(network.populations[p].size, 0);
  for (const PartitionRun& run : partition.runs) {
    for (const PartitionSlice& slice : run.slices) {
      const std::size_t p = slice.population < partition.populations.size() ? partition.populations[slice.population].index : owners.size();
      const std::uint64_t end = std::uint64_t{slice.first} + slice.count;
      if (p >= owners.size() || end > owners[p].size()) {
        report.add("partition", fmt::format("The partition is of another network: it has neurons {} to {} of its population {}.",
                                            slice.first, end - 1, slice.population));
        return;
      }
      for (std::uint64_t i = slice.first; i < end; ++i) ++owners[p][i];
    }
  }
  for (std::size_t p = 0; p < owners.size(); ++p) {
    const Population& population = network.populations[p];
    if (population.kind != Population::Kind::neurons) continue;
    const auto missed = std::count(owners[p].begin(), owners[p].end(), 0U);
    const auto repeated = std::count_if(owners[p].begin(), owners[p].end(), [](std::uint32_t n) { return n > 1; });
    if (missed == 0 && repeated == 0) continue;
    report.add("partition", fmt::format("The partition misses {} of the {} neurons of population '{}' and has {} more than once.",
                                        missed, population.size, population.name, repeated));
  }
}

void check_network(const Network& network, Report& report) {
  for (const Projection& p : network.projections) {
    if (p.plasticity || p.rewiring) {
      report.add(p.where, "projections." + p.name,
                 fmt::format("Projection '{}' {}, which chips of a machine file cannot: its weights are loaded with every part. "
                             "Leave its plasticity out, or run without a machine.",
                             p.name, p.rewiring ? "rewires" : "is plastic"));
    }
  }
}

void check_options(const SimulationOptions& options, Report& report) {
  const auto refuse = [&](const std::string& key, const std::string& why) { report.add(key, "A run on a machine " + why); };
  if (options.precision != Precision::fast) {
    refuse("precision", "adds weights as whole numbers: precision must be 'fast', not 'exact'.");
  }
  if (options.device.kind == Device::Kind::cuda || options.device.kind == Device::Kind::emulated) {
    refuse("device", "takes the steps of its parts on the processor: leave the device out.");
  }
  if (options.communicator && options.communicator->size() > 1) refuse("ranks", "is one process; start it without mpirun.");
}

/// What simulations do not emulate, and what does not fit their steps.
void check_effects(const Network& network, const MachineDescription& machine, Report& report) {
  const double step_us = network.dt_ms * 1e3 / machine.speedup, ratio = machine.events.clock_ns * 1e-3 / step_us;
  if (ratio > 1.0 + 1e-9 && std::abs(ratio - std::round(ratio)) > 1e-6 * ratio) {
    report.add("dt", fmt::format("A step of the network is {} us of the chip, whose clock of {} us is not a whole number of them.", step_us,
                                 machine.events.clock_ns * 1e-3));
  }
  const bool reads_steps = machine.readout.membranes > 0 && (machine.readout.bits > 0 || machine.readout.interval_us > 0.0);
  if (reads_steps && !network.recorders.empty()) {
    report.add("machine", fmt::format("Machine '{}' reads membranes in whole steps, but simulations record them as they are: record no states, or "
                                      "leave \"readout\" out of --effects.",
                                      machine.name));
  }
}

}  // namespace

std::vector<Problem> validate(const Network& network, const NeuronCatalogue& models, const PartitionedOptions& options) {
  std::vector<Problem> problems = validate(network, models);
  if (!problems.empty()) return problems;
  Report report(problems);
  check_options(options.simulation, report);
  check_effects(network, options.machine, report);
  const std::vector<Problem> circuits = circuit_problems(network, models, options.machine);
  problems.insert(problems.end(), circuits.begin(), circuits.end());
  check_network(network, report);
  check_slices(network, options.partition, report);
  return problems;
}

}  // namespace tessera
