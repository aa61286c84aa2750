// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "machine/fit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "connectivity/wiring.hpp"
#include "machine/plan.hpp"
#include "tessera/communicator.hpp"

namespace tessera {
namespace {

/// No network has more; beyond 2^64 there is no number for it.
std::uint64_t whole_bytes(double bytes) { return static_cast<std::uint64_t>(std::min(bytes, 9e18)); }

std::string size_text(double bytes) {
  if (bytes < 10000.0) return fmt::format("{:.0f} bytes", bytes);
  const char* const units[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
  std::size_t unit = 0;
  for (bytes /= 1000.0; bytes >= 999.5 && unit + 1 < std::size(units); bytes /= 1000.0) ++unit;
  return fmt::format("{:.3g} {}", bytes, units[unit]);
}

/// "population 'E', which receives 1.2e+09 synapses": where most of the memory goes.
std::string heaviest_population(const Network& network) {
  std::vector<double> synapses(network.populations.size(), 0.0);
  for (const Projection& p : network.projections) {
    synapses[network.index_of(p.target)] += expected_synapses(p, *network.find(p.source), *network.find(p.target));
  }
  const auto bytes = [&](std::size_t p) { return network.populations[p].size * 10.0 + synapses[p] * 4.0; };
  std::size_t heaviest = 0;
  for (std::size_t p = 1; p < synapses.size(); ++p) heaviest = bytes(p) > bytes(heaviest) ? p : heaviest;
  return fmt::format("population '{}' with {} neurons and {:.4g} synapses", network.populations[heaviest].name,
                     network.populations[heaviest].size, synapses[heaviest]);
}

std::string way_name(const Plan& plan, const Ways& ways) {
  if (ways.precision == Precision::exact) return "stored connectivity in exact precision";
  if (plan.connectivity == Connectivity::stored) return "stored connectivity";
  return ways.count_table ? "procedural connectivity" : "procedural connectivity without its count table";
}

void add_remedies(Plan& plan, const Ways& ways, double available) {
  const double needed = static_cast<double>(plan.memory_bytes);
  bool helps = false;
  double least = needed;
  const auto offer = [&](double bytes, const std::string& way) {
    if (bytes <= 0.0 || bytes >= needed) return;
    least = std::min(least, bytes);
    helps = helps || bytes <= available;
    plan.remedies.push_back(fmt::format("{} would need {}, which {}.", way, size_text(bytes),
                                        bytes <= available ? "fits" : "does not fit either"));
  };
  if (ways.precision == Precision::exact) {
    offer(ways.procedural, "Fast precision with procedural connectivity");
  } else {
    const bool stored = plan.connectivity == Connectivity::stored;
    if (stored) offer(ways.procedural, "Procedural connectivity");
    // Listed rules have no table: then this is no other way.
    if ((stored || ways.count_table) && ways.without_count_table < 0.99 * ways.procedural) {
      offer(ways.without_count_table, "Procedural connectivity without its count table");
    }
  }
  if (helps) return;
  plan.remedies.push_back(fmt::format("{} ranks with as much memory each would hold it (mpirun).",
                                      (plan.ranks > 1 ? plan.ranks : 1) * std::ceil(least / available)));
  plan.remedies.push_back("Fewer neurons or synapses: [scaling] in the model keeps mean and variance of the input.");
}

}  // namespace

void judge_memory(Plan& plan, const Network& network, const Ways& ways, const std::string& limited_by) {
  const double needed = static_cast<double>(plan.memory_bytes), available = static_cast<double>(plan.available_bytes);
  if (plan.available_bytes == 0 || needed <= available) return;
  plan.obstacles.push_back(fmt::format(
      "Network '{}' needs {} of memory with {}: {} more than the {} that are available{}. The largest part is {}.",
      network.name, size_text(needed), way_name(plan, ways), size_text(needed - available), size_text(available), limited_by,
      heaviest_population(network)));
  add_remedies(plan, ways, available);
}

void judge_table(Plan& plan, const LargestTable& table) {
  if (plan.available_bytes == 0 || plan.memory_bytes <= plan.available_bytes || table.projection == nullptr) return;
  if (static_cast<double>(plan.memory_bytes) - table.bytes > static_cast<double>(plan.available_bytes)) return;
  const ConnectivityRule& rule = table.projection->rule;
  const bool distinct = !rule.multapses || rule.kind == ConnectivityRule::Kind::pairwise_bernoulli;
  const char* const what = !distinct ? "" : rule.autapses ? " without multapses" : " without multapses or autapses";
  plan.obstacles.push_back(fmt::format("Without the table of what {}{} takes back and adds in projection '{}', {}, it would fit.",
                                       to_string(rule.kind), what, table.projection->name, size_text(table.bytes)));
  if (rule.kind == ConnectivityRule::Kind::pairwise_bernoulli || rule.kind == ConnectivityRule::Kind::fixed_indegree) {
    plan.remedies.push_back(fmt::format("fixed_total_number with as many synapses in projection '{}' needs no such table.",
                                        table.projection->name));
  } else {
    plan.remedies.push_back(fmt::format("{} with multapses and autapses in projection '{}' needs no such table.", to_string(rule.kind),
                                        table.projection->name));
  }
}

Plan outline(const Network& network, const NeuronCatalogue& models, const SimulationOptions& options) {
  const bool exact = options.precision == Precision::exact;
  std::vector<double> chunks(network.populations.size(), 0.0);
  std::vector<std::uint32_t> largest(network.populations.size(), 0);
  for (const Chunk& chunk : cut_into_chunks(network)) {
    chunks[chunk.population] += 1.0;
    largest[chunk.population] = std::max(largest[chunk.population], chunk.size);
  }
  double wiring = 0.0, synapses = 0.0;
  for (const Projection& projection : network.projections) {
    const Population& source = *network.find(projection.source);
    const std::size_t target = network.index_of(projection.target);
    wiring += chunks[target] * Wiring::bytes_per_chunk(projection.rule, source.size, largest[target]);
    synapses += expected_synapses(projection, source, network.populations[target]);
  }
  const double share = options.communicator ? 1.0 / options.communicator->size() : 1.0;  // of a rank, about
  wiring *= share;
  synapses *= share;
  const double state =
      state_bytes(network, models, options.precision, std::vector<double>(network.populations.size(), share));
  const double rows = synapses * (exact ? 16.0 : 4.0), rest = state + wiring;
  const MemoryLimit limit = memory_limit(options);
  Plan plan;
  count(network, plan);
  plan.available_bytes = limit.bytes;
  plan.connectivity = options.connectivity;
  if (plan.connectivity == Connectivity::automatic) {
    const bool stored = exact || leaves_room(rest + rows, limit.bytes);
    plan.connectivity = stored ? Connectivity::stored : Connectivity::procedural;
  }
  const bool stored = plan.connectivity == Connectivity::stored;
  plan.memory = {{"engine", whole_bytes(state), "neuron state"},
                 {"connectivity", whole_bytes(wiring), "wiring (trees, tables, lists)"}};
  if (stored) plan.memory.push_back({"connectivity", whole_bytes(rows), "packed rows"});
  plan.synapse_bytes = stored ? plan.memory.back().bytes : 0;
  plan.memory_bytes = whole_bytes(rest + (stored ? rows : 0.0));
  judge_memory(plan, network, {rest + rows, 0.0, rest, options.precision, options.count_table},
               limit.source);
  return plan;
}

bool wiring_fits(const Plan& outline) {
  return outline.available_bytes == 0 ||
         outline.memory.at(0).bytes + outline.memory.at(1).bytes <= outline.available_bytes;
}

void require_fit(const Plan& plan) {
  if (plan.obstacles.empty()) return;
  std::string text;
  for (const auto* sentences : {&plan.obstacles, &plan.remedies}) {
    for (const std::string& sentence : *sentences) text += (text.empty() ? "" : " ") + sentence;
  }
  throw InputError(text);
}

}  // namespace tessera
