// Checks of a projection's plasticity: its rule, the rule's parameters, the weights it starts from, its delays.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/time_grid.hpp"
#include "network/prepare_rules.hpp"
#include "network/sheet.hpp"
#include "network/validate.hpp"
#include "tessera/plasticity_model.hpp"
#include "tessera/structural_rule.hpp"

namespace tessera::validation {
namespace {

using Kind = ConnectivityRule::Kind;

// What is said about the plasticity of one projection.
struct plasticity_reporter {
  context& c;
  const Projection& p;
  const std::string& path;
  const std::string& label;
  std::string unit;  // " pA"; "" when the target's model is not known
  void operator()(const std::string& key, std::string message) const {
    c.add(p.where, path, key, std::move(message));
  }
};

// The range that a rule keeps weights in, and why.
std::string range_text(const plasticity_reporter& report, const std::string& rule, const PlasticityVariant& variant,
                       const ParameterValues& values) {
  std::string range;
  if (std::isinf(variant.highest)) {
    range = fmt::format("at {}{} or above", variant.lowest, report.unit);
  } else if (std::isinf(variant.lowest)) {
    range = fmt::format("at {}{} or below", variant.highest, report.unit);
  } else {
    range = fmt::format("from {} to {}{}", variant.lowest, variant.highest, report.unit);
  }
  if (!variant.bound_by.empty()) {
    range += fmt::format(" ({} is {}{})", variant.bound_by, values[variant.bound_by], report.unit);
  }
  return fmt::format("the rule {} keeps weights {}", rule, range);
}

bool outside(const PlasticityVariant& variant, double weight) {
  return weight < variant.lowest || weight > variant.highest;
}

// How weights of the other sign could be meant.
std::string sign_hint(const PlasticityVariant& variant, double weight) {
  const bool other = (weight < 0.0 && variant.lowest >= 0.0) || (weight > 0.0 && variant.highest <= 0.0);
  if (!other || variant.bound_by.empty()) return "";
  return fmt::format("; {} needs the sign of the weights", variant.bound_by);
}

void check_list(const plasticity_reporter& report, const PlasticityVariant& variant, const std::string& range) {
  std::size_t wrong = 0, first = 0;
  const auto& list = report.p.rule.list;
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (outside(variant, list[i].weight) && wrong++ == 0) first = i;
  }
  if (wrong == 0) return;
  report("list", fmt::format("{} weights of {} are not possible (first: synapse {} with {}{}): {}{}.", wrong,
                             report.label, first, list[first].weight, report.unit, range,
                             sign_hint(variant, list[first].weight)));
}

void check_weights(const plasticity_reporter& report, const PlasticityVariant& variant, const std::string& range) {
  if (report.p.rule.kind == Kind::explicit_list) return check_list(report, variant, range);
  const Distribution& weight = report.p.weight;
  if (!distribution_problems(weight).empty()) return;
  if (weight.kind == Distribution::Kind::constant) {
    if (outside(variant, weight.a)) {
      report("weight", fmt::format("The weight of {} is {}{}, but {}{}.", report.label, weight.a, report.unit,
                                   range, sign_hint(variant, weight.a)));
    }
    return;
  }
  const double least = weight.quantile(0.0), most = weight.quantile(1.0);
  const bool low = least < variant.lowest, high = most > variant.highest;
  if (!low && !high) return;
  const auto end = [&report](double value, const char* side, const char* verb) {
    return std::isinf(value) ? fmt::format("have no {} bound", side)
                             : fmt::format("{} {:.6g}{}", verb, value, report.unit);
  };
  report("weight",
         fmt::format("The weights of {} {}, but {}{}; bound their {} distribution with {}.", report.label,
                     low ? end(least, "lower", "go down to") : end(most, "upper", "reach"), range,
                     sign_hint(variant, weight.mean()), to_string(weight.kind),
                     low && high ? "low and high" : low ? "low" : "high"));
}

// The shortest delay in steps; nothing where the delays themselves are wrong.
std::optional<std::int64_t> shortest_delay(const plasticity_reporter& report, const Population* source,
                                           const Population* target) {
  const Projection& p = report.p;
  const double dt = report.c.network().dt_ms;
  double shortest = HUGE_VAL;
  if (p.rule.kind == Kind::explicit_list) {
    for (const ConnectivityRule::Synapse& s : p.rule.list) shortest = std::min(shortest, s.delay_ms);
  } else if (has_distance_delay(p)) {
    const bool known = source != nullptr && target != nullptr && is_sheet(*source) && is_sheet(*target) &&
                       distance_problem(*source, *target).empty() && p.delay_slope > 0.0 && p.delay_ms.a >= 0.0;
    if (known) shortest = std::max(dt, distance_delay_ms(p, distances(p, *source, *target).shortest));
  } else if (distribution_problems(p.delay_ms).empty()) {
    shortest = p.delay_ms.quantile(0.0);
  }
  const std::int64_t steps = std::isfinite(shortest) && shortest > 0.0 ? nearest_step(shortest, dt) : 0;
  return steps >= 1 ? std::optional(steps) : std::nullopt;
}

void check_axonal_delay(const plasticity_reporter& report, const Population* source, const Population* target) {
  const double axonal = report.p.plasticity->axonal_delay_ms;
  const std::string key = "plasticity.axonal_delay";
  if (!std::isfinite(axonal) || axonal < 0.0) {
    return report(key, fmt::format("The axonal delay of {} is {} ms; it must be a number of 0 or more.",
                                   report.label, axonal));
  }
  if (!report.c.dt_is_good()) return;
  const double dt = report.c.network().dt_ms;
  const std::optional<std::int64_t> shortest = shortest_delay(report, source, target);
  if (!shortest || nearest_step(axonal, dt) < *shortest) return;
  report(key, fmt::format("The axonal delay of {} is {} ms, but its shortest delay is {:.6g} ms; the dendritic "
                          "part, the rest of every delay, must be at least one step ({} ms).",
                          report.label, axonal, static_cast<double>(*shortest) * dt, dt));
}

// The population whose spikes are the third factor, and their delay.
void check_modulator(const plasticity_reporter& report, const PlasticityModel& rule) {
  const Plasticity& plasticity = *report.p.plasticity;
  if (!rule.has_modulator) {
    if (!plasticity.modulator.empty()) {
      report("plasticity.modulator", fmt::format("The plasticity of {} names a modulator ('{}'), but the rule {} has no third factor.",
                                                 report.label, plasticity.modulator, rule.name));
    }
    return;
  }
  std::vector<std::string> populations;
  for (const Population& p : report.c.network().populations) populations.push_back(p.name);
  if (plasticity.modulator.empty()) {
    report("plasticity.modulator", fmt::format("The plasticity of {} ({}) needs a modulator: the population whose spikes are the third "
                                               "factor.", report.label, rule.name));
  } else if (std::find(populations.begin(), populations.end(), plasticity.modulator) == populations.end()) {
    report("plasticity.modulator", fmt::format("The modulator of {} is '{}', but there is no such population.{}", report.label,
                                               plasticity.modulator, did_you_mean(plasticity.modulator, populations)));
  }
  if (!report.c.dt_is_good()) return;
  const double dt = report.c.network().dt_ms, delay = plasticity.modulator_delay_ms;
  constexpr double kMostSteps = 65536;
  if (!std::isfinite(delay) || nearest_step(delay, dt) < 1 || delay / dt > kMostSteps) {
    report("plasticity.modulator_delay", fmt::format("The modulator of {} has a delay of {} ms; it must be from one step ({} ms) to {:.6g} ms.",
                                                     report.label, delay, dt, kMostSteps * dt));
  }
}

// Parameters with the unit of the weights spelled out.
std::vector<ParameterInfo> parameters_of(const PlasticityModel& rule, const std::string& weight_unit) {
  std::vector<ParameterInfo> parameters = rule.parameters;
  for (ParameterInfo& info : parameters) {
    if (info.unit == "weight") info.unit = weight_unit;
  }
  return parameters;
}

}  // namespace

