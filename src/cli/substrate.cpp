// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "cli/substrate.hpp"

#include <fmt/format.h>

#include <limits>
#include <optional>

#include "cli/text.hpp"

namespace tessera::cli {
namespace {

using namespace training;

constexpr SubstrateEffect kEffects[] = {SubstrateEffect::weights, SubstrateEffect::events, SubstrateEffect::pattern,
                                        SubstrateEffect::noise, SubstrateEffect::readout};

std::vector<SubstrateEffect> effects_of(const std::string& list, Problems& problems) {
  std::vector<SubstrateEffect> effects;
  if (list == "none") return effects;
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    const auto choice = parse_choice(list.substr(begin, end - begin),
                                     {"weights", "events", "pattern", "noise", "readout"}, "--effects", problems);
    if (choice) effects.push_back(kEffects[*choice]);
    begin = end + 1;
  }
  return effects;
}

void refuse_without_machine(const SubstrateArguments& a, Problems& problems) {
  const auto refuse = [&](bool given, const char* option) {
    if (given) problems.add(option, "says something about a machine, but there is no --machine.");
  };
  refuse(!a.machine_set.empty(), "--machine-set");
  refuse(a.chips.has_value(), "--chips");
  refuse(a.effects.has_value(), "--effects");
  refuse(a.chip_seed.has_value(), "--chip-seed");
}

}  // namespace

std::optional<ChosenMachine> machine_of(const SubstrateArguments& a, const std::filesystem::path& model_file, Problems& problems) {
  if (!a.machine) {
    refuse_without_machine(a, problems);
    return std::nullopt;
  }
  ChosenMachine chosen;
  const auto most = std::numeric_limits<std::uint64_t>::max();
  if (a.chips) {
    if (const auto n = parse_whole(*a.chips, 1, 1'000'000, "--chips", problems)) chosen.options.chips = static_cast<std::uint32_t>(*n);
  }
  if (a.chip_seed) {
    if (const auto n = parse_whole(*a.chip_seed, 0, most, "--chip-seed", problems)) chosen.seed = *n;
  }
  if (a.effects) chosen.effects = effects_of(*a.effects, problems);
  const std::vector<ParameterOverride> of_machine = parse_overrides(a.machine_set, problems);
  try {
    chosen.machine = load_machine(*a.machine, of_machine);
    chosen.options.stated = load_stated_partition(model_file);
  } catch (const InputError& error) {
    problems.add(error.problems());
    return std::nullopt;
  }
  return chosen;
}

std::shared_ptr<const Substrate> substrate_of(const SubstrateArguments& a, const training::Network& network,
                                              const std::filesystem::path& model_file, Problems& problems) {
  std::optional<ChosenMachine> chosen = machine_of(a, model_file, problems);
  if (!chosen) return nullptr;
  auto substrate = std::make_shared<Substrate>();
  substrate->machine = std::move(chosen->machine);
  substrate->seed = chosen->seed;
  try {
    if (!network.layers.empty()) substrate->partition = partition(network, substrate->machine, chosen->options);
  } catch (const InputError& error) {
    problems.add(error.problems());
    return nullptr;
  }
  if (chosen->effects) keep_effects(*chosen->effects, substrate->machine);
  return substrate;
}

std::optional<PartitionedOptions> parts_of(const RunArguments& a, const tessera::Network& network, const NeuronCatalogue& models,
                                           const SimulationOptions& simulation, double time_ms, Problems& problems) {
  const auto refuse = [&](bool given, const char* option, const char* why) {
    if (given) problems.add(option, why);
  };
  refuse(a.no_lock_step && !a.machine, "--no-lock-step", "says something about a machine, but there is no --machine.");
  std::optional<ChosenMachine> chosen = machine_of(a, a.model.value_or(""), problems);
  if (!chosen) return std::nullopt;
  refuse(a.checkpoint_every.has_value(), "--checkpoint-every", "a run on a machine has no checkpoints: its parts are at different times.");
  refuse(a.resume.has_value(), "--resume", "a run on a machine begins at its beginning.");
  refuse(a.tiles.has_value(), "--tiles", "a run on a machine has the tiles that its parts need.");
  refuse(a.group_size.has_value(), "--group-size", "a run on a machine has one delivery group.");
  refuse(a.exchange.has_value(), "--exchange", "is for ranks; parts play recorded spikes back.");
  refuse(a.placement.has_value(), "--placement", "is for ranks; the partition says where neurons are.");
  if (!problems.empty()) return std::nullopt;
  chosen->options.lock_step = !a.no_lock_step;
  chosen->options.sample_ms = time_ms;
  PartitionedOptions options{simulation, chosen->machine, {}, chosen->seed};
  try {
    options.partition = tessera::partition(network, models, chosen->machine, chosen->options);
  } catch (const InputError& error) {
    problems.add(error.problems());
    return std::nullopt;
  }
  if (chosen->effects) keep_effects(*chosen->effects, options.machine);
  problems.add(tessera::validate(network, models, options));
  return options;
}

std::string substrate_text(const Substrate& substrate, const SubstrateUse& use, const std::vector<LinkActivity>& links) {
  std::uint64_t events = 0, dropped = 0, late = 0;
  const LinkActivity* worst = nullptr;
  for (const LinkActivity& link : links) {
    events += link.events;
    dropped += link.dropped;
    late += link.late;
    if (link.dropped > 0 && (worst == nullptr || link.dropped > worst->dropped)) worst = &link;
  }
  std::string text = fmt::format("substrate   {}: {} in {}, {} in the largest of {} in all\n", substrate.machine.name,
                                 counted(use.parts, "part"), counted(substrate.partition.runs.size(), "run"),
                                 bytes_text(use.largest_part), bytes_text(use.all_parts));
  if (links.empty()) return text;
  text += fmt::format("links       {} events, {} dropped, {} too late\n", grouped(events), grouped(dropped), grouped(late));
  if (worst != nullptr)
    text += fmt::format("            most of them dropped: {} of {} from {}\n", grouped(worst->dropped), grouped(worst->events), worst->name);
  return text;
}

std::string turns_text(const std::string& machine, const TurnsReport& t) {
  std::uint64_t played = 0, dropped = 0, late = 0;
  const PlaybackEdge* worst = nullptr;
  for (const PlaybackEdge& edge : t.edges) {
    played += edge.played;
    dropped += edge.dropped;
    late += edge.late;
    if (edge.dropped > 0 && (worst == nullptr || edge.dropped > worst->dropped)) worst = &edge;
  }
  std::string text = fmt::format("machine           {}: {} in {} on {}\n", machine, counted(t.runs, "run"), counted(t.rounds, "round"), counted(t.chips, "chip"));
  if (t.lock_step_parts > 0) {
    text += fmt::format("lock-step         {} of {} parts, {} each\n", counted(t.turns, "turn"), t.lock_step_parts, time_text(t.turn_ms));
  }
  text += fmt::format("parts             {} in the largest of {} in all, {} in memory at most\n", bytes_text(t.largest_part_bytes),
                      bytes_text(t.all_parts_bytes), bytes_text(t.peak_bytes));
  text += fmt::format("played back       {} copies of {} ({}); {} dropped, {} too late\n", grouped(played),
                      counted(t.recorded_spikes, "recorded spike"), bytes_text(t.record_bytes), grouped(dropped), grouped(late));
  if (worst != nullptr) {
    text += fmt::format("                  most of them dropped: {} of {} from {} to run {}\n", grouped(worst->dropped), grouped(worst->events),
                        worst->from == 0 ? "the host" : fmt::format("run {}", worst->from), worst->to);
  }
  return text;
}

}  // namespace tessera::cli
