// The rules of plasticity of a network, bound to their parameters.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "tessera/network.hpp"
#include "tessera/plasticity_model.hpp"
#include "tessera/structural_rule.hpp"

namespace tessera {

/// The rule of a projection. One that allows weights of both signs keeps them at the sign that they begin with: the
/// weights of a plastic projection have one sign.
[[nodiscard]] PlasticityVariant prepare_rule(const Projection& plastic, const PlasticityModel& rule, double dt_ms);

/// Per projection, empty ones where it is not plastic; nothing at all when none is. The network is valid.
[[nodiscard]] std::vector<PlasticityVariant> prepare_rules(const Network& network, const NeuronCatalogue& models);

[[nodiscard]] std::shared_ptr<const StructuralRule> make_rule(const StructuralPlasticity& rewiring, const StructuralModel& rule);

/// The same of structural rules: per projection, null where nothing is rewired; nothing at all when none is.
[[nodiscard]] std::vector<std::shared_ptr<const StructuralRule>> prepare_structural_rules(const Network& network,
                                                                                          const NeuronCatalogue& models);

}  // namespace tessera
