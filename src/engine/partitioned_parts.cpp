// Which neurons belong to which part, which parts are in memory together, and how long their turns are.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>

#include "base/process_limits.hpp"
#include "engine/partitioned_impl.hpp"
#include "machine/exchange_plan.hpp"
#include "machine/rank_placement.hpp"

namespace tessera {
namespace {

/// Bytes of a stored synapse with its share of the index, about.
constexpr double kSynapseBytes = 6.0;

/// The neurons of a run by chunk.
std::vector<PartChunk> chunks_of(const PartitionRun& run, const Partition& partition, const std::vector<Chunk>& all) {
  std::vector<PartChunk> chunks;
  for (std::uint32_t c = 0; c < all.size(); ++c) {
    PartChunk own{c, {}};
    for (const PartitionSlice& slice : run.slices) {
      if (partition.populations[slice.population].index != all[c].population) continue;
      const std::uint32_t begin = std::max(slice.first, all[c].begin);
      const std::uint32_t end = std::min(slice.first + slice.count, all[c].begin + all[c].size);
      for (std::uint32_t i = begin; i < end; ++i) own.places.push_back(i - all[c].begin);
    }
    if (own.places.empty()) continue;
    std::sort(own.places.begin(), own.places.end());
    if (own.places.size() == all[c].size) own.places.clear();
    chunks.push_back(std::move(own));
  }
  return chunks;
}

/// Ranges of neurons that one part has, as AllNeurons wants them: ascending.
struct Owned {
  Chunk range;
  std::uint32_t part;
};

std::vector<Owned> ranges_of(const std::vector<PartChunk>& chunks, std::uint32_t part, const std::vector<Chunk>& all) {
  std::vector<Owned> ranges;
  for (const PartChunk& c : chunks) {
    const Chunk& chunk = all[c.chunk];
    if (c.places.empty()) {
      ranges.push_back({chunk, part});
      continue;
    }
    for (const std::uint32_t place : c.places) {
      const std::uint32_t neuron = chunk.begin + place;
      const bool goes_on = !ranges.empty() && ranges.back().range.population == chunk.population &&
                           ranges.back().range.begin + ranges.back().range.size == neuron;
      if (!goes_on) ranges.push_back({{chunk.population, neuron, 0}, part});
      ++ranges.back().range.size;
    }
  }
  return ranges;
}

}  // namespace

void PartitionedSimulation::Impl::make_parts() {
  const std::vector<Chunk>& chunks = wiring.chunks();
  Part host;
  for (std::uint32_t c = 0; c < chunks.size(); ++c) {
    if (network.populations[chunks[c].population].kind != Population::Kind::neurons) host.chunks.push_back({c, {}});
  }
  has_host = !host.chunks.empty();
  if (has_host) parts.push_back(std::move(host));
  for (std::uint32_t r = 0; r < options.partition.runs.size(); ++r) {
    Part part;
    part.run = r + 1;
    part.chunks = chunks_of(options.partition.runs[r], options.partition, chunks);
    parts.push_back(std::move(part));
  }
  std::vector<Owned> owned;
  for (std::uint32_t p = 0; p < parts.size(); ++p) {
    const std::vector<Owned> ranges = ranges_of(parts[p].chunks, p, chunks);
    owned.insert(owned.end(), ranges.begin(), ranges.end());
    for (const PartChunk& c : parts[p].chunks) {
      std::vector<std::uint32_t>& populations = parts[p].populations;
      if (populations.empty() || populations.back() != chunks[c.chunk].population) populations.push_back(chunks[c.chunk].population);
    }
    parts[p].links.resize(parts.size());
  }
  std::sort(owned.begin(), owned.end(), [](const Owned& a, const Owned& b) {
    return std::pair(a.range.population, a.range.begin) < std::pair(b.range.population, b.range.begin);
  });
  std::vector<Chunk> ranges;
  std::vector<std::uint32_t> part_of;
  for (const Owned& o : owned) {
    ranges.push_back(o.range);
    part_of.push_back(o.part);
  }
  neurons.emplace(ranges, context.first_id, part_of, static_cast<int>(parts.size()));
}

/// Runs of one component together, all others one by one, in the order of the partition; the host first.
void PartitionedSimulation::Impl::make_groups() {
  if (has_host) groups.push_back({{0}, 1, 0, nullptr});
  std::vector<std::uint32_t> group_of_component(options.partition.components.size(), std::numeric_limits<std::uint32_t>::max());
  for (std::uint32_t r = 0; r < options.partition.runs.size(); ++r) {
    const std::uint32_t component = options.partition.runs[r].component, part = r + (has_host ? 1 : 0);
    if (component == PartitionRun::kAlone) {
      groups.push_back({{part}, 1, 0, nullptr});
      continue;
    }
    std::uint32_t& group = group_of_component[component];
    if (group == std::numeric_limits<std::uint32_t>::max()) {
      group = static_cast<std::uint32_t>(groups.size());
      groups.push_back({{}, 1, 0, nullptr});
    }
    groups[group].parts.push_back(part);
  }
  for (Group& group : groups) group.turn_steps = turn_steps_of(group);
}

/// Argument 4 above the step loop, with the shortest delay of what comes from outside of a part. Without any, a turn is
/// as long as the window in which rates are averaged.
std::int64_t PartitionedSimulation::Impl::turn_steps_of(const Group& group) const {
  std::uint32_t shortest = std::numeric_limits<std::uint32_t>::max();
  for (const std::uint32_t p : group.parts) {
    const std::vector<std::uint32_t>& here = parts[p].populations;
    const auto whole = [&](std::uint32_t population) {
      std::uint64_t own = 0;
      for (const PartChunk& c : parts[p].chunks) {
        const Chunk& chunk = wiring.chunks()[c.chunk];
        if (chunk.population == population) own += c.places.empty() ? chunk.size : c.places.size();
      }
      return own == network.populations[population].size;
    };
    for (std::uint32_t k = 0; k < network.projections.size(); ++k) {
      if (!std::binary_search(here.begin(), here.end(), wiring.target_population(k))) continue;
      const std::uint32_t source = wiring.source_population(k);
      if (std::binary_search(here.begin(), here.end(), source) && whole(source)) continue;
      shortest = std::min(shortest, shortest_delay_steps(network, network.projections[k]));
    }
  }
  const std::uint32_t steps = wiring.ring_shape().steps();
  if (shortest == std::numeric_limits<std::uint32_t>::max()) return shortest;
  return 1 + (shortest - 1) / steps * steps;
}

/// Of stored rows, about.
std::uint64_t PartitionedSimulation::Impl::expected_bytes(const Part& part) const {
  std::vector<double> own(network.populations.size(), 0.0);
  for (const PartChunk& c : part.chunks) {
    const Chunk& chunk = wiring.chunks()[c.chunk];
    own[chunk.population] += static_cast<double>(c.places.empty() ? chunk.size : c.places.size());
  }
  double synapses = 0.0;
  for (const Projection& projection : network.projections) {
    const std::size_t target = network.index_of(projection.target);
    const Population& population = network.populations[target];
    synapses += expected_synapses(projection, *network.find(projection.source), population) * own[target] / population.size;
  }
  return static_cast<std::uint64_t>(synapses * kSynapseBytes);
}

std::uint64_t PartitionedSimulation::Impl::memory_limit() const {
  return options.simulation.memory_limit_bytes > 0 ? options.simulation.memory_limit_bytes : process_limits().memory_bytes;
}

/// Whether the parts of a component in lock-step keep their rows in a file while they wait: all of them together would take
/// more than half of the memory. Reading rows again at every turn costs more than the turn.
bool PartitionedSimulation::Impl::rows_leave_memory(const Group& group) const {
  if (group.parts.size() < 2 || context.connectivity != Connectivity::stored) return false;
  std::uint64_t all = 0;
  for (const std::uint32_t p : group.parts) all += expected_bytes(parts[p]);
  return memory_limit() > 0 && all > memory_limit() / 2;
}

void PartitionedSimulation::Impl::choose_connectivity() {
  context.connectivity = options.simulation.connectivity;
  std::uint64_t largest = 0;
  std::uint32_t run = 0;
  for (const Part& part : parts) {
    if (expected_bytes(part) <= largest) continue;
    largest = expected_bytes(part);
    run = part.run;
  }
  const bool fits = memory_limit() == 0 || largest < memory_limit();
  if (context.connectivity == Connectivity::automatic) context.connectivity = fits ? Connectivity::stored : Connectivity::procedural;
  if (fits || context.connectivity != Connectivity::stored) return;
  throw InputError("The rows of run " + std::to_string(run) + " take about " + std::to_string(largest) + " bytes, but this process may use " +
                   std::to_string(memory_limit()) + ". Procedural connectivity or a machine with smaller chips would help.");
}

}  // namespace tessera
