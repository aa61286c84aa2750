// Looking up and counting in a network description.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "tessera/network.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "network/sheet.hpp"
#include "tessera/plasticity_model.hpp"
#include "tessera/structural_rule.hpp"

namespace tessera {
namespace {

double gaussian_pairs(const ConnectivityRule& rule, const Population& source,
                      const Population& target, bool without_self) {
  const bool defined =
      is_sheet(source) && is_sheet(target) && distance_problem(source, target).empty();
  if (!defined || !(rule.sigma > 0.0)) return 0.0;
  // The kernel is a product of one factor per axis.
  const SheetPair sheets(source, target);
  const double pairs = sheets.x.gaussian_sum(rule.sigma) * sheets.y.gaussian_sum(rule.sigma);
  return rule.probability * (pairs - (without_self ? target.size : 0.0));
}

ParameterValues with_defaults(const std::map<std::string, double>& given,
                              const std::vector<ParameterInfo>& parameters) {
  ParameterValues values;
  for (const ParameterInfo& parameter : parameters) {
    const auto found = given.find(parameter.name);
    values.set(parameter.name, found == given.end() ? parameter.default_value : found->second);
  }
  return values;
}

}  // namespace

const Population* Network::find(const std::string& population_name) const noexcept {
  const auto found = std::find_if(populations.begin(), populations.end(),
                                  [&](const Population& p) { return p.name == population_name; });
  return found == populations.end() ? nullptr : &*found;
}

std::size_t Network::index_of(const std::string& population_name) const {
  if (const Population* found = find(population_name)) {
    return static_cast<std::size_t>(found - populations.data());
  }
  std::vector<std::string> names;
  for (const Population& population : populations) names.push_back(population.name);
  throw InputError(fmt::format("There is no population named '{}'.{}", population_name,
                               did_you_mean(population_name, names)));
}

std::vector<std::uint32_t> recorded_neurons(const Network& network) {
  std::vector<std::uint32_t> counts;
  for (const Population& population : network.populations) {
    std::uint32_t count = network.spike_recorders.empty() ? population.size : 0;
    for (const SpikeSelection& selection : network.spike_recorders) {
      if (selection.population == population.name) count = std::max(count, std::min(selection.count, population.size));
    }
    counts.push_back(count);
  }
  return counts;
}

ParameterValues values_of(const Population& population, const NeuronModel& model) {
  return with_defaults(population.parameters, model.parameters);
}

ParameterValues values_of(const StructuralPlasticity& rewiring, const StructuralModel& rule) {
  return with_defaults(rewiring.parameters, rule.parameters);
}

ParameterValues values_of(const Plasticity& plasticity, const PlasticityModel& rule) {
  return with_defaults(plasticity.parameters, rule.parameters);
}

bool is_plastic(const Network& network) noexcept {
  return std::any_of(network.projections.begin(), network.projections.end(),
                     [](const Projection& p) { return p.plasticity.has_value(); });
}

double expected_synapses(const Projection& projection, const Population& source,
                         const Population& target) {
  const ConnectivityRule& rule = projection.rule;
  const double sources = source.size, targets = target.size;
  const bool without_self = !rule.autapses && projection.source == projection.target;
  const double pairs = sources * (without_self ? targets - 1.0 : targets);
  switch (rule.kind) {
    case ConnectivityRule::Kind::one_to_one:
      return without_self ? 0.0 : sources;
    case ConnectivityRule::Kind::all_to_all:
      return pairs;
    case ConnectivityRule::Kind::fixed_total_number:
      return static_cast<double>(rule.number);
    case ConnectivityRule::Kind::fixed_indegree:
      return static_cast<double>(rule.number) * targets;
    case ConnectivityRule::Kind::fixed_outdegree:
      return static_cast<double>(rule.number) * sources;
    case ConnectivityRule::Kind::pairwise_bernoulli:
      return rule.probability * pairs;
    case ConnectivityRule::Kind::gaussian_2d:
      return gaussian_pairs(rule, source, target, without_self);
    case ConnectivityRule::Kind::explicit_list:
      return static_cast<double>(rule.list.size());
  }
  return 0.0;
}

bool draws_number_of_synapses(const ConnectivityRule& rule) {
  const bool pairs = rule.kind == ConnectivityRule::Kind::pairwise_bernoulli && rule.probability < 1.0;
  return rule.probability > 0.0 && (pairs || rule.kind == ConnectivityRule::Kind::gaussian_2d);
}

SynapseNumber number_of_synapses(const Network& network) {
  SynapseNumber number;
  double synapses = 0.0;
  for (const Projection& p : network.projections) {
    synapses += expected_synapses(p, *network.find(p.source), *network.find(p.target));
    number.expected = number.expected || draws_number_of_synapses(p.rule);
  }
  number.synapses = static_cast<std::uint64_t>(std::llround(std::min(synapses, 9e18)));
  return number;
}

std::string to_string(ConnectivityRule::Kind kind) {
  switch (kind) {
    case ConnectivityRule::Kind::one_to_one:
      return "one_to_one";
    case ConnectivityRule::Kind::all_to_all:
      return "all_to_all";
    case ConnectivityRule::Kind::fixed_total_number:
      return "fixed_total_number";
    case ConnectivityRule::Kind::fixed_indegree:
      return "fixed_indegree";
    case ConnectivityRule::Kind::fixed_outdegree:
      return "fixed_outdegree";
    case ConnectivityRule::Kind::pairwise_bernoulli:
      return "pairwise_bernoulli";
    case ConnectivityRule::Kind::gaussian_2d:
      return "gaussian_2d";
    case ConnectivityRule::Kind::explicit_list:
      return "explicit_list";
  }
  return "unknown";
}

}  // namespace tessera
