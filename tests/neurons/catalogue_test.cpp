// The catalogue, the models' descriptions and what `document` makes of them.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>

#include "neurons/block.hpp"
#include "tessera/errors.hpp"

namespace tessera::test {
namespace {

TEST(Catalogue, HoldsTheBuiltInModelsAndTakesMore) {
  NeuronCatalogue catalogue = NeuronCatalogue::builtin();
  const std::vector<std::string> expected = {"aeif_cond_exp", "iaf_cond_exp", "iaf_psc_alpha",
                                             "iaf_psc_delta", "iaf_psc_exp",  "izhikevich"};
  EXPECT_EQ(catalogue.names(), expected);
  EXPECT_EQ(catalogue.find("iaf_psc"), nullptr);
  NeuronModel copy = *catalogue.find("iaf_psc_exp");
  EXPECT_THROW(catalogue.add(copy), InputError);
  copy.name = "my_model";
  catalogue.add(copy);
  EXPECT_NE(catalogue.find("my_model"), nullptr);
  EXPECT_EQ(NeuronCatalogue::builtin().find("my_model"), nullptr);  // a value, not a singleton
}

TEST(Catalogue, EveryModelIsDescribedCompletely) {
  const NeuronCatalogue catalogue = NeuronCatalogue::builtin();
  const std::set<std::string> units = {"mV", "pA", "pF", "nS", "ms", ""};
  for (const std::string& name : catalogue.names()) {
    SCOPED_TRACE(name);
    const NeuronModel& model = *catalogue.find(name);
    EXPECT_EQ(model.name, name);
    EXPECT_EQ(model.summary.back(), '.');
    EXPECT_NE(model.equations.find("dV/dt"), std::string::npos);
    EXPECT_FALSE(model.source.empty());
    EXPECT_TRUE(units.contains(model.weight_unit) && !model.weight_unit.empty());
    std::set<std::string> names;
    for (const ParameterInfo& p : model.parameters) {
      EXPECT_TRUE(names.insert(p.name).second) << p.name;
      EXPECT_FALSE(p.description.empty()) << p.name;
      EXPECT_TRUE(units.contains(p.unit)) << p.name;
      EXPECT_TRUE(p.minimum_allowed ? p.default_value >= p.minimum : p.default_value > p.minimum);
      EXPECT_LE(p.default_value, p.maximum);
    }
    ASSERT_FALSE(model.states.empty());
    EXPECT_EQ(model.states[0].name, "V_m");
    for (const StateInfo& s : model.states) {
      EXPECT_FALSE(s.description.empty() || s.unit.empty()) << s.name;
      EXPECT_TRUE(s.initial_parameter.empty() || names.contains(s.initial_parameter)) << s.name;
    }
    const ParameterValues defaults = values_of(model);
    EXPECT_TRUE(model.check(defaults).empty());
  }
}

TEST(Catalogue, VariantsUseTheDescribedStates) {
  const NeuronCatalogue catalogue = NeuronCatalogue::builtin();
  for (const std::string& name : catalogue.names()) {
    const NeuronModel& model = *catalogue.find(name);
    std::vector<NeuronVariant> variants = {model.prepare(values_of(model), 0.1)};
    if (name.starts_with("iaf_psc") && name != "iaf_psc_delta") {
      variants.push_back(model.prepare(values_of(model, {{"tau_syn_in", 7.0}}), 0.1));
      EXPECT_EQ(variants[0].ports, 1);
      EXPECT_EQ(variants[1].ports, 2);
    }
    for (const NeuronVariant& variant : variants) {
      EXPECT_EQ(variant.states[0].name, "V_m");
      EXPECT_NE(variant.update_f32, nullptr);
      EXPECT_NE(variant.update_f64, nullptr);
      EXPECT_NE(variant.reference_step, nullptr);
      for (const StateInfo& state : variant.states) {
        const auto described =
            std::find_if(model.states.begin(), model.states.end(),
                         [&](const StateInfo& s) { return s.name == state.name; });
        ASSERT_NE(described, model.states.end()) << name << ' ' << state.name;
        EXPECT_EQ(described->unit, state.unit) << name << ' ' << state.name;
        EXPECT_EQ(described->initial_parameter, state.initial_parameter);
      }
    }
  }
}

TEST(Catalogue, SenselessCombinationsGetASentence) {
  const NeuronCatalogue catalogue = NeuronCatalogue::builtin();
  const auto sentences = [&](const char* name, const std::map<std::string, double>& changed) {
    const NeuronModel& model = *catalogue.find(name);
    return model.check(values_of(model, changed));
  };
  for (const char* name : {"iaf_psc_exp", "iaf_psc_alpha", "iaf_psc_delta", "iaf_cond_exp"}) {
    const auto found = sentences(name, {{"V_reset", -40.0}});
    ASSERT_EQ(found.size(), 1u) << name;
    EXPECT_EQ(found[0], "V_reset must be below V_th.");
  }
  EXPECT_EQ(sentences("aeif_cond_exp", {{"V_reset", 5.0}}).size(), 1u);
  EXPECT_EQ(sentences("aeif_cond_exp", {{"V_peak", -55.0}}).size(), 1u);
  EXPECT_EQ(sentences("aeif_cond_exp", {{"V_peak", -60.0}}).size(), 2u);
  EXPECT_EQ(sentences("izhikevich", {{"c", 31.0}}).size(), 1u);
}

TEST(Catalogue, RefractorinessIsRoundedToStepsAndBounded) {
  EXPECT_EQ(prepare("iaf_psc_exp", {{"t_ref", 2.0}}, 0.1).refractory_steps, 20);
  EXPECT_EQ(prepare("iaf_psc_exp", {{"t_ref", 0.3}}, 0.1).refractory_steps, 3);
  EXPECT_EQ(prepare("iaf_psc_exp", {{"t_ref", 0.04}}, 0.1).refractory_steps, 0);
  EXPECT_EQ(prepare("iaf_psc_exp", {{"t_ref", 6553.5}}, 0.1).refractory_steps, 65535);
  EXPECT_THROW((void)prepare("iaf_psc_exp", {{"t_ref", 6553.6}}, 0.1), InputError);
  EXPECT_THROW((void)prepare("aeif_cond_exp", {{"t_ref", 1e300}}, 0.1), InputError);
}

TEST(Document, NamesEverythingAUserCanSet) {
  const NeuronCatalogue catalogue = NeuronCatalogue::builtin();
  for (const std::string& name : catalogue.names()) {
    const NeuronModel& model = *catalogue.find(name);
    const std::string text = document(model);
    EXPECT_EQ(text.find(name + ": " + model.summary), 0u);
    EXPECT_NE(text.find(model.source), std::string::npos);
    for (const ParameterInfo& p : model.parameters) {
      EXPECT_NE(text.find("\n  " + p.name + " "), std::string::npos) << name << ' ' << p.name;
      EXPECT_NE(text.find(p.description), std::string::npos) << name << ' ' << p.name;
    }
    for (const StateInfo& s : model.states) {
      EXPECT_NE(text.find("\n  " + s.name + " "), std::string::npos) << name << ' ' << s.name;
    }
  }
}

TEST(Document, ThePageOfModelsNamesEveryModelAndItsWeightUnit) {
  std::ifstream page(std::string(TESSERA_SOURCE_DIR) + "/docs/neuron-models.md");
  ASSERT_TRUE(page);
  const std::string text{std::istreambuf_iterator<char>(page), {}};
  const NeuronCatalogue catalogue = NeuronCatalogue::builtin();
  for (const std::string& name : catalogue.names()) {
    const std::size_t at = text.find("| `" + name + "` |");
    ASSERT_NE(at, std::string::npos) << name;
    const std::string row = text.substr(at, text.find('\n', at) - at);
    EXPECT_NE(row.find("| " + catalogue.find(name)->weight_unit), std::string::npos) << row;
  }
}

TEST(Document, WritesTheTablesOfAModel) {
  NeuronModel model;
  model.name = "toy";
  model.summary = "A toy.";
  model.equations = "dV/dt = I\nV >= V_th: spike";
  model.source = "Nobody (1900)";
  model.weight_unit = "mV";
  model.parameters = {{"tau", "ms", 2.5, "memory", 0.0, 100.0, false},
                      {"p", "", 0.5, "chance", 0.0, 1.0}};
  model.states = {{"V_m", "mV", "tau", "potential"}, {"w", "pA", "", "adaptation"}};
  EXPECT_EQ(document(model),
            "toy: A toy.\n\n"
            "Equations\n"
            "  dV/dt = I\n"
            "  V >= V_th: spike\n\n"
            "Weights of arriving spikes: mV\n\n"
            "Parameters\n"
            "  name  unit  default  range           meaning\n"
            "  tau   ms    2.5      above 0 .. 100  memory\n"
            "  p     -     0.5      0 .. 1          chance\n\n"
            "State variables (can be initialised and recorded)\n"
            "  name  unit  starts at  meaning\n"
            "  V_m   mV    tau        potential\n"
            "  w     pA    0          adaptation\n\n"
            "Source\n"
            "  Nobody (1900)\n");
}

}  // namespace
}  // namespace tessera::test
