// A partition as JSON.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/partition.hpp"

namespace tessera::cli {
namespace {

using nlohmann::ordered_json;

ordered_json run_json(const Partition& p, const PartitionRun& run, const MachineDescription& m) {
  ordered_json slices = ordered_json::array();
  for (const PartitionSlice& s : run.slices)
    slices.push_back({{"population", p.populations[s.population].name}, {"first", s.first}, {"count", s.count}});
  ordered_json j = {{"slices", slices},
                    {"neurons", run.neurons},
                    {"circuits", run.circuits},
                    {"circuits_available", m.circuits_per_chip()},
                    {"tiles", run.tiles},
                    {"tiles_available", m.circuits.tiles},
                    {"sources", run.sources},
                    {"sources_available", m.sources.external > 0 ? ordered_json(m.sources.external) : ordered_json()},
                    {"bytes", run.bytes},
                    {"peak_events", std::max(run.events_in, run.events_out)},
                    {"peak_events_in", run.events_in},
                    {"peak_events_out", run.events_out},
                    {"events_known", run.events_known},
                    {"limited_by", run.limited_by},
                    {"round", run.round},
                    {"chip", run.chip}};
  j["component"] = run.component == PartitionRun::kAlone ? ordered_json() : ordered_json(run.component);
  return j;
}

}  // namespace

std::string partition_json(const Partition& p, const MachineDescription& m) {
  ordered_json runs = ordered_json::array(), populations = ordered_json::array(), components = ordered_json::array();
  for (const PartitionRun& run : p.runs) runs.push_back(run_json(p, run, m));
  for (const PartitionedPopulation& q : p.populations)
    populations.push_back({{"name", q.name}, {"size", q.size}, {"fan_in", q.fan_in}, {"rows", q.rows}, {"circuits", q.circuits}});
  for (const RecurrentComponent& c : p.components) {
    ordered_json names = ordered_json::array();
    for (const std::uint32_t i : c.populations) names.push_back(p.populations[i].name);
    components.push_back({{"populations", names}, {"runs", c.runs}, {"circuits", c.circuits}, {"lock_step", c.runs.size() > 1},
                          {"exchange_ms", c.exchange_ms}, {"turns", c.turns}});
  }
  const ordered_json result = {{"network", p.network},
                               {"machine", p.machine},
                               {"kind", p.training ? "training" : "simulation"},
                               {"chips", p.chips},
                               {"populations", populations},
                               {"runs", runs},
                               {"rounds", p.rounds},
                               {"components", components},
                               {"bound", {{"runs", p.bound.runs}, {"playback_copies", p.bound.playback_copies}, {"runs_by", p.runs_bound_by}}},
                               {"playback_copies", p.playback_copies},
                               {"playback_events", p.playback_events > 0.0 ? ordered_json(p.playback_events) : ordered_json()},
                               {"method", p.method},
                               {"predicted",
                                {{"chip_ms", p.predicted.chip_ms},
                                 {"transfer_ms", p.predicted.transfer_ms},
                                 {"reconfiguration_ms", p.predicted.reconfiguration_ms},
                                 {"total_ms", p.predicted.total_ms()}}},
                               {"notes", p.notes}};
  return result.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

std::string slices_text(const Partition& p, const PartitionRun& run, std::size_t most) {
  std::string text;
  for (std::size_t i = 0; i < run.slices.size() && i < most; ++i) {
    const PartitionSlice& s = run.slices[i];
    const PartitionedPopulation& q = p.populations[s.population];
    if (i > 0) text += ", ";
    text += q.name;
    if (s.count == q.size) continue;
    text += s.count == 1 ? fmt::format("[{}]", s.first) : fmt::format("[{}:{}]", s.first, s.first + s.count);
  }
  if (run.slices.size() > most) text += fmt::format(" and {} more", run.slices.size() - most);
  return text;
}

}  // namespace tessera::cli
