// Every rule that changes weights, with parameters under which weights really move, and do not all end at a bound.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "tessera/network.hpp"

namespace tessera::test {

struct PlasticityExample {
  std::string name;
  Plasticity plasticity;
  double weight;  ///< initial
  double range;   ///< about what weights may be
};

[[nodiscard]] inline std::vector<PlasticityExample> plasticity_examples() {
  const auto guetig = [](const char* name, const char* rule, double mu_plus, double mu_minus) {
    return PlasticityExample{name,
                             {rule, {{"Wmax", 2.0}, {"lambda", 0.004}, {"alpha", 1.1}, {"mu_plus", mu_plus}, {"mu_minus", mu_minus}, {"tau_minus", 33.0}}},
                             1.0, 2.0};
  };
  std::vector<PlasticityExample> examples{guetig("additive", "stdp", 0, 0), guetig("multiplicative", "stdp", 1, 1),
                                          guetig("van Rossum", "stdp", 0, 1), guetig("half", "stdp", 0, 0.5),
                                          guetig("Guetig", "stdp", 0.3, 0.6)};
  examples.push_back(guetig("source first", "stdp_source_first", 0, 0));
  examples.push_back(guetig("source first, Guetig", "stdp_source_first", 0.3, 0.6));
  for (const char* const rule : {"stdp_nn_symm", "stdp_nn_pre_centered", "stdp_nn_restr"}) {
    examples.push_back(guetig(rule, rule, 0, 0));
    examples.push_back(guetig(rule, rule, 0.3, 1));
  }
  const auto power_law = [](double mu) {
    return PlasticityExample{"power law", {"stdp_power_law", {{"lambda", 0.008}, {"alpha", 1.2}, {"mu", mu}}}, 1.0, 2.0};
  };
  for (const double mu : {0.0, 0.4, 1.0}) examples.push_back(power_law(mu));
  examples.push_back({"triplet", {"stdp_triplet", {{"Wmax", 2.0}, {"Aplus", 0.002}, {"Aplus_triplet", 0.002}, {"Aminus_triplet", 0.001}}}, 1.0, 2.0});
  // Whoever takes it names a population of its network.
  examples.push_back({"dopamine",
                      {"stdp_dopamine", {{"Wmax", 2.0}, {"Wmin", 0.1}, {"A_plus", 0.0005}, {"A_minus", 0.0006}, {"b", 0.02}, {"tau_c", 400.0}}, 0.0, "?", 2.3},
                      1.0, 2.0});
  examples.push_back({"inhibitory", {"vogels_sprekeler", {{"Wmax", -2.0}, {"eta", 0.004}, {"alpha", 0.4}}}, -1.0, 2.0});
  return examples;
}

/// One for everything that a rule can need: sums of traces (the first one), slow traces, negative weights, a third factor, a
/// number per synapse, one spike after the other (the last one).
[[nodiscard]] inline std::vector<PlasticityExample> different_examples() {
  const std::vector<PlasticityExample> all = plasticity_examples();
  std::vector<PlasticityExample> some;
  for (const char* const name : {"additive", "triplet", "inhibitory", "dopamine", "stdp_nn_pre_centered", "Guetig"}) {
    some.push_back(*std::find_if(all.begin(), all.end(), [name](const auto& example) { return example.name == name; }));
  }
  return some;
}

}  // namespace tessera::test
