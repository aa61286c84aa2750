// tessera plan: what a run will need, before anything is built.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "cli/arguments.hpp"
#include "cli/dry_run.hpp"
#include "cli/run_summary.hpp"
#include "cli/text.hpp"
#include "cli/training_plan.hpp"
#include "cli/values.hpp"
#include "tessera/device_plan.hpp"

namespace tessera::cli {
namespace {

// A plan of a network whose wiring does not fit has no tiles.
bool is_wired(const Plan& plan) { return !plan.tile_lines.empty(); }

void show_sizes(const Network& network, const SimulationOptions& options, const Plan& plan) {
  fmt::print("{}: {}, {}, time step {}", network.name, counted(plan.neurons, "neuron"),
             synapses_text(plan.synapses, plan.synapses_expected), time_text(network.dt_ms));
  if (!is_wired(plan)) {
    fmt::print(
        "\n{} connectivity ({}); not even the wiring fits, so this is the least it takes\n\n",
        to_string(plan.connectivity), to_string(options.precision));
    return;
  }
  fmt::print(", delays {} to {}\n", time_text(plan.min_delay_ms), time_text(plan.max_delay_ms));
  fmt::print("{} connectivity ({}), {}, {} in {}, {}, {}\n\n", to_string(plan.connectivity, plan.mixture),
             to_string(options.precision), counted(plan.threads, "thread"),
             counted(plan.tiles, "tile"), counted(plan.groups, "delivery group"),
             counted(plan.chunks, "chunk"), counted(plan.delay_slots, "delay slot"));
}

void show_memory(const Network& network, const Plan& plan) {
  Table memory({"room", "holds", "bytes"}, 2);
  for (const PlannedMemory& part : plan.memory) {
    memory.row({part.room, part.what, bytes_text(part.bytes)});
  }
  memory.row({"in all", "predicted peak of the process", bytes_text(plan.memory_bytes)});
  memory.row({"", "of which connectivity", bytes_text(plan.synapse_bytes)});
  fmt::print("{}", memory.text());
  if (is_wired(plan)) fmt::print("\n");
  for (const std::string& line : plan.tile_lines) fmt::print("{}\n", line);
  for (const std::string& note : plan.notes) fmt::print("{}\n", note);
  show_mixture(plan.mixture);
  show_plasticity(network);
  show_rounded_weights(plan.rounded_weights);
}

void show_times(const Plan& plan, double time_ms) {
  fmt::print("\npredicted construction: {:.2g} s\n", plan.construction_seconds);
  if (plan.real_time_factor > 0.0) {
    fmt::print("predicted time for {}: {:.2g} s (real-time factor {:.2g})\n", time_text(time_ms),
               plan.real_time_factor * time_ms / 1000.0, plan.real_time_factor);
  } else {
    fmt::print("predicted time for {}: unknown, because the model states no mean rates\n",
               time_text(time_ms));
  }
}

/// Of the GPU that the steps would run on; false: they cannot.
bool show_device(const DevicePlan& plan) {
  fmt::print("\non {}", plan.device);
  if (!plan.memory.empty()) {
    fmt::print(": {} of at most {}, images of {}{}, launches of at most {}\n", counted(plan.blocks, "block"),
               counted(plan.neurons_per_block, "neuron"), bytes_text(plan.image_bytes),
               plan.shared_bytes == 0 ? "" : plan.in_shared_memory ? " in shared memory" : " that do not fit shared memory",
               counted(static_cast<std::uint64_t>(plan.launch_steps), "step"));
    Table memory({"room", "holds", "bytes"}, 2);
    for (const PlannedMemory& part : plan.memory) memory.row({part.room, part.what, bytes_text(part.bytes)});
    memory.row({"in all", plan.available_bytes > 0 ? "of " + bytes_text(plan.available_bytes) : "", bytes_text(plan.memory_bytes)});
    fmt::print("{}", memory.text());
  } else {
    fmt::print("\n");
  }
  for (const std::string& note : plan.notes) fmt::print("{}\n", note);
  return plan.obstacles.empty();
}

int show_obstacles(const std::vector<std::string>& obstacles,
                   const std::vector<std::string>& remedies) {
  fmt::print("\ndoes not fit:\n");
  for (const std::string& sentence : obstacles) fmt::print("  {}\n", sentence);
  if (!remedies.empty()) fmt::print("what would help:\n");
  for (const std::string& sentence : remedies) fmt::print("  {}\n", sentence);
  return kBadInput;
}

// A network that cannot even be described: the sentences of the reader are the answer.
int show_too_large(const Problems& problems) {
  std::vector<std::string> obstacles;
  for (const Problem& problem : problems.list()) {
    obstacles.push_back(problem.where.to_string() + ": " + problem.message);
  }
  return show_obstacles(
      obstacles, {"Fewer neurons or synapses."});
}

}  // namespace

int plan(const PlanArguments& arguments) {
  if (arguments.model && looks_like_training(*arguments.model)) return plan_training(arguments);
  Problems problems;
  for (const auto& [option, given] : {std::pair("--activity", &arguments.activity), std::pair("--listed", &arguments.listed),
                                      std::pair("--slices", &arguments.slices)}) {
    if (*given) problems.add(option, "is for training files.");
  }
  if (arguments.ranks) return plan_ranks(arguments, problems);
  for (const auto& [option, given] :
       {std::pair("--rank", &arguments.rank), std::pair("--json", &arguments.json),
        std::pair("--svg", &arguments.svg), std::pair("--latency", &arguments.latency),
        std::pair("--bandwidth", &arguments.bandwidth), std::pair("--event-cost", &arguments.event_cost)}) {
    if (*given) problems.add(option, "is for a plan over ranks: give --ranks, too.");
  }
  require_given(arguments.model, "MODEL", "tessera plan model.toml", problems);
  SimulationOptions options = simulation_options(arguments, problems);
  std::optional<double> time_ms;
  if (arguments.time) time_ms = parse_time_ms(*arguments.time, "--time", problems);
  const NeuronCatalogue models = NeuronCatalogue::builtin();
  const std::optional<Network> network = load_network(arguments, models, problems);
  if (problems.only_too_large()) return show_too_large(problems);
  problems.raise();
  if (!arguments.seed) options.seed = network->seed;
  const Plan plan = tessera::plan(*network, models, options);
  show_sizes(*network, options, plan);
  show_memory(*network, plan);
  if (is_wired(plan)) show_times(plan, time_ms.value_or(network->time_ms));
  if (options.device.kind != Device::Kind::cpu) {
    const DevicePlan there = plan_on_device(*network, models, options);
    if (!show_device(there)) return show_obstacles(there.obstacles, {});
  }
  return plan.obstacles.empty() ? kOk : show_obstacles(plan.obstacles, plan.remedies);
}

}  // namespace tessera::cli
