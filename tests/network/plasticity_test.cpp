// What can be wrong with the plasticity of a projection.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "network/build_network.hpp"
#include "tessera/plasticity_model.hpp"

namespace tessera {
namespace {

using test::contains;
using test::problems_of;
using test::two_populations;

/// A to B with stdp: weights of 50 pA, Wmax 100 pA, delays of 1.5 ms in steps of 0.1 ms.
Network plastic() {
  Network network = two_populations();
  network.projections[0].plasticity.emplace();
  network.projections[0].plasticity->rule = "stdp";
  return network;
}

// Applies a change to the valid projection and expects exactly one problem with these parts.
template <class Change>
void expect_problem(Change change, const std::string& key, const std::string& part) {
  Network network = plastic();
  change(network.projections[0]);
  const auto problems = validate(network, NeuronCatalogue::builtin());
  ASSERT_EQ(problems.size(), 1u) << problems_of(network) << "wanted: " << part;
  EXPECT_EQ(problems[0].where.key_path, "projections.A->B." + key) << problems[0].message;
  EXPECT_TRUE(contains(problems[0].message, part));
  EXPECT_TRUE(problems[0].message.ends_with('.') || problems[0].message.ends_with('?'));
}

template <class Change>
std::string problems_after(Change change) {
  Network network = plastic();
  change(network.projections[0]);
  return problems_of(network);
}

TEST(PlasticityOfAProjection, IsValid) {
  EXPECT_EQ(problems_of(plastic()), "");
  EXPECT_TRUE(is_plastic(plastic()));
  EXPECT_FALSE(is_plastic(two_populations()));
}

TEST(PlasticityOfAProjection, NamesARule) {
  expect_problem([](Projection& p) { p.plasticity->rule = "stdpp"; }, "plasticity.rule",
                 "no rule of plasticity named 'stdpp'. Did you mean 'stdp'?");
  expect_problem([](Projection& p) { p.plasticity->rule = ""; }, "plasticity.rule", "names no rule");
  expect_problem([](Projection& p) { p.plasticity->rule = "iaf_psc_exp"; }, "plasticity.rule",
                 "no rule of plasticity");
}

TEST(PlasticityOfAProjection, HasParametersOfItsRule) {
  const auto set = [](const char* name, double value) {
    return [=](Projection& p) { p.plasticity->parameters[name] = value; };
  };
  expect_problem(set("mu_pluss", 1.0), "plasticity.mu_pluss",
                 "The rule stdp has no parameter 'mu_pluss'. Did you mean 'mu_plus'?");
  expect_problem(set("wmax", 1.0), "plasticity.wmax", "Did you mean 'Wmax'?");
  expect_problem(set("tau_plus", -20.0), "plasticity.tau_plus",
                 "tau_plus of 'A->B' is -20 ms; it must be above 0 ms.");
  expect_problem(set("tau_minus", 0.0), "plasticity.tau_minus", "must be above 0 ms");
  expect_problem(set("lambda", std::nan("")), "plasticity.lambda", "must be a finite number");
  expect_problem(set("Wmax", 0.0), "plasticity", "The plasticity of 'A->B': Wmax must not be 0.");
}

TEST(PlasticityOfAProjection, BoundsTheFirstWeights) {
  expect_problem([](Projection& p) { p.weight = Distribution::constant(101.0); }, "weight",
                 "The weight of 'A->B' is 101 pA, but the rule stdp keeps weights from 0 to 100 pA (Wmax is 100 pA).");
  expect_problem([](Projection& p) { p.weight = Distribution::constant(-50.0); }, "weight",
                 "(Wmax is 100 pA); Wmax needs the sign of the weights.");
  expect_problem([](Projection& p) { p.plasticity->parameters["Wmax"] = -100.0; }, "weight",
                 "The weight of 'A->B' is 50 pA, but the rule stdp keeps weights from -100 to 0 pA");
  expect_problem([](Projection& p) { p.weight = Distribution::uniform(0.0, 120.0); }, "weight",
                 "The weights of 'A->B' reach 120 pA, but");
  expect_problem([](Projection& p) { p.weight = Distribution::normal(50.0, 5.0); }, "weight",
                 "have no lower bound, but the rule stdp keeps weights from 0 to 100 pA (Wmax is 100 pA); bound their "
                 "normal distribution with low and high.");
  EXPECT_EQ(problems_after([](Projection& p) { p.weight = Distribution::normal(50.0, 5.0).within(0.0, 100.0); }), "");
  EXPECT_EQ(problems_after([](Projection& p) { p.weight = Distribution::constant(100.0); }), "");
  EXPECT_EQ(problems_after([](Projection& p) { p.weight = Distribution::constant(0.0); }), "");
  EXPECT_EQ(problems_after([](Projection& p) {
              p.plasticity->parameters["Wmax"] = -100.0;
              p.weight = Distribution::exponential(-20.0).within(-100.0, 0.0);
            }),
            "");
}

TEST(PlasticityOfAProjection, BoundsTheWeightsOfAList) {
  const auto list = [](Projection& p) {
    p.rule.kind = ConnectivityRule::Kind::explicit_list;
    p.rule.list = {{0, 0, 50.0, 1.0}, {0, 1, 120.0, 2.0}, {1, 1, -1.0, 2.0}};
  };
  expect_problem(list, "list",
                 "2 weights of 'A->B' are not possible (first: synapse 1 with 120 pA): the rule stdp keeps weights from 0");
}

// Nothing follows from a parameter that is wrong itself.
TEST(PlasticityOfAProjection, TellsAMistakeOnce) {
  expect_problem(
      [](Projection& p) {
        p.weight = Distribution::constant(150.0);
        p.plasticity->parameters["Wmax"] = std::nan("");
      },
      "plasticity.Wmax", "finite");
}

TEST(PlasticityOfAProjection, LeavesAStepOfDendriticDelay) {
  const auto axonal = [](double ms) { return [ms](Projection& p) { p.plasticity->axonal_delay_ms = ms; }; };
  EXPECT_EQ(problems_after(axonal(1.4)), "");
  EXPECT_EQ(problems_after(axonal(1.44)), "");  // rounded to 14 steps
  const std::string key = "plasticity.axonal_delay";
  expect_problem(axonal(1.5), key,
                 "The axonal delay of 'A->B' is 1.5 ms, but its shortest delay is 1.5 ms; the dendritic part, the rest "
                 "of every delay, must be at least one step (0.1 ms).");
  expect_problem(axonal(1.46), key, "at least one step");
  expect_problem(axonal(-0.1), key, "0 or more");
  expect_problem(axonal(std::numeric_limits<double>::infinity()), key, "0 or more");
}

TEST(PlasticityOfAProjection, KnowsTheShortestOfAllDelays) {
  const std::string key = "plasticity.axonal_delay", sentence = "its shortest delay is 0.8 ms;";
  expect_problem(
      [](Projection& p) {
        p.plasticity->axonal_delay_ms = 0.8;
        p.delay_ms = Distribution::normal(1.5, 0.2).within(0.8, 3.0);
      },
      key, sentence);
  expect_problem(
      [](Projection& p) {
        p.plasticity->axonal_delay_ms = 0.8;
        p.rule.kind = ConnectivityRule::Kind::explicit_list;
        p.rule.list = {{0, 0, 50.0, 1.0}, {0, 1, 20.0, 0.8}};
      },
      key, sentence);
  // Cells of 1 mm: the five columns and the ten middle rows of both grids lie on top of each other.
  Network network = plastic();
  for (Population& population : network.populations) {
    population.grid_columns = 5;
    population.periodic = false;
  }
  network.populations[0].extent_mm = {5.0, 20.0};
  network.populations[1].extent_mm = {5.0, 10.0};
  Projection& p = network.projections[0];
  p.delay_ms = Distribution::constant(0.8);
  p.delay_slope = 2.0;
  p.plasticity->axonal_delay_ms = 0.7;
  EXPECT_EQ(problems_of(network), "");
  p.plasticity->axonal_delay_ms = 0.8;
  EXPECT_TRUE(contains(problems_of(network), sentence));
}

// A delay that is wrong itself says nothing about its parts.
TEST(PlasticityOfAProjection, DoesNotRepeatAMistakeOfTheDelay) {
  expect_problem(
      [](Projection& p) {
        p.plasticity->axonal_delay_ms = 1.0;
        p.delay_ms = Distribution::constant(-1.0);
      },
      "delay", "at least one time step");
}

TEST(PlasticityOfAProjection, KeepsTheTimeConstantOfThePostTrace) {
  Network network = plastic();
  network.populations[1].parameters["tau_minus"] = 20.0;
  EXPECT_TRUE(contains(problems_of(network), "populations.B.parameters.tau_minus: The model iaf_psc_exp has no parameter "
                                             "'tau_minus'."));
  EXPECT_TRUE(contains(problems_of(network), "It is a parameter of plasticity ("));
  EXPECT_TRUE(contains(problems_of(network), "write it in the plasticity of the projection."));
}

/// A rule with a bound that no parameter sets.
PlasticityModel one_sided(double lowest, double highest) {
  static double low, high;
  low = lowest, high = highest;
  PlasticityModel rule;
  rule.name = "one_sided";
  rule.prepare = [](const ParameterValues&, double) {
    PlasticityVariant variant;
    variant.lowest = low;
    variant.highest = high;
    return variant;
  };
  return rule;
}

TEST(PlasticityOfAProjection, MayHaveABoundOnOneSideOnly) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const auto sentence = [](double lowest, double highest, double weight) -> std::string {
    NeuronCatalogue models = NeuronCatalogue::builtin();
    models.add(one_sided(lowest, highest));
    Network network = plastic();
    network.projections[0].plasticity->rule = "one_sided";
    network.projections[0].weight = Distribution::constant(weight);
    const auto problems = validate(network, models);
    return problems.empty() ? "" : problems[0].message;
  };
  EXPECT_EQ(sentence(0.0, kInfinity, 1e6), "");
  EXPECT_EQ(sentence(-kInfinity, kInfinity, -1e6), "");
  EXPECT_EQ(sentence(-kInfinity, kInfinity, 1e6), "");
  EXPECT_EQ(sentence(0.0, kInfinity, -1.0),
            "The weight of 'A->B' is -1 pA, but the rule one_sided keeps weights at 0 pA or above.");
  EXPECT_EQ(sentence(-kInfinity, 0.0, 1.0),
            "The weight of 'A->B' is 1 pA, but the rule one_sided keeps weights at 0 pA or below.");
}

// A rule that leaves weights alone takes both signs, but not in one projection.
TEST(PlasticityOfAProjection, HasWeightsOfOneSign) {
  const auto short_term = [](const Distribution& weight) {
    return problems_after([weight](Projection& p) {
      p.plasticity->rule = "tsodyks2";
      p.weight = weight;
    });
  };
  EXPECT_EQ(short_term(Distribution::constant(-50.0)), "");
  EXPECT_EQ(short_term(Distribution::normal(-50.0, 5.0).within(-100.0, 0.0)), "");
  EXPECT_TRUE(contains(short_term(Distribution::normal(-50.0, 5.0)),
                       "The weights of 'A->B' have no upper bound, but the weights of a plastic projection have one sign; "
                       "bound their normal distribution with high."));
  EXPECT_TRUE(contains(short_term(Distribution::uniform(-1.0, 3.0)), "go down to -1 pA"));
  EXPECT_TRUE(contains(problems_after([](Projection& p) {
                         p.plasticity->rule = "tsodyks2";
                         p.rule.kind = ConnectivityRule::Kind::explicit_list;
                         p.rule.list = {{0, 0, 0.0, 1.0}, {0, 1, -20.0, 1.0}, {1, 1, 5.0, 1.0}};
                       }),
                       "1 weights of 'A->B' are not possible (first: synapse 2 with 5 pA): the weights of a plastic projection have "
                       "one sign."));
}

TEST(PlasticityOfAProjection, CannotBeScaledInSynapses) {
  Network network = plastic();
  network.populations[0].mean_rate_hz = 5.0;
  network.populations[1].mean_rate_hz = 5.0;
  Network fewer_neurons = network;
  scale_network(fewer_neurons, 0.5, 1.0, NeuronCatalogue::builtin());
  EXPECT_TRUE(fewer_neurons.projections[0].plasticity.has_value());
  try {
    scale_network(network, 0.5, 0.5, NeuronCatalogue::builtin());
    FAIL();
  } catch (const InputError& error) {
    EXPECT_TRUE(contains(error.what(), "'A->B' is plastic; scaling synapses by 0.5"));
  }
}

TEST(Catalogue, HoldsRulesOfPlasticityBesideNeurons) {
  NeuronCatalogue models = NeuronCatalogue::builtin();
  ASSERT_NE(models.find_rule("stdp"), nullptr);
  EXPECT_EQ(models.find_rule("iaf_psc_exp"), nullptr);
  EXPECT_EQ(models.find("stdp"), nullptr);
  PlasticityModel rule = *models.find_rule("stdp");
  EXPECT_THROW(models.add(rule), InputError);
  rule.name = "iaf_psc_exp";
  EXPECT_THROW(models.add(rule), InputError);
  rule.name = "my_rule";
  const std::size_t before = models.rule_names().size();
  models.add(rule);
  EXPECT_EQ(models.rule_names().size(), before + 1);
  EXPECT_EQ(NeuronCatalogue::builtin().find_rule("my_rule"), nullptr);
}

}  // namespace
}  // namespace tessera
