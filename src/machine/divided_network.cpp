// Circuits and tiles of every population, from its inputs.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "machine/divided_network.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace tessera {
namespace {

std::string joined_text(const MachineDescription& m) {
  return m.circuits.join_at_most > 1 ? fmt::format("all {} circuits that can be joined take", m.circuits.join_at_most)
                                     : std::string("a circuit takes");
}

void refuse_fan_in(const MachineDescription& m, const DividedPopulation& p, std::uint64_t rows, DividedNetwork& n) {
  const std::uint64_t groups = m.circuits.join_at_most / m.circuits.join_multiple * m.circuits.join_multiple;
  const std::uint64_t available = std::uint64_t{m.circuits.fan_in} * std::max<std::uint64_t>(1, groups);
  const char* help = n.training ? "Fewer or sparser inputs of this layer, a pool in front of it, or a machine whose circuits take more would help."
                                : "Fewer synapses per neuron, weights of one sign, or a machine whose circuits take more would help.";
  n.problems.push_back({{"", 0, 0, p.name},
                        fmt::format("Fan-in of '{}': a neuron needs {} synapse rows ({} inputs), but {} {}: {} too many. {}", p.name, rows,
                                    p.fan_in, joined_text(m), available, rows - available, help)});
}

// Where lists give every neuron its own number of inputs, each has its own number of circuits.
void map_listed(const MachineDescription& m, const std::vector<LinkInputs>& inputs, DividedPopulation& p,
                DividedNetwork& n, std::uint32_t index, std::uint64_t common_rows) {
  std::vector<std::uint64_t> rows(p.size, common_rows), number(p.size, p.fan_in);
  for (const std::uint32_t l : n.links_to[index]) {
    const EventLink& link = n.links[l];
    if (link.kind != EventLink::Kind::listed) continue;
    for (std::uint32_t i = 0; i < p.size; ++i) {
      const std::uint64_t own = link.begin[i + 1] - link.begin[i];
      number[i] += own;
      rows[i] += own * (inputs[l].both_signs ? m.circuits.signed_rows : 1);
    }
  }
  p.circuits_before.assign(1, 0);
  for (std::uint32_t i = 0; i < p.size; ++i) {
    p.fan_in = std::max(p.fan_in, number[i]);
    p.rows = std::max(p.rows, rows[i]);
    p.circuits_before.push_back(p.circuits_before.back() + std::max<std::uint64_t>(1, circuits_of(m, rows[i])));
  }
  p.synapses = static_cast<double>(p.fan_in);
  p.circuits = circuits_of(m, p.rows);
  if (p.circuits_before.back() == p.circuits * p.size) p.circuits_before.clear();
}

struct TileLimit {
  double neurons;
  std::string what;
};

// Neurons of one population that a tile of its own holds, and which limit says so.
void fill_tiles(const MachineDescription& m, DividedPopulation& p, DividedNetwork& n, double sources) {
  const auto& memory = m.memory;
  std::vector<TileLimit> limits{{std::floor(static_cast<double>(m.circuits.per_tile) / static_cast<double>(p.circuits)), "circuits of a tile"}};
  const double bytes = memory.bytes_per_neuron + (memory.bytes_per_chip > 0 ? 0.0 : memory.bytes_per_synapse * p.synapses);
  if (memory.bytes_per_tile > 0 && bytes > 0.0)
    limits.push_back({std::floor(static_cast<double>(memory.bytes_per_tile) / bytes), "memory of a tile"});
  if (memory.synapses_per_tile > 0 && p.synapses > 0.0)
    limits.push_back({std::floor(static_cast<double>(memory.synapses_per_tile) / p.synapses), "synapses of a tile"});
  if (m.sources.per_tile > 0 && sources > static_cast<double>(m.sources.per_tile))
    limits.push_back({std::floor(static_cast<double>(m.sources.per_tile) / std::max(1.0, p.synapses)), "sources of a tile"});
  const auto least = std::min_element(limits.begin(), limits.end(),
                                      [](const TileLimit& a, const TileLimit& b) { return a.neurons < b.neurons; });
  p.per_tile = static_cast<std::uint32_t>(std::min(least->neurons, 4e9));
  p.tile_limit = least->what;
  if (p.per_tile > 0) return;
  const bool by_memory = least->what == "memory of a tile";
  n.problems.push_back({{"", 0, 0, p.name},
                        by_memory ? fmt::format("Memory of a tile: one neuron of '{}' with its {:.0f} synapses takes {:.0f} bytes, but a tile has {}: {:.0f} too "
                                                "many. Fewer synapses per neuron, or a machine with larger tiles would help.",
                                                p.name, p.synapses, bytes, memory.bytes_per_tile, bytes - static_cast<double>(memory.bytes_per_tile))
                                  : fmt::format("{}: one neuron of '{}' has {:.0f} synapses, more than the {} of a tile: {:.0f} too many. Fewer synapses per "
                                                "neuron, or a machine with larger tiles would help.",
                                                least->what == "sources of a tile" ? "Sources of a tile" : "Synapses of a tile", p.name, p.synapses,
                                                least->what == "sources of a tile" ? m.sources.per_tile : memory.synapses_per_tile,
                                                p.synapses - static_cast<double>(least->what == "sources of a tile" ? m.sources.per_tile : memory.synapses_per_tile))});
}

}  // namespace

