// What a simulation reports. Counts are sums over ranks; times are this rank's, and of all ranks in RanksReport.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "engine/simulation_impl.hpp"

namespace tessera {
namespace {

/// What a rank tells the others about itself.
struct RankFigures {
  double deliver, update, wait, exchange, record, busy;
  double neurons, synapses, synaptic_events, messages, bytes, table_bytes;
  double construction_messages, check_messages;
};

OverRanks over_ranks(const std::vector<RankFigures>& all, double RankFigures::* figure) {
  OverRanks result;
  result.least = result.most = all.front().*figure;
  for (std::size_t r = 0; r < all.size(); ++r) {
    const double value = all[r].*figure;
    result.least = std::min(result.least, value);
    result.mean += value / static_cast<double>(all.size());
    if (value > result.most) {
      result.most = value;
      result.rank_of_most = static_cast<int>(r);
    }
  }
  return result;
}

void add(const PhaseSeconds& phases, double share, PhaseSeconds& mean) {
  mean.deliver += share * phases.deliver;
  mean.update += share * phases.update;
  mean.wait += share * phases.wait;
  mean.exchange += share * phases.exchange;
  mean.record += share * phases.record;
}

}  // namespace

std::uint64_t Simulation::Impl::own_spikes() const {
  std::uint64_t spikes = 0;
  for (const StepLoop::Counters& worker : loop->worker_counters()) spikes += worker.spikes;
  return spikes;
}

/// What structural rules have done on this rank goes to the end of what is summed over ranks,
void Simulation::Impl::add_rewiring(SimulationReport& report, std::vector<std::uint64_t>& sums) const {
  for (const auto& tile : tiles) report.rewiring_seconds += tile->rewiring_seconds();
  if (rewiring != nullptr) report.rewiring_seconds += rewiring->seconds();
  for (std::uint32_t p = 0; p < network.projections.size(); ++p) {
    if (!network.projections[p].rewiring) continue;
    RewiringCounts all;
    std::uint64_t synapses = 0;
    for (const auto& tile : tiles) {
      const RewiringCounts counts = tile->rewired(p);
      synapses += counts.synapses;
      all.formed += counts.formed;
      all.eliminated += counts.eliminated;
      all.existing += counts.existing;
      all.invalid += counts.invalid;
      all.at_limit += counts.at_limit;
    }
    report.rewiring.push_back({network.projections[p].name, network.projections[p].rewiring->rule, 0, 0, 0, 0, 0, 0});
    sums.insert(sums.end(), {synapses, all.formed, all.eliminated, all.existing, all.invalid, all.at_limit});
  }
}

/// and comes from there.
void Simulation::Impl::take_rewiring(SimulationReport& report, const std::vector<std::uint64_t>& sums) {
  auto sum = sums.end() - static_cast<std::ptrdiff_t>(6 * report.rewiring.size());
  for (RewiringReport& r : report.rewiring) {
    for (std::uint64_t* figure : {&r.synapses, &r.formed, &r.eliminated, &r.existing, &r.invalid, &r.at_limit}) *figure = *sum++;
  }
}

RanksReport Simulation::Impl::report_ranks(const SimulationReport& own) const {
  const double steps = std::max<double>(1.0, static_cast<double>(steps_advanced));
  const RankExchange* lists = loop->meetings().ranks.get();
  const Traffic sent = lists != nullptr ? lists->sent() : Traffic{};
  const PhaseSeconds& phases = own.phases;
  const RankFigures mine{phases.deliver, phases.update, phases.wait, phases.exchange, phases.record,
                         phases.deliver + phases.update,
                         static_cast<double>(loop->own().size()),
                         static_cast<double>(own.counts.synapses), static_cast<double>(own.counts.synaptic_events),
                         static_cast<double>(sent.messages) / steps, static_cast<double>(sent.bytes) / steps,
                         lists != nullptr ? static_cast<double>(lists->table_bytes()) : 0.0,
                         static_cast<double>(construction_messages), static_cast<double>(check_messages)};
  const std::vector<RankFigures> all = ranks.all(mine);
  const auto over = [&all](double RankFigures::* figure) { return over_ranks(all, figure); };
  RanksReport report;
  report.ranks = ranks.size();
  report.idle_ranks = static_cast<int>(std::count(placement.rank_loads.begin(), placement.rank_loads.end(), 0.0));
  report.placement = options.rank_placement;
  report.exchange = exchange.chosen;
  report.local_interval_steps = static_cast<int>(exchange.local_interval);
  report.remote_interval_steps = static_cast<int>(exchange.remote_interval);
  report.deliver = over(&RankFigures::deliver);
  report.update = over(&RankFigures::update);
  report.wait = over(&RankFigures::wait);
  report.exchange_phase = over(&RankFigures::exchange);
  report.record = over(&RankFigures::record);
  report.busy = over(&RankFigures::busy);
  report.neurons = over(&RankFigures::neurons);
  report.synapses = over(&RankFigures::synapses);
  report.synaptic_events = over(&RankFigures::synaptic_events);
  report.messages_per_step = over(&RankFigures::messages);
  report.bytes_per_step = over(&RankFigures::bytes);
  report.table_bytes = over(&RankFigures::table_bytes);
  for (const RankFigures& rank : all) {
    report.construction_messages += static_cast<std::uint64_t>(rank.construction_messages);
    report.check_messages += static_cast<std::uint64_t>(rank.check_messages);
  }
  return report;
}

SimulationReport Simulation::Impl::report() const {
  ranks.enter("reporting", now);
  SimulationReport report;
  report.model_time_ms = static_cast<double>(now) * network.dt_ms;
  report.construction_seconds = construction_seconds;
  report.run_seconds = run_seconds;
  report.digest = digest_before_checkpoint;
  WorkCounters& counts = report.counts;
  counts.spikes = spikes_before_checkpoint + own_spikes();
  for (const StepLoop::Counters& worker : loop->worker_counters()) {
    report.digest += worker.digest;
    counts.exchanged_messages += worker.messages;
    counts.exchanged_bytes += worker.message_bytes;
    report.workers.push_back(worker.phases);
    add(worker.phases, 1.0 / placement.workers, report.phases);
  }
  report.phases.record += observer_seconds;
  for (const auto& tile : tiles) {
    counts.synapses += tile->synapses();
    counts.synaptic_events += tile->counters().synaptic_events;
    counts.row_visits += tile->counters().row_visits;
    report.synapse_bytes += tile->synapse_bytes();
  }
  if (device != nullptr) {
    counts.synaptic_events = device->counters().synaptic_events;
    counts.row_visits = device->counters().row_visits;
    report.device = device->machine().name;
    report.device_bytes = device->device_bytes();
    report.phases = device->phases();
    report.phases.record = observer_seconds;
  }
  report.ranks = report_ranks(report);
  std::vector<std::uint64_t> sums = own_population_spikes();
  std::uint64_t uncounted = context.connectivity == Connectivity::procedural ? 1 : 0;
  std::uint64_t* const figures[] = {&report.digest, &counts.spikes, &counts.exchanged_messages, &counts.exchanged_bytes,
                                    &counts.synapses, &counts.synaptic_events, &counts.row_visits, &uncounted};
  for (const std::uint64_t* figure : figures) sums.push_back(*figure);
  add_rewiring(report, sums);
  ranks.sum(sums);
  take_rewiring(report, sums);
  const std::size_t populations = network.populations.size();
  for (std::size_t i = 0; i < std::size(figures); ++i) *figures[i] = sums[populations + i];
  if (uncounted > 0) {  // nobody has counted them
    const SynapseNumber number = number_of_synapses(network);
    counts.synapses = number.synapses;
    counts.synapses_expected = number.expected;
  }
  for (std::size_t p = 0; p < populations; ++p) {
    const Population& population = network.populations[p];
    report.populations.push_back({population.name, population.size, population_spikes[p] + sums[p]});
    counts.neurons += population.size;
  }
  report.planned_bytes = planned_bytes;
  report.connectivity = context.connectivity;
  report.mixture = mixture;
  report.threads = placement.workers;
  report.tiles = static_cast<int>(tiles.size());
  if (options.precision == Precision::fast) report.rounded_weights = units.rounded;
  return report;
}

}  // namespace tessera
