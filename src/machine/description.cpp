// What a machine description means, and what may be wrong with one.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>

#include "tessera/machine_description.hpp"

namespace tessera {
namespace {

constexpr double kMostTime = 1e12;

class Findings {
 public:
  void add(const char* key, std::string message) { problems_.push_back({{"", 0, 0, key}, std::move(message)}); }
  void number(const char* key, double value, double lowest, double highest, const char* unit = "") {
    if (value >= lowest && value <= highest) return;
    add(key, fmt::format("It is {}{}; it must be between {} and {}{}.", value, unit, lowest, highest, unit));
  }
  void range(const char* key, const MachineRange& r) {
    const bool none = r.lowest == 0.0 && r.highest == 0.0;
    if (none || (r.lowest >= 0.0 && r.highest > 0.0 && r.lowest <= r.highest && r.highest <= kMostTime)) return;
    add(key, fmt::format("The range goes from {} us to {} us; it must go up, from 0 us at least.", r.lowest, r.highest));
  }
  void variation(const char* key, const MachineVariation& v) {
    if (const std::string problem = v.distribution.problem(); !problem.empty()) add(key, problem);
  }
  std::vector<Problem> take() { return std::move(problems_); }

 private:
  std::vector<Problem> problems_;
};

void check_circuits(const MachineDescription& m, Findings& f) {
  const auto& c = m.circuits;
  f.number("chips", m.chips, 1, 1e6);
  f.number("speedup", m.speedup, 1e-6, 1e9);
  f.number("circuits.tiles", c.tiles, 1, 1e6);
  f.number("circuits.per_tile", c.per_tile, 1, 1e9);
  f.number("circuits.signed_rows", c.signed_rows, 1, 2);
  f.number("circuits.join_at_most", c.join_at_most, 1, 1e9);
  f.number("circuits.join_multiple", c.join_multiple, 1, 1e9);
  if (c.join_at_most > c.per_tile && c.per_tile > 0)
    f.add("circuits.join_at_most", fmt::format("{} circuits are to be joined, but a tile has {}.", c.join_at_most, c.per_tile));
  if (c.join_multiple > c.join_at_most && c.join_at_most > 1)
    f.add("circuits.join_multiple", fmt::format("Circuits come in multiples of {}, but at most {} can be joined.",
                                                c.join_multiple, c.join_at_most));
  if (c.tiles == 1 && m.sources.per_tile > 0)
    f.add("sources.per_tile", "It has no effect here: the chip is one tile; give `external`.");
  if (c.join_multiple > 1 && c.join_at_most == 1)
    f.add("circuits.join_multiple", "It has no effect here: circuits cannot be joined (join_at_most is 1).");
  if (c.join_at_most > 1 && c.fan_in == 0)
    f.add("circuits.join_at_most", "It has no effect here: a circuit takes any number of inputs (no fan_in).");
}

void check_memory(const MachineDescription& m, Findings& f) {
  f.number("memory.bytes_per_neuron", m.memory.bytes_per_neuron, 0.0, 1e12);
  f.number("memory.bytes_per_synapse", m.memory.bytes_per_synapse, 0.0, 1e12);
  const bool limited = m.memory.bytes_per_tile > 0 || m.memory.bytes_per_chip > 0;
  if (limited && m.memory.bytes_per_neuron == 0.0 && m.memory.bytes_per_synapse == 0.0)
    f.add("memory", "A limit of bytes needs bytes_per_neuron or bytes_per_synapse.");
  if (m.memory.bytes_per_chip > 0 && m.memory.bytes_per_synapse == 0.0)
    f.add("memory.bytes_per_chip", "Memory for synapses needs bytes_per_synapse.");
}

void check_events(const MachineDescription& m, Findings& f) {
  const auto& e = m.events;
  f.number("events.clock", e.clock_ns, 0.0, kMostTime, " ns");
  for (const auto& [key, value] : {std::pair("events.in_per_clock", e.in_per_clock), std::pair("events.out_per_clock", e.out_per_clock),
                                   std::pair("events.per_source_per_clock", e.per_source_per_clock)}) {
    f.number(key, value, 0.0, 1e12);
    if (value > 0.0 && e.clock_ns == 0.0) f.add(key, "Events per clock need a clock.");
  }
  const auto& w = m.weights;
  f.number("weights.bits", w.bits, 0, 24);
  if (w.bits == 0 && (w.lowest != 0 || w.highest != 0)) f.add("weights", "A range of weights needs bits.");
  if (w.bits > 0 && !(w.lowest <= 0 && w.highest > 0))
    f.add("weights", fmt::format("Weights from {} to {}: the range must have 0 and something above it.", w.lowest, w.highest));
  else if (w.bits > 0 && w.bits <= 24 && std::max(w.highest, -w.lowest) >= std::int64_t{1} << w.bits)
    f.add("weights", fmt::format("{} bits do not hold weights from {} to {}.", w.bits, w.lowest, w.highest));
}

void check_times(const MachineDescription& m, Findings& f) {
  f.range("time_constants.membrane", m.time_constants.membrane_us);
  f.range("time_constants.synapse", m.time_constants.synapse_us);
  f.range("time_constants.refractory", m.time_constants.refractory_us);
  f.number("readout.bits", m.readout.bits, 0, 24);
  f.number("readout.interval", m.readout.interval_us, 0.0, kMostTime, " us");
  if (!(m.readout.lowest < m.readout.highest)) f.add("readout", "Its lowest value must be below the highest.");
  f.number("times.reconfiguration", m.times.reconfiguration_ms, 0.0, kMostTime, " ms");
  f.number("times.section", m.times.section_ms, 0.0, kMostTime, " ms");
  f.number("times.host", m.times.host_ms, 0.0, kMostTime, " ms");
  f.number("times.events_per_second", m.times.events_per_second, 0.0, 1e18);
}

}  // namespace

bool MachineDescription::is_ideal() const {
  for (const MachineVariation* v : {&fixed_pattern.threshold, &fixed_pattern.leak, &fixed_pattern.membrane_time_constant,
                                    &fixed_pattern.synapse_time_constant, &fixed_pattern.weight_gain, &noise.threshold,
                                    &noise.membrane, &noise.spike_time_us}) {
    if (v->applies()) return false;
  }
  return weights.bits == 0 && events.clock_ns == 0.0 && readout.bits == 0 && readout.interval_us == 0.0;
}

std::uint64_t circuits_of(const MachineDescription& machine, std::uint64_t rows) {
  const auto& c = machine.circuits;
  if (c.fan_in == 0 || rows <= c.fan_in) return 1;
  std::uint64_t circuits = (rows - 1) / c.fan_in + 1;
  circuits = (circuits - 1) / c.join_multiple + 1;
  circuits *= c.join_multiple;
  return circuits <= c.join_at_most ? circuits : 0;
}

std::vector<Problem> validate(const MachineDescription& machine) {
  Findings f;
  check_circuits(machine, f);
  check_memory(machine, f);
  check_events(machine, f);
  check_times(machine, f);
  const auto& p = machine.fixed_pattern;
  const auto& n = machine.noise;
  f.variation("fixed_pattern.threshold", p.threshold);
  f.variation("fixed_pattern.leak", p.leak);
  f.variation("fixed_pattern.membrane_time_constant", p.membrane_time_constant);
  f.variation("fixed_pattern.synapse_time_constant", p.synapse_time_constant);
  f.variation("fixed_pattern.weight_gain", p.weight_gain);
  f.variation("noise.threshold", n.threshold);
  f.variation("noise.membrane", n.membrane);
  f.variation("noise.spike_time", n.spike_time_us);
  return f.take();
}

}  // namespace tessera
