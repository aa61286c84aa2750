// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "network/prepare_rules.hpp"

#include <algorithm>

namespace tessera {

namespace {

bool is_negative(const Projection& p) {
  if (p.rule.kind != ConnectivityRule::Kind::explicit_list) return p.weight.mean() < 0.0;
  const auto& list = p.rule.list;
  const auto first = std::find_if(list.begin(), list.end(), [](const auto& synapse) { return synapse.weight != 0.0; });
  return first != list.end() && first->weight < 0.0;
}

}  // namespace

std::shared_ptr<const StructuralRule> make_rule(const StructuralPlasticity& rewiring, const StructuralModel& rule) {
  if (rule.make_with_words == nullptr) return rule.make(values_of(rewiring, rule));
  Words words = rewiring.words;
  for (const WordInfo& info : rule.words) words.try_emplace(info.name, info.fallback);
  return rule.make_with_words(values_of(rewiring, rule), words);
}

PlasticityVariant prepare_rule(const Projection& plastic, const PlasticityModel& rule, double dt_ms) {
  PlasticityVariant variant = rule.prepare(values_of(*plastic.plasticity, rule), dt_ms);
  if (variant.lowest < 0.0 && variant.highest > 0.0) (is_negative(plastic) ? variant.highest : variant.lowest) = 0.0;
  return variant;
}

std::vector<PlasticityVariant> prepare_rules(const Network& network, const NeuronCatalogue& models) {
  std::vector<PlasticityVariant> rules(is_plastic(network) ? network.projections.size() : 0);
  for (std::size_t p = 0; p < rules.size(); ++p) {
    const Projection& projection = network.projections[p];
    if (!projection.plasticity) continue;
    rules[p] = prepare_rule(projection, *models.find_rule(projection.plasticity->rule), network.dt_ms);
  }
  return rules;
}

std::vector<std::shared_ptr<const StructuralRule>> prepare_structural_rules(const Network& network,
                                                                            const NeuronCatalogue& models) {
  const auto rewires = [](const Projection& p) { return p.rewiring.has_value(); };
  if (std::none_of(network.projections.begin(), network.projections.end(), rewires)) return {};
  std::vector<std::shared_ptr<const StructuralRule>> rules(network.projections.size());
  for (std::size_t p = 0; p < rules.size(); ++p) {
    const std::optional<StructuralPlasticity>& rewiring = network.projections[p].rewiring;
    if (!rewiring) continue;
    const StructuralModel& rule = *models.find_structural_rule(rewiring->rule);
    rules[p] = make_rule(*rewiring, rule);
  }
  return rules;
}

}  // namespace tessera
