// What a run takes from a chip.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "machine/run_needs.hpp"

namespace tessera {
namespace {

/// Where synapses are drawn, the chance that a run needs more sources than is assumed: exp(-14), 1e-6.
constexpr double kLogOdds = 14.0;
constexpr double kSlack = 1.0 + 1e-9;

}  // namespace

Limits::Limits(const DividedNetwork& network, const MachineDescription& machine) : network_(network), machine_(machine), needs_(network) {
  if (machine.events.clock_ns > 0.0) clocks_per_step_ = network.step_ms / machine.speedup * 1e6 / machine.events.clock_ns;
  events_known_ = network.events_known();
  const bool sources = machine.sources.external > 0 && needs_.most_sources() > static_cast<double>(machine.sources.external);
  const bool events = events_known_ && (machine.events.in_per_clock > 0.0 || machine.events.out_per_clock > 0.0);
  slow_ = sources || events;
}

// Tiles hold what belongs to their own neurons (DividedPopulation::per_tile); this is the memory of the whole chip.
double Limits::bytes_available() const {
  if (machine_.memory.bytes_per_chip > 0) return static_cast<double>(machine_.memory.bytes_per_chip);
  return static_cast<double>(machine_.memory.bytes_per_tile) * machine_.circuits.tiles;
}

double Limits::bytes_of(const DividedPopulation& p) const {
  const auto& m = machine_.memory;
  const double synapses = m.bytes_per_synapse * p.synapses;
  return m.bytes_per_chip > 0 ? synapses : m.bytes_per_neuron + synapses;
}

Limits::Usage Limits::quick_usage(std::span<const PartitionSlice> slices) const {
  Usage u;
  std::vector<std::uint64_t> neurons(has_tiles() ? network_.populations.size() : 0, 0);
  for (const PartitionSlice& s : slices) {
    const DividedPopulation& p = network_.populations[s.population];
    u.neurons += s.count;
    u.circuits += p.circuits_in(s.first, s.count);
    u.bytes += bytes_of(p) * s.count;
    u.synapses += p.synapses * s.count;
    if (has_tiles()) neurons[s.population] += s.count;
  }
  for (std::size_t i = 0; i < neurons.size(); ++i) {
    if (neurons[i] > 0) u.tiles += (neurons[i] - 1) / std::max(1u, network_.populations[i].per_tile) + 1;
  }
  if (!has_tiles()) u.tiles = slices.empty() ? 0 : 1;
  return u;
}

Limits::Usage Limits::usage(std::span<const PartitionSlice> slices) {
  Usage u = quick_usage(slices);
  double mean = 0.0, variance = 0.0, most = 0.0;
  for (const PartitionSlice& s : slices) {
    const DividedPopulation& p = network_.populations[s.population];
    mean += static_cast<double>(p.private_sources) * s.count;
    most += static_cast<double>(p.private_sources) * s.count;
    u.events_in += p.private_peak * s.count;
    u.events_out += network_.sources[s.population].peak * s.count;
  }
  const std::vector<Needed>& needed = needs_.evaluate(slices);
  for (std::size_t i = 0; i < needed.size(); ++i) {
    mean += needed[i].outside;
    variance += needed[i].variance;
    if (needed[i].outside > 0.0) most += network_.sources[i].size;
    u.events_in += needed[i].outside * network_.sources[i].peak;
  }
  u.sources = static_cast<std::uint64_t>(std::ceil(std::min(most, not_exceeded(mean, variance, kLogOdds)) - 1e-6));
  u.events_in /= clocks_per_step_;
  u.events_out /= clocks_per_step_;
  return u;
}

std::vector<Limits::Excess> Limits::all(const Usage& u) const {
  std::vector<Excess> limits;
  const auto add = [&](const char* name, double used, double available) {
    if (available > 0.0) limits.push_back({name, used, available});
  };
  if (has_tiles()) {
    add("tiles", static_cast<double>(u.tiles), machine_.circuits.tiles);
  } else {
    add("circuits", static_cast<double>(u.circuits), static_cast<double>(machine_.circuits_per_chip()));
  }
  add("memory", u.bytes, bytes_available());
  add("sources", static_cast<double>(u.sources), static_cast<double>(machine_.sources.external));
  if (events_known_) {
    add("events in", u.events_in, machine_.events.in_per_clock);
    add("events out", u.events_out, machine_.events.out_per_clock);
  }
  if (!has_tiles()) add("synapses", u.synapses, static_cast<double>(machine_.memory.synapses_per_tile));
  return limits;
}

bool Limits::fits_quickly(const Usage& u) const {
  if (has_tiles() ? u.tiles > machine_.circuits.tiles : u.circuits > machine_.circuits_per_chip()) return false;
  const double synapses = has_tiles() ? 0.0 : static_cast<double>(machine_.memory.synapses_per_tile);
  return (bytes_available() == 0.0 || u.bytes <= bytes_available() * kSlack) && (synapses == 0.0 || u.synapses <= synapses * kSlack);
}

bool Limits::fits(const Usage& u) const { return fits_quickly(u) && exceeded(u).empty(); }

std::vector<Limits::Excess> Limits::exceeded(const Usage& u) const {
  std::vector<Excess> found = all(u);
  std::erase_if(found, [](const Excess& e) { return e.used <= e.available * kSlack; });
  return found;
}

Limits::Excess Limits::tightest(const Usage& u) const {
  const std::vector<Excess> limits = all(u);
  const auto most = std::max_element(limits.begin(), limits.end(), [](const Excess& a, const Excess& b) { return a.part() < b.part(); });
  return most == limits.end() ? Excess{} : *most;
}

std::uint32_t Limits::room_for(const std::vector<std::uint32_t>& neurons_of, const Usage& used, const PartitionSlice& slice) const {
  const DividedPopulation& p = network_.populations[slice.population];
  std::uint64_t room = slice.count;
  if (has_tiles()) {
    const std::uint64_t here = neurons_of[slice.population], per = std::max(1u, p.per_tile);
    const std::uint64_t own = here > 0 ? (here - 1) / per + 1 : 0, others = used.tiles - own;
    const std::uint64_t all = (machine_.circuits.tiles - std::min<std::uint64_t>(others, machine_.circuits.tiles)) * per;
    room = std::min(room, all > here ? all - here : 0);
  } else if (const std::uint64_t left = machine_.circuits_per_chip() - std::min(used.circuits, machine_.circuits_per_chip()); p.circuits_before.empty()) {
    room = std::min(room, left / p.circuits);
  } else {
    const auto& before = p.circuits_before;
    const auto end = std::upper_bound(before.begin() + slice.first, before.begin() + slice.first + slice.count + 1, before[slice.first] + left);
    room = static_cast<std::uint64_t>(end - (before.begin() + slice.first)) - 1;
  }
  const double bytes = bytes_of(p);
  if (bytes_available() > 0.0 && bytes > 0.0)
    room = std::min(room, static_cast<std::uint64_t>(std::max(0.0, std::floor((bytes_available() * kSlack - used.bytes) / bytes))));
  if (!has_tiles() && machine_.memory.synapses_per_tile > 0 && p.synapses > 0.0)
    room = std::min(room, static_cast<std::uint64_t>(std::max(0.0, std::floor((static_cast<double>(machine_.memory.synapses_per_tile) - used.synapses) / p.synapses))));
  return static_cast<std::uint32_t>(room);
}

}  // namespace tessera
