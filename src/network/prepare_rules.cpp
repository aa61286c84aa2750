// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "network/prepare_rules.hpp"

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

}  // namespace tessera
