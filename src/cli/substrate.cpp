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

std::shared_ptr<const Substrate> substrate_of(const SubstrateArguments& a, const training::Network& network,
                                              const std::filesystem::path& model_file, Problems& problems) {
  if (!a.machine) {
    refuse_without_machine(a, problems);
    return nullptr;
  }
  auto substrate = std::make_shared<Substrate>();
  PartitionOptions options;
  const auto most = std::numeric_limits<std::uint64_t>::max();
  if (a.chips) {
    if (const auto n = parse_whole(*a.chips, 1, 1'000'000, "--chips", problems)) options.chips = static_cast<std::uint32_t>(*n);
  }
  if (a.chip_seed) {
    if (const auto n = parse_whole(*a.chip_seed, 0, most, "--chip-seed", problems)) substrate->seed = *n;
  }
  std::optional<std::vector<SubstrateEffect>> effects;
  if (a.effects) effects = effects_of(*a.effects, problems);
  const std::vector<ParameterOverride> of_machine = parse_overrides(a.machine_set, problems);
  try {
    substrate->machine = load_machine(*a.machine, of_machine);
    options.stated = load_stated_partition(model_file);
    if (!network.layers.empty()) substrate->partition = partition(network, substrate->machine, options);
  } catch (const InputError& error) {
    problems.add(error.problems());
    return nullptr;
  }
  if (effects) keep_effects(*effects, substrate->machine);
  return substrate;
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

}  // namespace tessera::cli
