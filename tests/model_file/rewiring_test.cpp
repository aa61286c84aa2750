// [projections.NAME.rewiring] and the bump of a Poisson population: what they say, and what can be wrong with them.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "model_file/load.hpp"

namespace tessera {
namespace {

using test::complaints;
using test::contains;

std::string model(const std::string& projection, const std::string& source = "", const std::string& rule = "rule = \"gaussian_2d\"\nprobability = 0.2\nsigma = 2\n",
                  const std::string& delay = "delay = \"0.2 ms\"\n") {
  return "[populations.S]\nkind = \"poisson\"\nsize = 256\ngrid_columns = 16\nrate = \"5 Hz\"\n" + source +
         "[populations.T]\nsize = 256\ngrid_columns = 16\nmodel = \"iaf_psc_exp\"\n"
         "[projections.p]\nsource = \"S\"\ntarget = \"T\"\nweight = \"50 pA\"\n" + rule + delay + projection;
}

TEST(RewiringInAFile, HasARuleParametersAndLimits) {
  const Network n = test::parse(model("plasticity = { rule = \"stdp\" }\nrewiring = { rule = \"bamford\", interval = \"2 ms\", max_indegree = 32, sigma = 3, weight = \"0.05 nA\" }\n"));
  const Projection& p = n.projections.at(0);
  ASSERT_TRUE(p.rewiring.has_value());
  EXPECT_EQ(p.rewiring->rule, "bamford");
  EXPECT_EQ(p.rewiring->interval_ms, 2.0);
  EXPECT_EQ(p.rewiring->max_indegree, 32u);
  const std::map<std::string, double> expected = {{"sigma", 3.0}, {"weight", 50.0}};
  EXPECT_EQ(p.rewiring->parameters, expected);
}

TEST(RewiringInAFile, ParametersMayBeWords) {
  const Network n = test::parse(model("rewiring = { rule = \"homeostatic\", max_outdegree = 40, source_curve = \"linear\", target_elements = \"den\", source_growth_rate = \"2 Hz\" }\n"));
  const StructuralPlasticity& rewiring = n.projections.at(0).rewiring.value();
  const std::map<std::string, std::string> words = {{"source_curve", "linear"}, {"target_elements", "den"}};
  EXPECT_EQ(rewiring.words, words);
  EXPECT_EQ(rewiring.max_outdegree, 40u);
  EXPECT_EQ(rewiring.parameters.at("source_growth_rate"), 2.0);
}

TEST(RewiringInAFile, WithoutPlasticityWeightsAreStatic) {
  const Network n = test::parse(model("rewiring = { rule = \"prune_and_regrow\" }\n"));
  ASSERT_TRUE(n.projections.at(0).plasticity.has_value());
  EXPECT_EQ(n.projections.at(0).plasticity->rule, "static");
}

TEST(MistakesOfRewiring, AreNamedAndPlaced) {
  const struct {
    std::string text, sentence;
  } mistakes[] = {
      {model("rewiring = { rule = \"bamfort\" }\n"), "There is no structural rule named 'bamfort'. Did you mean 'bamford'?"},
      {model("rewiring = { rule = \"bamford\", sigm = 2 }\n"), "Did you mean 'sigma'?"},
      {model("rewiring = { rule = \"bamford\", sigma = 0 }\n"), "sigma of 'p' is 0; it must be above 0"},
      {model("rewiring = { rule = \"bamford\", p_form = 2 }\n"), "at most 1"},
      {model("rewiring = { rule = \"bamford\", interval = \"0 ms\" }\n"), "interval of 0 ms; it must be above 0"},
      {model("rewiring = { rule = \"bamford\", interval = \"0.01 ms\" }\n"), "less than one step"},
      {model("rewiring = { rule = \"bamford\", max_indegree = 300 }\n"), "limited to 300, but 'S' has only 256 neurons"},
      {model("rewiring = { rule = \"bamford\", max_outdegree = 257 }\n"), "out-degree of 'p' is limited to 257, but 'T' has only 256 neurons"},
      {model("rewiring = { rule = \"bamford\", max_outdegree = 4 }\n", "", "rule = \"fixed_outdegree\"\nnumber = 9\nmultapses = false\n"),
       "begins with 9 synapses per source; the limit, 4, is below that"},
      {model("rewiring = { rule = \"homeostatic\", source_curve = \"gaus\" }\n"), "it may be linear, gaussian, sigmoid."},
      {model("rewiring = { rule = \"homeostatic\", target_eps = 0.02, target_eta = 0.02 }\n"), "target_eta and target_eps must differ"},
      {model("rewiring = { rule = \"deep_r\", weight = \"0 pA\" }\n"), "must not be 0"},
      {model("rewiring = { rule = \"bamford\" }\n", "", "rule = \"fixed_indegree\"\nnumber = 9\n"), "one per pair: set multapses = false"},
      {model("rewiring = { rule = \"bamford\", max_indegree = 4 }\n", "", "rule = \"fixed_indegree\"\nnumber = 9\nmultapses = false\n"),
       "begins with 9 synapses per target; the limit, 4, is below that"},
      {model("rewiring = { rule = \"bamford\" }\n", "", "rule = \"gaussian_2d\"\nprobability = 0.2\nsigma = 2\n",
             "delay = { distribution = \"uniform\", from = \"1 ms\", to = \"2 ms\" }\n"), "all must have one delay"}};
  for (const auto& [text, sentence] : mistakes) EXPECT_TRUE(contains(complaints(text), sentence)) << sentence << "\n" << complaints(text);
}

TEST(MistakesOfABump, AreNamedAndPlaced) {
  const struct {
    std::string bump, sentence;
  } mistakes[] = {{"sigma = 2", "peak"},
                  {"peak = \"10 Hz\", sigma = 0", "sigma of the bump of 'S' is 0 cells; it must be above 0"},
                  {"peak = \"-1 Hz\", sigma = 1", "peak of the bump of 'S' is -1 Hz"},
                  {"peak = \"20 kHz\", sigma = 1", "at most one spike per step"},
                  {"peak = \"10 Hz\", sigma = 1, period = \"0 ms\"", "period of the bump of 'S' is 0 ms"},
                  {"peak = \"10 Hz\", sigma = 1, block = 5", "blocks of 5 cells; the edges of its grid, 16 and 16, must be multiples"},
                  {"peak = \"10 Hz\", sigma = 1, centres = 17", "17 places along a block; 1 to 16 are possible"},
                  {"peak = \"10 Hz\", sigma = 1, with = 1", "with"}};
  for (const auto& [bump, sentence] : mistakes) {
    const std::string text = model("", "bump = { " + bump + " }\n");
    EXPECT_TRUE(contains(complaints(text), sentence)) << sentence << "\n" << complaints(text);
  }
}

}  // namespace
}  // namespace tessera