void check_plasticity(context& c, const Projection& p, const std::string& path, const std::string& label,
                      const Population* source, const Population* target) {
  const Plasticity& plasticity = *p.plasticity;
  const NeuronModel* model = target == nullptr ? nullptr : c.models().find(target->model);
  const std::string weight_unit = model == nullptr ? "" : model->weight_unit;
  const plasticity_reporter report{c, p, path, label, weight_unit.empty() ? "" : " " + weight_unit};
  check_axonal_delay(report, source, target);
  const PlasticityModel* rule = c.models().find_rule(plasticity.rule);
  if (rule == nullptr) {
    return report("plasticity.rule",
                  plasticity.rule.empty()
                      ? fmt::format("The plasticity of {} names no rule.", label)
                      : fmt::format("There is no rule of plasticity named '{}'.{}", plasticity.rule,
                                    did_you_mean(plasticity.rule, c.models().rule_names())));
  }
  check_modulator(report, *rule);
  ParameterValues values;
  const auto problems = parameter_problems("The rule " + rule->name, label, parameters_of(*rule, weight_unit),
                                           plasticity.parameters, values);
  for (const auto& [name, sentence] : problems) report("plasticity." + name, sentence);
  if (!problems.empty()) return;
  std::vector<std::string> sentences;
  if (rule->check != nullptr) sentences = rule->check(values);
  for (const std::string& sentence : sentences) {
    report("plasticity", fmt::format("The plasticity of {}: {}", label, sentence));
  }
  if (!sentences.empty() || !c.dt_is_good() || rule->prepare == nullptr) return;
  const PlasticityVariant allowed = rule->prepare(values, c.network().dt_ms);
  const bool both_signs = allowed.lowest < 0.0 && allowed.highest > 0.0;
  check_weights(report, prepare_rule(p, *rule, c.network().dt_ms),
                both_signs ? "the weights of a plastic projection have one sign"
                           : range_text(report, rule->name, allowed, values));
}

