// [projections.NAME.plasticity]: the rule that changes a projection's weights, and the rule's parameters.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "model_file/parts.hpp"
#include "tessera/plasticity_model.hpp"
#include "tessera/structural_rule.hpp"

namespace tessera::io {
namespace {

// NaN where a value cannot be read: validation then compares nothing with it.
double number_or_nan(TableReader& t, const std::string& key, const Dimension& unit, const Place& place) {
  return read_number(t.context(), *t.get(key), t.path_of(key), unit, place).value_or(std::nan(""));
}

void read_parameters(TableReader& t, const std::vector<ParameterInfo>& parameters, const Place& place,
                     const std::optional<Dimension>& weight_unit, std::map<std::string, double>& values) {
  for (const ParameterInfo& info : parameters) {
    if (t.get(info.name) == nullptr) continue;
    const Dimension unit = info.unit == "weight" ? weight_unit.value_or(Dimension::of_any_kind())
                                                 : find_unit(info.unit).value_or(Dimension{});
    values[info.name] = number_or_nan(t, info.name, unit, place);
  }
}

// Which parameters the rule should have is unknown; the values can be wrong all the same.
void read_of_unknown_rule(TableReader& t, const Place& place) {
  for (const std::string& key : t.keys()) {
    if (key == "rule" || key == "when" || key == "axonal_delay" || key == "modulator" || key == "modulator_delay" ||
        key == "interval" || key == "max_indegree" || key == "max_outdegree") continue;
    (void)number_or_nan(t, key, Dimension::of_any_kind(), place);
  }
}

}  // namespace

void read_plasticity(TableReader& t, const Place& place, const std::optional<Dimension>& unit,
                     Projection& projection) {
  std::optional<TableReader> table = t.tables("plasticity", "rule");
  if (!table) return;
  ModelContext& c = t.context();
  Plasticity plasticity;
  const bool active = table->truth("when", true, place);
  const toml::node* node = table->need("rule");
  if (node != nullptr) plasticity.rule = table->text("rule", "", place);
  const PlasticityModel* rule = c.models.find_rule(plasticity.rule);
  if (rule != nullptr) {
    read_parameters(*table, rule->parameters, place, unit, plasticity.parameters);
  } else {
    if (!plasticity.rule.empty()) {
      c.problems.add_unknown(node->source(), table->path_of("rule"),
                             fmt::format("There is no rule of plasticity named '{}'.", plasticity.rule),
                             plasticity.rule, c.models.rule_names());
    }
    read_of_unknown_rule(*table, place);
  }
  if (table->get("axonal_delay") != nullptr) {
    plasticity.axonal_delay_ms = number_or_nan(*table, "axonal_delay", kMilliseconds, place);
  }
  if (table->get("modulator") != nullptr) plasticity.modulator = table->text("modulator", "", place);
  if (table->get("modulator_delay") != nullptr) {
    plasticity.modulator_delay_ms = number_or_nan(*table, "modulator_delay", kMilliseconds, place);
    if (plasticity.modulator.empty()) {
      c.problems.add(table->get("modulator_delay")->source(), table->path_of("modulator_delay"),
                     "A delay of a modulator needs the modulator: modulator = \"POPULATION\".");
    }
  }
  table->done();
  if (active) projection.plasticity = std::move(plasticity);
}

void read_rewiring(TableReader& t, const Place& place, const std::optional<Dimension>& unit, Projection& projection) {
  std::optional<TableReader> table = t.tables("rewiring", "rule");
  if (!table) return;
  ModelContext& c = t.context();
  StructuralPlasticity rewiring;
  const bool active = table->truth("when", true, place);
  const toml::node* node = table->need("rule");
  if (node != nullptr) rewiring.rule = table->text("rule", "", place);
  if (const StructuralModel* rule = c.models.find_structural_rule(rewiring.rule)) {
    read_parameters(*table, rule->parameters, place, unit, rewiring.parameters);
    for (const WordInfo& info : rule->words) {
      if (table->get(info.name) != nullptr) rewiring.words[info.name] = table->text(info.name, info.fallback, place);
    }
  } else {
    if (!rewiring.rule.empty()) {
      c.problems.add_unknown(node->source(), table->path_of("rule"),
                             fmt::format("There is no structural rule named '{}'.", rewiring.rule), rewiring.rule,
                             c.models.structural_rule_names());
    }
    read_of_unknown_rule(*table, place);
  }
  rewiring.interval_ms = table->number("interval", kMilliseconds, 1.0, place);
  rewiring.max_indegree = static_cast<std::uint32_t>(std::min<std::uint64_t>(table->count("max_indegree", 0, place), 4294967295u));
  rewiring.max_outdegree = static_cast<std::uint32_t>(std::min<std::uint64_t>(table->count("max_outdegree", 0, place), 4294967295u));
  table->done();
  if (!active) return;
  projection.rewiring = std::move(rewiring);
  if (!projection.plasticity) projection.plasticity = Plasticity{"static", {}, 0.0};  // weights stay, synapses do not
}

}  // namespace tessera::io
