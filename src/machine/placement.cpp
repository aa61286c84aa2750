// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "machine/placement.hpp"

#include <algorithm>
#include <numeric>

#include "base/process_limits.hpp"
#include "machine/rank_placement.hpp"
#include "tessera/communicator.hpp"

namespace tessera {
namespace {

// An update costs about as much as this many synaptic events per step.
constexpr double kUpdateLoad = 0.3;
// About 10 microseconds of a core: many times what a meeting costs while every worker has one. Where
// other programs take turns on the same cores it costs a time slice (docs/performance.md).
constexpr double kEventsPerThread = 6000.0;
constexpr int kTilesPerWorker = 2;  // more than these hold neighbours each
constexpr double kExactEvent = 4.0;  // of exact precision, in events of fast precision

std::vector<double> chunk_loads(const Network& network, const std::vector<Chunk>& chunks) {
  std::vector<double> per_neuron(network.populations.size(), 0.0);
  const double steps_per_second = 1000.0 / network.dt_ms;
  for (const Projection& projection : network.projections) {
    const Population& source = *network.find(projection.source);
    const std::size_t target = network.index_of(projection.target);
    const double rate = source.mean_rate_hz > 0.0 ? source.mean_rate_hz : kAssumedRate_Hz;
    const double indegree = expected_synapses(projection, source, network.populations[target]) /
                            network.populations[target].size;
    per_neuron[target] += indegree * rate / steps_per_second;
  }
  std::vector<double> loads;
  for (const Chunk& chunk : chunks) {
    loads.push_back(chunk.size * (kUpdateLoad + per_neuron[chunk.population]));
  }
  return loads;
}

int threads_for_load(double load, std::size_t chunks, const Wiring& wiring, Precision precision, int cores) {
  const double events = load * wiring.exchange_steps() * (precision == Precision::exact ? kExactEvent : 1.0);
  const double most = std::min(static_cast<double>(cores), static_cast<double>(chunks));
  return static_cast<int>(std::max(1.0, std::min(events / kEventsPerThread, most)));
}

/// Puts chunks, in this order, on the lightest of `tiles` tiles that has slots left. False: some do not fit.
bool fill(const Wiring& wiring, const std::vector<int>& ports, const std::vector<double>& loads,
          const std::vector<std::uint32_t>& order, std::vector<TilePlacement>& tiles) {
  const std::vector<Chunk>& chunks = wiring.chunks();
  std::vector<std::uint32_t> used(tiles.size(), 0);
  for (const std::uint32_t c : order) {
    const std::uint32_t need = slots_of(chunks[c], ports[chunks[c].population]);
    std::size_t best = tiles.size();
    for (std::size_t t = 0; t < tiles.size(); ++t) {
      if (used[t] + need > wiring.ring_shape().slots()) continue;
      if (best == tiles.size() || tiles[t].load < tiles[best].load) best = t;
    }
    if (best == tiles.size()) return false;
    tiles[best].chunks.push_back(c);
    tiles[best].load += loads[c];
    used[best] += need;
  }
  return true;
}

/// A tile of neighbours in the order of the network, which are joined most: where a worker has many tiles, a spike then
/// concerns few of them, with long rows. The heaviest tiles come first and are dealt out forth and back.
std::vector<TilePlacement> fill_with_neighbours(const Wiring& wiring, const std::vector<int>& ports, const std::vector<double>& loads,
                                                const std::vector<std::uint32_t>& own, int workers) {
  std::vector<TilePlacement> filled(1);
  std::uint32_t used = 0;
  for (const std::uint32_t c : own) {
    const std::uint32_t need = slots_of(wiring.chunks()[c], ports[wiring.chunks()[c].population]);
    if (used + need > wiring.ring_shape().slots()) {
      filled.emplace_back();
      used = 0;
    }
    filled.back().chunks.push_back(c);
    filled.back().load += loads[c];
    used += need;
  }
  std::stable_sort(filled.begin(), filled.end(), [](const TilePlacement& a, const TilePlacement& b) { return a.load > b.load; });
  std::vector<TilePlacement> dealt;
  const auto width = static_cast<std::size_t>(workers);
  for (std::size_t t = 0; t < filled.size(); ++t) {
    const std::size_t round = t / width * width, in_round = std::min(width, filled.size() - round);
    dealt.push_back(std::move(filled[round / width % 2 == 0 ? t : round + in_round - 1 - (t - round)]));
  }
  return dealt;
}

void fill_tiles(const Wiring& wiring, const std::vector<int>& ports, const std::vector<double>& loads,
                const std::vector<std::uint32_t>& order, const SimulationOptions& options, Placement& placement) {
  const std::uint32_t slots_per_tile = wiring.ring_shape().slots();
  std::uint64_t slots = 0;
  for (const std::uint32_t c : order) slots += slots_of(wiring.chunks()[c], ports[wiring.chunks()[c].population]);
  const auto needed = static_cast<int>((slots + slots_per_tile - 1) / slots_per_tile);
  const int wanted = std::max({options.tiles, placement.workers, needed});
  // Whole tiles per worker, never more tiles than chunks.
  int tiles = std::min((wanted + placement.workers - 1) / placement.workers * placement.workers,
                       static_cast<int>(order.size()));
  const bool many = needed > kTilesPerWorker * placement.workers && options.tiles <= needed;
  if (many) placement.tiles = fill_with_neighbours(wiring, ports, loads, placement.own_chunks, placement.workers);
  for (; !many; ++tiles) {
    placement.tiles.assign(static_cast<std::size_t>(tiles), {});
    if (fill(wiring, ports, loads, order, placement.tiles)) break;
  }
  tiles = static_cast<int>(placement.tiles.size());
  const int group_size = options.group_size > 0 ? options.group_size : std::max(tiles, 1);
  placement.groups = (tiles + group_size - 1) / group_size;
  for (int t = 0; t < tiles; ++t) {
    TilePlacement& tile = placement.tiles[static_cast<std::size_t>(t)];
    std::sort(tile.chunks.begin(), tile.chunks.end());
    tile.worker = t % placement.workers;
    tile.group = t / group_size;
  }
}

}  // namespace

std::uint32_t slots_of(const Chunk& chunk, int ports) {
  const auto padding = static_cast<std::uint32_t>(kNeuronPadding);
  return (chunk.size + padding - 1) / padding * padding * static_cast<std::uint32_t>(ports);
}

std::vector<int> ports_of(const Network& network, const NeuronCatalogue& models) {
  std::vector<int> ports;
  for (const Population& population : network.populations) {
    if (population.kind != Population::Kind::neurons) {
      ports.push_back(0);
      continue;
    }
    const NeuronModel& model = *models.find(population.model);
    ports.push_back(model.prepare(values_of(population, model), network.dt_ms).ports);
  }
  return ports;
}

int threads_for(const Wiring& wiring, Precision precision, int cores) {
  const std::vector<double> loads = chunk_loads(wiring.network(), wiring.chunks());
  return threads_for_load(std::accumulate(loads.begin(), loads.end(), 0.0), loads.size(), wiring, precision, cores);
}

Placement place(const Wiring& wiring, const std::vector<int>& ports, const SimulationOptions& options) {
  const std::vector<Chunk>& chunks = wiring.chunks();
  const std::vector<double> loads = chunk_loads(wiring.network(), chunks);
  Placement placement;
  if (options.communicator) {
    placement.ranks = options.communicator->size();
    placement.rank = options.communicator->rank();
  }
  placement.rank_of_chunk =
      ranks_of_chunks(wiring.network(), chunks, loads, options.rank_placement, placement.ranks);
  placement.rank_loads.assign(static_cast<std::size_t>(placement.ranks), 0.0);
  for (std::uint32_t c = 0; c < chunks.size(); ++c) {
    placement.rank_loads[placement.rank_of_chunk[c]] += loads[c];
    if (placement.rank_of_chunk[c] == static_cast<std::uint32_t>(placement.rank)) placement.own_chunks.push_back(c);
  }
  std::vector<std::uint32_t> own = placement.own_chunks;
  placement.workers =
      options.threads > 0
          ? options.threads
          : threads_for_load(placement.rank_loads[static_cast<std::size_t>(placement.rank)], own.size(), wiring,
                             options.precision, process_limits().threads());
  std::stable_sort(own.begin(), own.end(), [&](std::uint32_t a, std::uint32_t b) { return loads[a] > loads[b]; });
  fill_tiles(wiring, ports, loads, own, options, placement);
  return placement;
}

}  // namespace tessera
