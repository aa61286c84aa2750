// What the parts have left: spikes and samples in the order of their steps, and the reports.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <cmath>

#include "engine/partitioned_impl.hpp"

namespace tessera {
namespace {

constexpr std::int64_t kSlice = 1000;  // steps that are handed out at once

void add(const PhaseSeconds& part, PhaseSeconds& sum) {
  sum.deliver += part.deliver;
  sum.update += part.update;
  sum.wait += part.wait;
  sum.exchange += part.exchange;
  sum.record += part.record;
}

}  // namespace

/// Counts and hands out what was spiked before step `until`, merged over the parts, and the samples.
void PartitionedSimulation::Impl::hand_out(std::int64_t until, RunObserver& observer) {
  const auto start = std::chrono::steady_clock::now();
  std::vector<Spike> list;
  std::vector<std::uint32_t> of_step;
  for (std::int64_t from = 0; from < until; from += kSlice) {
    const std::int64_t to = std::min(from + kSlice, until);
    list.clear();
    for (std::int64_t step = from == 0 ? kFirstSpikeStep : from; step < to; ++step) {
      of_step.clear();
      for (const Part& part : parts) {
        if (part.log.end() > step) of_step.insert(of_step.end(), part.log.of(step).begin(), part.log.of(step).end());
      }
      std::sort(of_step.begin(), of_step.end());
      const auto stamp = static_cast<std::uint32_t>(step + 1);
      for (const std::uint32_t neuron : of_step) {
        digest += spike_hash(stamp, neuron);
        ++population_spikes[population_of(neuron)];
        list.push_back({stamp, neuron});
      }
    }
    spikes += list.size();
    if (observer.wants_spikes() && !list.empty()) observer.on_spikes(list);
    hand_out_samples(from, to, observer);
  }
  observer_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Rows of every recorder for the steps (from, until].
void PartitionedSimulation::Impl::hand_out_samples(std::int64_t from, std::int64_t until, RunObserver& observer) const {
  for (std::size_t r = 0; r < network.recorders.size(); ++r) {
    const auto interval = std::max<std::int64_t>(1, std::llround(network.recorders[r].interval_ms / network.dt_ms));
    std::vector<double> row(network.recorders[r].count);
    for (std::int64_t at = (from / interval + 1) * interval; at <= until; at += interval) {
      for (const Part& part : parts) {
        if (part.traces.empty()) continue;
        const PartTrace& trace = part.traces[r];
        const std::size_t first = static_cast<std::size_t>(at / interval - 1) * trace.neurons.size();
        for (std::size_t c = 0; c < trace.neurons.size(); ++c) row[trace.neurons[c]] = trace.values[first + c];
      }
      observer.on_sample({static_cast<std::uint32_t>(at), r, row});
    }
  }
}

SimulationReport PartitionedSimulation::Impl::report() const {
  SimulationReport report;
  report.model_time_ms = static_cast<double>(reached()) * network.dt_ms;
  report.construction_seconds = construction_seconds;
  report.run_seconds = run_seconds;
  report.digest = digest;
  report.counts.spikes = spikes;
  for (const Part& part : parts) {
    report.counts.synapses += part.synapses;
    report.counts.synaptic_events += part.counters.synaptic_events;
    report.counts.row_visits += part.counters.row_visits;
    report.counts.exchanged_messages += part.messages;
    report.counts.exchanged_bytes += part.message_bytes;
    report.synapse_bytes = std::max(report.synapse_bytes, part.memory.synapses);
    add(part.phases, report.phases);
  }
  report.phases.record += observer_seconds;
  report.workers = {report.phases};
  if (context.connectivity == Connectivity::procedural) {  // nobody has counted them
    const SynapseNumber number = number_of_synapses(network);
    report.counts.synapses = number.synapses;
    report.counts.synapses_expected = number.expected;
  }
  for (std::size_t p = 0; p < network.populations.size(); ++p) {
    const Population& population = network.populations[p];
    report.populations.push_back({population.name, population.size, population_spikes[p]});
    report.counts.neurons += population.size;
  }
  report.planned_bytes = peak_bytes;
  report.connectivity = context.connectivity;
  report.threads = team->size();
  report.rounded_weights = units.rounded;
  return report;
}

TurnsReport PartitionedSimulation::Impl::turns() const {
  TurnsReport report;
  report.runs = static_cast<std::uint32_t>(options.partition.runs.size());
  report.rounds = options.partition.rounds;
  report.chips = options.partition.chips;
  for (const Group& group : groups) {
    if (parts[group.parts.front()].run == 0) continue;
    report.turns += group.turns;
    if (group.parts.size() < 2) continue;
    report.lock_step_parts += static_cast<std::uint32_t>(group.parts.size());
    const double turn_ms = static_cast<double>(group.turn_steps) * network.dt_ms;
    report.turn_ms = report.turn_ms == 0.0 ? turn_ms : std::min(report.turn_ms, turn_ms);
  }
  for (const Part& to : parts) {
    for (std::size_t q = 0; q < parts.size(); ++q) {
      const substrate::LinkCounts& n = to.links[q];
      if (n.events > 0) report.edges.push_back({parts[q].run, to.run, n.events, n.events - n.dropped - n.late, n.dropped, n.late});
    }
  }
  for (const Part& part : parts) {
    report.recorded_spikes += part.log.size();
    report.record_bytes += part.log.bytes();
    for (const PartTrace& trace : part.traces) report.record_bytes += trace.values.capacity() * sizeof(double);
    if (part.run == 0) continue;
    report.parts.push_back(part.memory);
    report.unrecorded.push_back(part.unrecorded);
    report.largest_part_bytes = std::max(report.largest_part_bytes, part.memory.all());
    report.all_parts_bytes += part.memory.all();
  }
  report.peak_bytes = peak_bytes;
  report.saved_bytes = saved_bytes;
  report.parked_bytes = parked_bytes;
  return report;
}

}  // namespace tessera
