// The plan of plastic synapses against what they take.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "engine/networks.hpp"

namespace tessera::test {
namespace {

struct Case {
  const char* name;
  Plasticity plasticity;
  std::uint32_t indegree;
  Distribution delay;
  bool rewires;
};

const Case kCases[] = {
    {"sums", {"stdp", {{"mu_plus", 0.0}, {"mu_minus", 0.0}}}, 100, Distribution::constant(1.5), false},
    {"sums, short rows", {"stdp", {{"mu_plus", 0.0}, {"mu_minus", 0.0}}}, 5, Distribution::constant(1.5), false},
    {"sums, slow traces", {"stdp_triplet", {}}, 40, Distribution::constant(1.0), false},
    {"each spike", {"stdp", {{"mu_plus", 0.4}}}, 100, Distribution::constant(1.5), false},
    {"many delays", {"stdp", {{"mu_plus", 0.0}}}, 50, Distribution::uniform(0.3, 20.0), false},
    {"a number per synapse", {"stdp_nn_pre_centered", {}}, 100, Distribution::constant(1.5), false},
    {"comes and goes", {"stdp", {{"mu_plus", 0.0}, {"mu_minus", 0.0}}}, 30, Distribution::constant(1.0), true}};

Network network_of(const Case& c) {
  Network network;
  network.populations = {neurons_of("E", 2000), neurons_of("I", 3000)};
  Projection p = project("E", "I", Kind::fixed_indegree, c.indegree, Distribution::constant(1.0), c.delay);
  p.plasticity = c.plasticity;
  if (c.rewires) {
    p.rule.multapses = false;
    p.rewiring = StructuralPlasticity{"prune_and_regrow", {}, 1.0, 0};
  }
  network.projections = {p};
  return network;
}

TEST(PlanOfPlasticSynapses, IsWithinATenthOfWhatTheyTake) {
  for (const Case& c : kCases) {
    for (const bool exact : {false, true}) {
      for (const int tiles : {1, 5}) {
        const SimulationOptions options = exact ? exact_options(1, tiles) : options_of(Connectivity::stored, 1, tiles);
        const Network network = network_of(c);
        const auto planned = static_cast<double>(plan(network, NeuronCatalogue::builtin(), options).synapse_bytes);
        const auto taken = static_cast<double>(simulation_of(network, options).report().synapse_bytes);
        EXPECT_NEAR(planned, taken, 0.1 * taken) << c.name << (exact ? ", exact, " : ", fast, ") << tiles;
      }
    }
  }
}

}  // namespace
}  // namespace tessera::test
