// A number that two substrates share when a training on one can go on on the other.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <string>

#include "tessera/substrate.hpp"

namespace tessera::training {
namespace {

std::string text_of(const MachineVariation& v) {
  if (!v.applies()) return "-;";
  const Distribution& d = v.distribution;
  return fmt::format("{}:{},{},{},{},{};", static_cast<int>(d.kind), d.a, d.b, d.low, d.high, d.mirrored);
}

}  // namespace

std::uint64_t digest(const Substrate& substrate) {
  const MachineDescription& m = substrate.machine;
  std::string text = fmt::format("{};{};{},{},{};", substrate.seed, m.speedup, m.weights.bits, m.weights.lowest, m.weights.highest);
  text += fmt::format("{},{},{},{};", m.events.clock_ns, m.events.in_per_clock, m.events.out_per_clock, m.events.per_source_per_clock);
  text += fmt::format("{},{},{},{},{};", m.readout.membranes, m.readout.bits, m.readout.interval_us, m.readout.lowest, m.readout.highest);
  for (const MachineVariation* v :
       {&m.fixed_pattern.threshold, &m.fixed_pattern.leak, &m.fixed_pattern.membrane_time_constant,
        &m.fixed_pattern.synapse_time_constant, &m.fixed_pattern.weight_gain, &m.noise.threshold, &m.noise.membrane,
        &m.noise.spike_time_us}) {
    text += text_of(*v);
  }
  for (const PartitionedPopulation& p : substrate.partition.populations) text += fmt::format("{},{};", p.index, p.circuits);
  for (const PartitionRun& run : substrate.partition.runs) {
    text += fmt::format("chip {}:", run.chip);
    for (const PartitionSlice& s : run.slices) text += fmt::format("{},{},{};", s.population, s.first, s.count);
  }
  std::uint64_t digest = 0xcbf29ce484222325ULL;  // FNV-1a
  for (const char letter : text) digest = (digest ^ static_cast<unsigned char>(letter)) * 0x100000001b3ULL;
  return digest;
}

}  // namespace tessera::training