namespace {

void check_delay_of_rewiring(const plasticity_reporter& report) {
  const Projection& p = report.p;
  if (p.rule.kind == Kind::explicit_list || has_distance_delay(p) || p.delay_ms.kind != Distribution::Kind::constant) {
    report("rewiring", fmt::format("The synapses of {} come and go, so all must have one delay: give it a constant one (and a rule, not a "
                                   "list, to begin with).", report.label));
  }
}

void check_structural_rule(const plasticity_reporter& report, const StructuralModel& rule, const std::string& weight_unit) {
  std::vector<ParameterInfo> parameters = rule.parameters;
  for (ParameterInfo& info : parameters) {
    if (info.unit == "weight") info.unit = weight_unit;
  }
  ParameterValues values;
  const auto problems = parameter_problems("The rule " + rule.name, report.label, parameters, report.p.rewiring->parameters, values);
  for (const auto& [name, sentence] : problems) report("rewiring." + name, sentence);
  if (!problems.empty() || rule.check == nullptr) return;
  for (const std::string& sentence : rule.check(values)) {
    report("rewiring", fmt::format("The rewiring of {}: {}", report.label, sentence));
  }
}

void check_most_synapses(const plasticity_reporter& report, const Population* source, const Population* target) {
  const Projection& p = report.p;
  const std::uint32_t most = p.rewiring->max_indegree;
  if (most == 0 || source == nullptr || target == nullptr) return;
  if (most > source->size) {
    report("rewiring.max_indegree", fmt::format("The in-degree of {} is limited to {}, but '{}' has only {} neurons.", report.label, most,
                                                p.source, source->size));
  }
  if (p.rule.kind == Kind::fixed_indegree && p.rule.number > most) {
    report("rewiring.max_indegree", fmt::format("{} begins with {} synapses per target; the limit, {}, is below that.", report.label,
                                                p.rule.number, most));
  }
}

}  // namespace

void check_rewiring(context& c, const Projection& p, const std::string& path, const std::string& label, const Population* source,
                    const Population* target) {
  const NeuronModel* model = target == nullptr ? nullptr : c.models().find(target->model);
  const plasticity_reporter report{c, p, path, label, ""};
  const StructuralPlasticity& rewiring = *p.rewiring;
  if (!p.plasticity) report("rewiring", fmt::format("The rewiring of {} needs a plasticity; \"static\" leaves weights as they are.", label));
  if (!std::isfinite(rewiring.interval_ms) || !(rewiring.interval_ms > 0.0)) {
    report("rewiring.interval", fmt::format("The rewiring of {} has an interval of {} ms; it must be above 0.", label, rewiring.interval_ms));
  } else if (c.dt_is_good() && nearest_step(rewiring.interval_ms, c.network().dt_ms) < 1) {
    report("rewiring.interval", fmt::format("The rewiring of {} has an interval of {} ms, less than one step ({} ms).", label,
                                            rewiring.interval_ms, c.network().dt_ms));
  }
  check_delay_of_rewiring(report);
  check_most_synapses(report, source, target);
  if (p.rule.multapses && (p.rule.kind == Kind::fixed_total_number || p.rule.kind == Kind::fixed_indegree || p.rule.kind == Kind::fixed_outdegree)) {
    report("multapses", fmt::format("The synapses of {} come and go, one per pair: set multapses = false.", label));
  }
  const StructuralModel* rule = c.models().find_structural_rule(rewiring.rule);
  if (rule == nullptr) {
    return report("rewiring.rule", fmt::format("There is no structural rule named '{}'.{}", rewiring.rule,
                                               did_you_mean(rewiring.rule, c.models().structural_rule_names())));
  }
  check_structural_rule(report, *rule, model == nullptr ? "" : model->weight_unit);
}

}  // namespace tessera::validation
