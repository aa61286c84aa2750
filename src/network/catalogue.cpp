// The models and rules that a network may name. Here, because neurons and rules of plasticity do not know
// each other.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "builtin_models.hpp"
#include "builtin_rules.hpp"
#include "tessera/errors.hpp"
#include "tessera/neuron_model.hpp"
#include "tessera/plasticity_model.hpp"
#include "tessera/structural_rule.hpp"

namespace tessera {

NeuronCatalogue NeuronCatalogue::builtin() {
  NeuronCatalogue catalogue;
  for (const auto model : kBuiltinModels) catalogue.add(model());
  for (const auto rule : kBuiltinRules) catalogue.add(rule());
  for (const auto rule : kBuiltinStructuralRules) catalogue.add(rule());
  return catalogue;
}

void NeuronCatalogue::require_free(const std::string& name) const {
  if (models_.contains(name)) {
    throw InputError("A neuron model named '" + name + "' is already in the catalogue.");
  }
  if (rules_.contains(name)) {
    throw InputError("A rule of plasticity named '" + name + "' is already in the catalogue.");
  }
  if (structural_rules_.contains(name)) {
    throw InputError("A structural rule named '" + name + "' is already in the catalogue.");
  }
}

void NeuronCatalogue::add(NeuronModel model) {
  require_free(model.name);
  const std::string name = model.name;
  models_.emplace(name, std::move(model));
}

const NeuronModel* NeuronCatalogue::find(const std::string& name) const noexcept {
  const auto found = models_.find(name);
  return found == models_.end() ? nullptr : &found->second;
}

std::vector<std::string> NeuronCatalogue::names() const {
  std::vector<std::string> names;
  for (const auto& [name, model] : models_) names.push_back(name);
  return names;
}

void NeuronCatalogue::add(PlasticityModel rule) {
  require_free(rule.name);
  const std::string name = rule.name;
  rules_.emplace(name, std::make_shared<const PlasticityModel>(std::move(rule)));
}

const PlasticityModel* NeuronCatalogue::find_rule(const std::string& name) const noexcept {
  const auto found = rules_.find(name);
  return found == rules_.end() ? nullptr : found->second.get();
}

std::vector<std::string> NeuronCatalogue::rule_names() const {
  std::vector<std::string> names;
  for (const auto& [name, rule] : rules_) names.push_back(name);
  return names;
}

void NeuronCatalogue::add(StructuralModel rule) {
  require_free(rule.name);
  const std::string name = rule.name;
  structural_rules_.emplace(name, std::make_shared<const StructuralModel>(std::move(rule)));
}

const StructuralModel* NeuronCatalogue::find_structural_rule(const std::string& name) const noexcept {
  const auto found = structural_rules_.find(name);
  return found == structural_rules_.end() ? nullptr : found->second.get();
}

std::vector<std::string> NeuronCatalogue::structural_rule_names() const {
  std::vector<std::string> names;
  for (const auto& [name, rule] : structural_rules_) names.push_back(name);
  return names;
}

}  // namespace tessera
