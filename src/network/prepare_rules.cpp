// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "network/prepare_rules.hpp"

#include <algorithm>

namespace tessera {

std::vector<PlasticityVariant> prepare_rules(const Network& network, const NeuronCatalogue& models) {
  std::vector<PlasticityVariant> rules(is_plastic(network) ? network.projections.size() : 0);
  for (std::size_t p = 0; p < rules.size(); ++p) {
    const std::optional<Plasticity>& plasticity = network.projections[p].plasticity;
    if (!plasticity) continue;
    const PlasticityModel& rule = *models.find_rule(plasticity->rule);
    rules[p] = rule.prepare(values_of(*plasticity, rule), network.dt_ms);
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
    rules[p] = rule.make(values_of(*rewiring, rule));
  }
  return rules;
}

}  // namespace tessera
