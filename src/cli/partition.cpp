// tessera partition: which parts of a network are on a machine at one time, before anything runs.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "cli/partition.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cli/arguments.hpp"
#include "cli/text.hpp"
#include "cli/training_plan.hpp"
#include "cli/values.hpp"
#include "tessera/result.hpp"
#include "tessera/training_file.hpp"

namespace tessera::cli {
namespace {

constexpr std::size_t kShownRuns = 60;

// A function that may find the input wrong, whose problems join the others.
template <class Function>
void collect(Problems& problems, Function&& function) {
  try {
    function();
  } catch (const InputError& error) {
    problems.add(error.problems());
  }
}

std::string limit_text(std::uint64_t used, std::uint64_t available) {
  return available > 0 ? fmt::format("{}/{}", grouped(used), grouped(available)) : grouped(used);
}

void show_runs(const Partition& p, const MachineDescription& m) {
  Table table({"run", "neurons", "circuits", "sources", "events in", "events out", "limited by", "round", "chip"}, 1);
  const std::size_t shown = p.runs.size() <= kShownRuns ? p.runs.size() : kShownRuns / 2;
  for (std::size_t r = 0; r < shown; ++r) {
    const PartitionRun& run = p.runs[r];
    const char* most = run.events_known ? "" : "<=";
    table.row({fmt::format("{}  {}", r + 1, slices_text(p, run, 3)), grouped(run.neurons),
               m.circuits.tiles > 1 ? fmt::format("{} ({} tiles)", limit_text(run.circuits, m.circuits_per_chip()), limit_text(run.tiles, m.circuits.tiles))
                                    : limit_text(run.circuits, m.circuits_per_chip()),
               limit_text(run.sources, m.sources.external), fmt::format("{}{:.3g}", most, run.events_in), fmt::format("{}{:.3g}", most, run.events_out),
               run.limited_by, std::to_string(run.round + 1), std::to_string(run.chip + 1)});
  }
  fmt::print("{}", table.text());
  if (shown < p.runs.size()) fmt::print("... and {} more runs; --json has all of them\n", grouped(p.runs.size() - shown));
}

void show_populations(const Partition& p) {
  Table table({p.training ? "layer" : "population", "neurons", "inputs", "rows", "circuits of a neuron"}, 1);
  for (const PartitionedPopulation& q : p.populations)
    table.row({q.name, grouped(q.size), grouped(q.fan_in), grouped(q.rows), grouped(q.circuits)});
  fmt::print("{}\n", table.text());
}

void show_components(const Partition& p) {
  for (const RecurrentComponent& c : p.components) {
    std::string names;
    for (const std::uint32_t i : c.populations) names += (names.empty() ? "" : ", ") + p.populations[i].name;
    if (c.runs.size() > 1) {
      fmt::print("recurrent: {} ({} circuits) takes {} runs in lock-step, {} turns of {} for one sample\n", names, grouped(c.circuits), c.runs.size(),
                 grouped(c.turns), time_text(c.exchange_ms));
    } else {
      fmt::print("recurrent: {} ({} circuits) within run {}\n", names, grouped(c.circuits), c.runs.front() + 1);
    }
  }
}

void show(const Partition& p, const MachineDescription& m) {
  fmt::print("{} on {} ({}): {} in {}, {}\n\n", p.network, m.name, counted(p.chips, "chip"), counted(p.runs.size(), "run"), counted(p.rounds, "round"), p.method);
  show_populations(p);
  show_runs(p, m);
  fmt::print("\nevents are per {}, in the busiest step\n", m.events.clock_ns > 0.0 ? fmt::format("clock of {:.6g} ns", m.events.clock_ns) : "step");
  show_components(p);
  fmt::print("runs: {}, bound {} ({})\n", grouped(p.runs.size()), grouped(p.bound.runs), p.runs_bound_by);
  fmt::print("playback copies: {}, bound {}\n", grouped(p.playback_copies), grouped(p.bound.playback_copies));
  if (p.playback_events > 0.0) fmt::print("events to play back: {:.6g}\n", p.playback_events);
  const PartitionPrediction& t = p.predicted;
  fmt::print("predicted time {}: {:.4g} ms (chip {:.4g}, transfer {:.4g}, reconfiguration {:.4g})\n", p.training ? "per sample" : "of the run", t.total_ms(),
             t.chip_ms, t.transfer_ms, t.reconfiguration_ms);
  for (const std::string& note : p.notes) fmt::print("{}\n", note);
}

struct Inputs {
  std::optional<MachineDescription> machine;
  PartitionOptions options;
  std::vector<ParameterOverride> overrides;
};

Inputs read_inputs(const PartitionArguments& a, Problems& problems) {
  Inputs in;
  require_given(a.model, "MODEL", "tessera partition model.toml --machine brainscales2", problems);
  require_given(a.machine, "--machine", "tessera partition model.toml --machine brainscales2", problems);
  in.overrides = parse_overrides(a.set, problems);
  const std::vector<ParameterOverride> of_machine = parse_overrides(a.machine_set, problems);
  if (a.machine) collect(problems, [&] { in.machine = load_machine(*a.machine, of_machine); });
  if (a.chips) {
    if (const auto chips = parse_whole(*a.chips, 1, 1'000'000, "--chips", problems)) in.options.chips = static_cast<std::uint32_t>(*chips);
  }
  if (a.activity) in.options.activity = parse_share(*a.activity, "--activity", problems);
  if (a.time) in.options.sample_ms = parse_time_ms(*a.time, "--time", problems).value_or(0.0);
  in.options.lock_step = !a.no_lock_step;
  return in;
}

}  // namespace

int partition(const PartitionArguments& a) {
  Problems problems;
  Inputs in = read_inputs(a, problems);
  std::optional<training::TrainingModel> trained;
  std::optional<Network> simulated;
  const NeuronCatalogue models = NeuronCatalogue::builtin();
  if (a.model) {
    collect(problems, [&] {
      if (is_training_file(*a.model)) {
        trained = training::load_training_file(*a.model, in.overrides);
      } else {
        simulated = load_model_file(*a.model, models, in.overrides);
      }
      in.options.stated = load_stated_partition(*a.model);
    });
  }
  if (trained && a.time) problems.add("--time", "is for networks to simulate; the time of a sample is that of the training file.");
  problems.raise();
  const Partition result = trained ? tessera::partition(trained->network, *in.machine, in.options)
                                   : tessera::partition(*simulated, models, *in.machine, in.options);
  show(result, *in.machine);
  if (a.json) write_text_file(*a.json, partition_json(result, *in.machine));
  if (a.svg) write_text_file(*a.svg, partition_svg(result));
  return kOk;
}

}  // namespace tessera::cli