std::uint64_t DividedNetwork::neurons() const {
  std::uint64_t sum = 0;
  for (const DividedPopulation& p : populations) sum += p.size;
  return sum;
}

bool DividedNetwork::events_known() const {
  return std::all_of(sources.begin(), sources.end(), [](const EventOrigin& s) { return s.known; });
}

double not_exceeded(double mean, double variance, double log_odds) {
  if (variance <= 0.0) return mean;
  const double a = log_odds / 3.0;
  return mean + a + std::sqrt(a * a + 2.0 * variance * log_odds);
}

bool check_time_constant(const std::string& population, const char* what, double ms, const MachineRange& range,
                         const MachineDescription& machine, const SourceLocation& where, DividedNetwork& network) {
  const double us = ms / machine.speedup * 1e3;
  if (!range.limits() || (us >= range.lowest * (1.0 - 1e-9) && us <= range.highest * (1.0 + 1e-9))) return false;
  network.problems.push_back(
      {where, fmt::format("{} of '{}': {:.6g} ms, which is {:.6g} us on the chip, but the machine has {:.6g} to {:.6g} us. {} would help.", what, population,
                          ms, us, range.lowest, range.highest, us < range.lowest ? "A longer one" : "A shorter one")});
  return true;
}

void map_onto(const MachineDescription& machine, const std::vector<LinkInputs>& inputs, DividedNetwork& n) {
  n.links_to.assign(n.populations.size(), {});
  for (std::uint32_t l = 0; l < n.links.size(); ++l) n.links_to[n.links[l].target].push_back(l);
  for (std::uint32_t i = 0; i < n.populations.size(); ++i) {
    DividedPopulation& p = n.populations[i];
    if (p.shape.size() != p.size) p.shape = {1, 1, p.size};
    double number = static_cast<double>(p.private_sources), rows = number, sources = number * p.size;
    bool listed = false;
    for (const std::uint32_t l : n.links_to[i]) {
      const bool here = n.links[l].kind == EventLink::Kind::listed;
      listed = listed || here;
      sources += n.sources[n.links[l].source].size;
      if (here) continue;
      number += std::ceil(inputs[l].number);
      rows += std::ceil(inputs[l].number) * (inputs[l].both_signs ? machine.circuits.signed_rows : 1);
    }
    p.fan_in = static_cast<std::uint64_t>(number);
    p.rows = static_cast<std::uint64_t>(rows);
    p.synapses = number;
    p.circuits = circuits_of(machine, p.rows);
    if (listed) map_listed(machine, inputs, p, n, i, p.rows);
    if (p.circuits == 0) {
      refuse_fan_in(machine, p, p.rows, n);
      p.circuits = 1;
      p.circuits_before.clear();
      continue;
    }
    fill_tiles(machine, p, n, sources);
  }
}

}  // namespace tessera
