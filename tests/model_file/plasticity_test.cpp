// [projections.NAME.plasticity]: what it says, pair by pair, and what can be wrong with it.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "model_file/load.hpp"

namespace tessera {
namespace {

using test::complaints;
using test::contains;
using test::find_projection;

/// E and I of 10 neurons each, and a projection of E onto E with these lines.
std::string model(const std::string& projection, const std::string& top = "", const std::string& population = "") {
  return top + "[populations.E]\nsize = 10\nmodel = \"iaf_psc_exp\"\n" + population +
         "[populations.I]\nsize = 10\ninhibitory = true\nmodel = \"iaf_psc_exp\"\n"
         "[projections.p]\nsource = \"E\"\ntarget = \"E\"\nrule = \"all_to_all\"\nweight = \"50 pA\"\ndelay = \"1.5 ms\"\n" +
         projection;
}

/// All pairs of E and I with an excitatory weight of 50 pA, an inhibitory one of -50.
std::string table(const std::string& plasticity) {
  std::string text = model("");
  text.resize(text.find("[projections.p]"));
  return text +
         "[projections.p]\nsource = [\"E\", \"I\"]\ntarget = [\"E\", \"I\"]\nrule = \"all_to_all\"\n"
         "weight = { excitatory = 50, inhibitory = -50 }\ndelay = 1.5\n" +
         plasticity;
}

const std::string kTable = "[projections.p.plasticity]\nrule = \"stdp\"\n";

TEST(PlasticityInAFile, HasARuleParametersAndADelay) {
  const Network n = test::parse(model(kTable +
                                      "tau_plus = \"0.02 s\"\ntau_minus = 30\nlambda = \"5 %\"\nWmax = \"0.2 nA\"\n"
                                      "axonal_delay = \"0.5 ms\"\n"));
  const Projection& p = n.projections.at(0);
  ASSERT_TRUE(p.plasticity.has_value());
  EXPECT_EQ(p.plasticity->rule, "stdp");
  const std::map<std::string, double> expected = {
      {"tau_plus", 20.0}, {"tau_minus", 30.0}, {"lambda", 0.05}, {"Wmax", 200.0}};
  EXPECT_EQ(p.plasticity->parameters, expected);
  EXPECT_EQ(p.plasticity->axonal_delay_ms, 0.5);
  EXPECT_FALSE(test::parse(model("")).projections.at(0).plasticity.has_value());
}

TEST(PlasticityInAFile, CanBeSwitched) {
  const std::string text = model(kTable + "when = \"$learn\"\n", "[parameters]\nlearn = true\n");
  EXPECT_TRUE(test::parse(text).projections.at(0).plasticity.has_value());
  EXPECT_FALSE(test::parse(text, {{"learn", "false"}}).projections.at(0).plasticity.has_value());
  EXPECT_FALSE(test::parse(model("plasticity = false\n")).projections.at(0).plasticity.has_value());
}

TEST(PlasticityInAFile, RuleAndValuesFollowParameters) {
  const std::string text = model("plasticity = { rule = \"$rule\", Wmax = \"2 * $w\" }\n",
                                 "[parameters]\nw = \"40 pA\"\nrule = { value = \"stdp\", choices = [\"stdp\"] }\n");
  EXPECT_EQ(test::parse(text).projections.at(0).plasticity->parameters.at("Wmax"), 80.0);
}

TEST(PlasticityInAFile, DiffersFromPairToPair) {
  const Network n = test::parse(
      table(kTable + "Wmax = { excitatory = 100, inhibitory = -100 }\nlambda = [[0.1, 0.2], [0.3, 0.4]]\n"
                     "tau_minus = { by_target = [\"30 ms\", \"40 ms\"] }\n"));
  const auto parameter = [&n](const char* name, const char* key) {
    return find_projection(n, name)->plasticity->parameters.at(key);
  };
  EXPECT_EQ(parameter("p.E->I", "Wmax"), 100.0);
  EXPECT_EQ(parameter("p.I->E", "Wmax"), -100.0);
  EXPECT_EQ(parameter("p.I->E", "lambda"), 0.2);  // row of the target E, column of the source I
  EXPECT_EQ(parameter("p.E->I", "lambda"), 0.3);
  EXPECT_EQ(parameter("p.I->E", "tau_minus"), 30.0);
  EXPECT_EQ(parameter("p.E->I", "tau_minus"), 40.0);
}

TEST(PlasticityInAFile, CanBelongToSomePairsOnly) {
  const std::string exception = "[[projections.p.exceptions]]\nsource = \"E\"\ntarget = \"E\"\n";
  const Network some = test::parse(table(exception + "plasticity = { rule = \"stdp\", lambda = 0.5 }\n"));
  for (const Projection& p : some.projections) EXPECT_EQ(p.plasticity.has_value(), p.name == "p.E->E") << p.name;
  const Network others = test::parse(table("plasticity = { rule = \"stdp\", Wmax = { excitatory = 100, inhibitory = -100 } }\n" +
                                           exception + "plasticity = false\n"));
  for (const Projection& p : others.projections) EXPECT_EQ(p.plasticity.has_value(), p.name != "p.E->E") << p.name;
}

TEST(PlasticityInAFile, ExceptionsChangeSingleValues) {
  const Network n = test::parse(table(
      "plasticity = { rule = \"stdp\", lambda = 0.1, Wmax = { excitatory = 100, inhibitory = -100 } }\n"
      "[[projections.p.exceptions]]\ntarget = \"I\"\nplasticity.lambda = 0.2\n"));
  EXPECT_EQ(find_projection(n, "p.E->E")->plasticity->parameters.at("lambda"), 0.1);
  EXPECT_EQ(find_projection(n, "p.E->I")->plasticity->parameters.at("lambda"), 0.2);
  EXPECT_EQ(find_projection(n, "p.E->I")->plasticity->parameters.at("Wmax"), 100.0);
}

void expect(const std::string& text, const std::string& part) {
  const std::string found = complaints(text);
  EXPECT_TRUE(contains(found, part)) << text;
  EXPECT_EQ(std::count(found.begin(), found.end(), '\n'), 0) << found;  // and nothing else
}

TEST(MistakesOfPlasticity, AreNamedAndPlaced) {
  expect(model(kTable + "mu_pluss = 0"), "m.toml:16:1 (projections.p.plasticity.mu_pluss): Unknown key 'mu_pluss'. Did you mean 'mu_plus'?");
  expect(model(kTable + "wmax = 100"), "Did you mean 'Wmax'?");
  expect(model("[projections.p.plasticity]\nrule = \"stdpp\"\ntau_plus = 20"),
         "m.toml:15:8 (projections.p.plasticity.rule): There is no rule of plasticity named 'stdpp'. Did you mean 'stdp'?");
  expect(model("[projections.p.plasticity]\nlambda = 0.1"), "(projections.p.plasticity): The key 'rule' is missing.");
  expect(model("plasticity = \"stdp\""), "(projections.p.plasticity): The plasticity must be a table, or false for none.");
  expect(model("plasticity = true"), "must be a table, or false for none");
  expect(model(kTable + "tau_plus = \"-20 ms\""),
         "m.toml:16:12 (projections.p.plasticity.tau_plus): tau_plus of 'p' is -20 ms; it must be above 0 ms.");
  expect(model(kTable + "tau_plus = 0"), "it must be above 0 ms");
  expect(model(kTable + "tau_plus = \"20 mV\""), "(projections.p.plasticity.tau_plus): This must be a value in ms");
  expect(model(kTable + "Wmax = \"1 nS\""), "(projections.p.plasticity.Wmax): This must be a value in pA");
  expect(model(kTable + "Wmax = 0"), "(projections.p.plasticity): The plasticity of 'p': Wmax must not be 0.");
  expect(model(kTable + "Wmax = 40"), "m.toml:12:10 (projections.p.weight): The weight of 'p' is 50 pA, but the rule stdp keeps");
  expect(model(kTable + "Wmax = -100"), "Wmax needs the sign of the weights");
  expect(model(kTable + "axonal_delay = \"1.5 ms\""), "(projections.p.plasticity.axonal_delay): The axonal delay of 'p' is 1.5 ms");
  expect(model(kTable + "axonal_delay = -1"), "must be a number of 0 or more");
  expect(model(kTable + "axonal_delay = \"x\""), "axonal_delay");
}

TEST(MistakesOfPlasticity, TauMinusInTheNeuron) {
  const std::string text = model(kTable, "", "parameters.tau_minus = \"20 ms\"\n");
  expect(text, "m.toml:4:24 (populations.E.parameters.tau_minus): The model iaf_psc_exp has no parameter 'tau_minus'. It is a "
               "parameter of plasticity (");
  EXPECT_TRUE(contains(complaints(text), "write it in the plasticity of the projection."));
}

// Values of a rule that does not exist are judged as far as they can be.
TEST(MistakesOfPlasticity, AllAtOnce) {
  const std::string found = complaints(
      model("[projections.p.plasticity]\nrule = \"stdpp\"\nlambda = \"1 +\"\naxonal_delay = \"1 mV\"\n"));
  EXPECT_TRUE(contains(found, "no rule of plasticity named 'stdpp'"));
  EXPECT_TRUE(contains(found, "(projections.p.plasticity.lambda): In \"1 +\""));
  EXPECT_TRUE(contains(found, "(projections.p.plasticity.axonal_delay): This must be a value in ms"));
  EXPECT_EQ(std::count(found.begin(), found.end(), '\n'), 2) << found;
}

// What may only follow from a value that cannot be read is left out: Wmax would be 100 pA.
TEST(MistakesOfPlasticity, NothingFollowsFromAValueThatCannotBeRead) {
  std::string text = model(kTable + "Wmax = \"200 p\"\n");
  text.replace(text.find("50 pA"), 5, "150 pA");
  expect(text, "(projections.p.plasticity.Wmax)");
  text = model(kTable + "axonal_delay = 1\n");
  text.replace(text.find("1.5 ms"), 6, "1.5 m");
  expect(text, "(projections.p.delay)");
}

}  // namespace
}  // namespace tessera
