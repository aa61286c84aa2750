// Checks of parameters against their tables: unknown names, values that are not finite or out of range.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "network/validate.hpp"
#include "tessera/plasticity_model.hpp"

namespace tessera::validation {
namespace {

std::string allowed_range(const ParameterInfo& info) {
  const std::string unit = info.unit.empty() ? "" : " " + info.unit;
  const bool below = std::isfinite(info.minimum), above = std::isfinite(info.maximum);
  const std::string low =
      fmt::format("{} {}{}", info.minimum_allowed ? "at least" : "above", info.minimum, unit);
  const std::string high = fmt::format("at most {}{}", info.maximum, unit);
  if (below && above) return low + " and " + high;
  return below ? low : high;
}

// "" when the value is right.
std::string value_problem(const ParameterInfo& info, const std::string& owner, double value) {
  if (!std::isfinite(value)) return fmt::format("{} of {} must be a finite number.", info.name, owner);
  const bool low = info.minimum_allowed ? value < info.minimum : value <= info.minimum;
  if (!low && value <= info.maximum) return "";
  return fmt::format("{} of {} is {}{}; it must be {}.", info.name, owner, value,
                     info.unit.empty() ? "" : " " + info.unit, allowed_range(info));
}

bool has_parameter(const PlasticityModel& rule, const std::string& name) {
  return std::any_of(rule.parameters.begin(), rule.parameters.end(),
                     [&name](const ParameterInfo& info) { return info.name == name; });
}

}  // namespace

std::vector<std::pair<std::string, std::string>> parameter_problems(
    const std::string& model, const std::string& owner, const std::vector<ParameterInfo>& known,
    const std::map<std::string, double>& given, ParameterValues& values) {
  std::vector<std::pair<std::string, std::string>> problems;
  std::vector<std::string> names;
  for (const ParameterInfo& info : known) {
    names.push_back(info.name);
    values.set(info.name, info.default_value);
  }
  for (const auto& [name, value] : given) {
    const auto info = std::find_if(known.begin(), known.end(),
                                   [&wanted = name](const ParameterInfo& i) { return i.name == wanted; });
    if (info == known.end()) {
      problems.emplace_back(
          name, fmt::format("{} has no parameter '{}'.{}", model, name, did_you_mean(name, names)));
      continue;
    }
    std::string sentence = value_problem(*info, owner, value);
    if (sentence.empty()) {
      values.set(name, value);
    } else {
      problems.emplace_back(name, std::move(sentence));
    }
  }
  return problems;
}

std::string hint_at_rules(const NeuronCatalogue& models, const std::string& parameter) {
  std::vector<std::string> rules;
  for (const std::string& name : models.rule_names()) {
    if (has_parameter(*models.find_rule(name), parameter)) rules.push_back(name);
  }
  if (rules.empty()) return "";
  return fmt::format(" It is a parameter of plasticity ({}): write it in the plasticity of the projection.",
                     fmt::join(rules, ", "));
}

}  // namespace tessera::validation
