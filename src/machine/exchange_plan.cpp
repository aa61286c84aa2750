// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "machine/exchange_plan.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "machine/rank_placement.hpp"

namespace tessera {
namespace {

using RankSet = std::vector<bool>;

// What a pair takes in the table of who needs which neuron, and the most of it per synapse (a stored one takes four or five).
constexpr double kPairBytes = 2.0, kTableBytesPerSynapse = 0.25;

/// Which ranks have neurons of a population, and what share of them.
struct Homes {
  std::map<std::uint32_t, double> share;
  [[nodiscard]] bool only(const Homes& other) const {
    return share.size() == 1 && other.share.size() == 1 && share.begin()->first == other.share.begin()->first;
  }
  [[nodiscard]] double on(std::uint32_t rank) const {
    const auto found = share.find(rank);
    return found == share.end() ? 0.0 : found->second;
  }
};

std::vector<Homes> homes_of(const Wiring& wiring, const Placement& placement) {
  std::vector<Homes> homes(wiring.network().populations.size());
  for (std::uint32_t c = 0; c < wiring.chunks().size(); ++c) {
    const Chunk& chunk = wiring.chunks()[c];
    const double share = static_cast<double>(chunk.size) / wiring.network().populations[chunk.population].size;
    homes[chunk.population].share[placement.rank_of_chunk[c]] += share;
  }
  return homes;
}

/// Projections by their populations' numbers.
struct Link {
  std::size_t source = 0, target = 0;
  double per_source = 0.0;  ///< expected synapses of one source
  double synapses = 0.0;    ///< of all; none of what only modulates
  std::uint32_t shortest = 1;
};

std::vector<Link> links_of(const Network& network) {
  std::vector<Link> links;
  for (const Projection& p : network.projections) {
    const std::size_t source = network.index_of(p.source), target = network.index_of(p.target);
    const double synapses = expected_synapses(p, network.populations[source], network.populations[target]);
    links.push_back({source, target, synapses / network.populations[source].size, synapses, shortest_delay_steps(network, p) - axonal_steps(p, network.dt_ms)});
    if (!has_modulator(p)) continue;
    constexpr double kNeeded = 1e6;  // every spike is, wherever there are targets
    links.push_back({network.index_of(p.plasticity->modulator), target, kNeeded, 0.0, modulator_steps(p, network.dt_ms)});
  }
  return links;
}

/// The longest interval after which no spike of another rank is late (argument 4 above the step loop).
std::uint32_t remote_interval(const Wiring& wiring, const std::vector<Link>& links, const std::vector<Homes>& homes) {
  std::uint32_t shortest = wiring.max_delay_steps();
  for (const Link& link : links) {
    if (!homes[link.source].only(homes[link.target])) shortest = std::min(shortest, link.shortest);
  }
  const std::uint32_t group = wiring.ring_shape().steps(), local = wiring.exchange_steps();
  const std::uint32_t longest = 1 + (shortest - 1) / group * group;
  return std::max(local, longest / local * local);
}

void add_homes(const Homes& homes, RankSet& ranks) {
  for (const auto& [rank, share] : homes.share) ranks[rank] = true;
}

std::vector<int> others_in(const RankSet& ranks, int self) {
  std::vector<int> others;
  for (std::size_t r = 0; r < ranks.size(); ++r) {
    if (ranks[r] && static_cast<int>(r) != self) others.push_back(static_cast<int>(r));
  }
  return others;
}

Neighbours neighbours_of(const std::vector<Link>& links, const std::vector<Homes>& homes, const Placement& placement) {
  const auto rank = static_cast<std::uint32_t>(placement.rank);
  RankSet to(static_cast<std::size_t>(placement.ranks), false), from = to;
  for (const Link& link : links) {
    if (homes[link.source].on(rank) > 0.0) add_homes(homes[link.target], to);
    if (homes[link.target].on(rank) > 0.0) add_homes(homes[link.source], from);
  }
  return {others_in(to, placement.rank), others_in(from, placement.rank)};
}

/// Ranks that a rank sends to, mean over ranks. Ranks with parts of the same populations send to the same ranks.
double mean_neighbours(const std::vector<Link>& links, const std::vector<Homes>& homes, const Placement& placement) {
  const auto ranks = static_cast<std::size_t>(placement.ranks);
  std::vector<std::vector<std::uint32_t>> populations_on(ranks);
  for (std::uint32_t p = 0; p < homes.size(); ++p) {
    for (const auto& [rank, share] : homes[p].share) populations_on[rank].push_back(p);
  }
  struct Reached {
    RankSet ranks;
    double count = 0.0;
  };
  std::map<std::vector<std::uint32_t>, Reached> reached_by;
  double sum = 0.0;
  for (std::size_t r = 0; r < ranks; ++r) {
    const auto& here = populations_on[r];
    const auto [found, added] = reached_by.try_emplace(here);
    Reached& reached = found->second;
    if (added) {
      reached.ranks.assign(ranks, false);
      for (const Link& link : links) {
        if (std::binary_search(here.begin(), here.end(), link.source)) add_homes(homes[link.target], reached.ranks);
      }
      reached.count = static_cast<double>(std::count(reached.ranks.begin(), reached.ranks.end(), true));
    }
    sum += reached.count - (reached.ranks[r] ? 1.0 : 0.0);
  }
  return sum / static_cast<double>(ranks);
}

/// Bytes of a spike in a list (spike_code.hpp): seven bits a byte, of twice the distance to the one before.
double bytes_per_spike(double neurons, double spikes_per_step) {
  const double gap = std::max(1.0, neurons / std::max(spikes_per_step, 1e-9));
  return 1.0 + std::floor(std::log2(2.0 * gap) / 7.0);
}

/// What a step of the whole network sends, by source population.
struct Flow {
  double neurons = 0.0, spikes = 0.0;  ///< of all populations; spikes per step
  double copies = 0.0;                 ///< (spike, other rank that needs it) pairs per step
  double pairs = 0.0, synapses = 0.0;  ///< (neuron, other rank that needs it) pairs, and synapses, of all
  double own_pairs = 0.0;              ///< (own neuron, other rank that needs it) pairs
  double own_neurons = 0.0;
};

Flow flow_of(const Network& network, const std::vector<Link>& links, const std::vector<Homes>& homes,
             const Placement& placement) {
  Flow flow;
  std::vector<double> synapses(static_cast<std::size_t>(placement.ranks));  // of one source, per rank
  for (std::size_t s = 0; s < homes.size(); ++s) {
    const Population& source = network.populations[s];
    const double rate = source.mean_rate_hz > 0.0 ? source.mean_rate_hz : kAssumedRate_Hz;
    const double own = homes[s].on(static_cast<std::uint32_t>(placement.rank)) * source.size;
    std::fill(synapses.begin(), synapses.end(), 0.0);
    for (const Link& link : links) {
      if (link.source != s) continue;
      for (const auto& [rank, share] : homes[link.target].share) synapses[rank] += link.per_source * share;
    }
    double needed = 0.0, needed_of_own = 0.0;  // other ranks of a neuron
    for (std::uint32_t r = 0; r < synapses.size(); ++r) {
      const double chance = -std::expm1(-synapses[r]);
      needed += chance * (1.0 - homes[s].on(r));
      if (static_cast<int>(r) != placement.rank) needed_of_own += chance;
    }
    const double spikes = source.size * rate * network.dt_ms / 1000.0;
    flow.neurons += source.size;
    flow.spikes += spikes;
    flow.copies += spikes * needed;
    flow.pairs += source.size * needed;
    flow.own_pairs += own * needed_of_own;
    flow.own_neurons += own;
  }
  for (const Link& link : links) flow.synapses += link.synapses;
  return flow;
}

/// The cost model behind `automatic`.
void estimate(const Flow& flow, double neighbours, int rank_count, const CostModel& costs, ExchangePlan& plan) {
  const double ranks = rank_count, others = ranks - 1.0, steps = plan.remote_interval;
  ExchangeEstimate& all = plan.collective;
  all.messages_per_step = others / steps;
  all.received_per_step = flow.spikes / ranks * others;
  all.bytes_per_step = all.received_per_step * bytes_per_spike(flow.neurons / ranks, flow.spikes / ranks);
  all.seconds_per_step = std::ceil(std::log2(ranks)) * costs.message_seconds / steps + all.bytes_per_step * costs.byte_seconds +
                         all.received_per_step * costs.received_seconds;
  ExchangeEstimate& some = plan.point_to_point;
  some.messages_per_step = neighbours / steps;
  some.received_per_step = flow.copies / ranks;
  some.bytes_per_step = some.received_per_step * bytes_per_spike(flow.neurons / ranks, flow.copies / ranks / std::max(1.0, neighbours));
  some.table_bytes = flow.own_pairs * kPairBytes + std::min(flow.own_neurons, flow.own_pairs) * 4.0 + flow.own_neurons * 0.1875;
  // Messages to several ranks are under way at the same time; a core hands over and takes them one after the other.
  const double meeting = neighbours > 0.0 ? costs.message_seconds + 2.0 * neighbours * costs.handled_seconds : 0.0;
  some.seconds_per_step = meeting / steps + some.bytes_per_step * costs.byte_seconds +
                          some.received_per_step * (costs.received_seconds + costs.chosen_seconds);
}

}  // namespace

ExchangePlan plan_exchange(const Wiring& wiring, const Placement& placement, const SimulationOptions& options) {
  ExchangePlan plan;
  plan.local_interval = plan.remote_interval = wiring.exchange_steps();
  if (placement.ranks == 1) return plan;
  const std::vector<Link> links = links_of(wiring.network());
  const std::vector<Homes> homes = homes_of(wiring, placement);
  // Exact precision adds spikes in the order of their steps, those of other ranks among its own.
  if (options.precision == Precision::fast) plan.remote_interval = remote_interval(wiring, links, homes);
  plan.neighbours = neighbours_of(links, homes, placement);
  const Flow flow = flow_of(wiring.network(), links, homes, placement);
  estimate(flow, mean_neighbours(links, homes, placement), placement.ranks, options.costs, plan);
  // Its tables take memory: over all ranks little beside what synapses take, whatever this one has.
  const bool cheaper = plan.point_to_point.seconds_per_step < plan.collective.seconds_per_step &&
                       flow.pairs * kPairBytes <= kTableBytesPerSynapse * flow.synapses;
  plan.chosen = options.exchange != Exchange::automatic ? options.exchange
                : cheaper                               ? Exchange::point_to_point
                                                        : Exchange::collective;
  return plan;
}

}  // namespace tessera
