// The example of docs/plasticity.md does what the page says, and the page knows every rule.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <iterator>

#include "tessera/model_file.hpp"
#include "tessera/plasticity_model.hpp"
#include "tessera/simulation.hpp"

namespace tessera::test {
namespace {

std::string page() {
  std::ifstream file(std::string(TESSERA_SOURCE_DIR) + "/docs/plasticity.md");
  return {std::istreambuf_iterator<char>(file), {}};
}

Network example(const std::vector<ParameterOverride>& overrides) {
  const std::string text = page(), fence = "```toml\n";
  const std::size_t begin = text.find(fence) + fence.size();
  return parse_model(text.substr(begin, text.find("```", begin) - begin), "page.toml", ".", NeuronCatalogue::builtin(),
                     overrides);
}

struct Held {
  double rate_hz = 0.0;      ///< of the cells, in the second half
  double mean_weight = 0.0;  ///< at the end
};

Held held(const std::vector<ParameterOverride>& overrides, double begin_ms = 10'000.0) {
  Network network = example(overrides);
  EXPECT_EQ(network.time_ms - network.discard_ms, 10'000.0);
  network.discard_ms = begin_ms;
  network.time_ms = 2.0 * begin_ms;
  SimulationOptions options;
  options.seed = network.seed;
  options.threads = 1;
  Simulation simulation(network, NeuronCatalogue::builtin(), options);
  simulation.run(network.discard_ms);
  const auto spikes = [&] { return static_cast<double>(simulation.report().populations.at(1).spikes); };
  const double before = spikes();
  simulation.run(network.time_ms - network.discard_ms);
  Held result;
  result.rate_hz = (spikes() - before) / network.populations[1].size / (network.time_ms - network.discard_ms) * 1000.0;
  if (is_plastic(network)) {
    const auto synapses = simulation.synapses("inhibition");
    EXPECT_EQ(synapses.size(), 50'000u);
    for (const auto& synapse : synapses) result.mean_weight += synapse.weight / static_cast<double>(synapses.size());
  }
  return result;
}

// Weights rest where a spike of the source changes nothing on average: 2 tau rate = alpha. That holds for spikes that do
// not depend on each other; what inhibition itself does to the target's spikes raises the rate by some per cent.
TEST(PageOnPlasticity, InhibitionHoldsTheRate) {
  const Held usual = held({}), driven = held({{"drive", "14kHz"}}), slower = held({{"rate", "4Hz"}});
  EXPECT_NEAR(usual.rate_hz, 8.0, 0.05 * 8.0);
  EXPECT_NEAR(driven.rate_hz, 8.0, 0.05 * 8.0);
  EXPECT_NEAR(slower.rate_hz, 4.0, 0.05 * 4.0);
  EXPECT_LT(usual.mean_weight, -2.0);
  EXPECT_LT(driven.mean_weight, usual.mean_weight);  // more inhibition against more drive
  EXPECT_LT(slower.mean_weight, usual.mean_weight);
  EXPECT_GT(held({{"learn", "false"}}, 500.0).rate_hz, 50.0);
}

TEST(PageOnPlasticity, NamesEveryRuleAndParameter) {
  const std::string text = page();
  const NeuronCatalogue models = NeuronCatalogue::builtin();
  for (const std::string& name : models.rule_names()) {
    if (name == "static") continue;  // of rewiring
    EXPECT_NE(text.find("`" + name + "`"), std::string::npos) << name;
    for (const ParameterInfo& p : models.find_rule(name)->parameters) EXPECT_NE(text.find(p.name), std::string::npos) << name << ' ' << p.name;
  }
}

TEST(Rules, AreDescribedCompletely) {
  const NeuronCatalogue models = NeuronCatalogue::builtin();
  for (const std::string& name : models.rule_names()) {
    SCOPED_TRACE(name);
    const PlasticityModel& rule = *models.find_rule(name);
    EXPECT_EQ(rule.name, name);
    EXPECT_EQ(rule.summary.back(), '.');
    EXPECT_FALSE(rule.equations.empty() || rule.source.empty());
    ParameterValues defaults;
    for (const ParameterInfo& p : rule.parameters) {
      EXPECT_FALSE(p.description.empty()) << p.name;
      EXPECT_TRUE(p.unit == "ms" || p.unit == "weight" || p.unit == "kHz" || p.unit.empty()) << p.name;
      EXPECT_TRUE(p.minimum_allowed ? p.default_value >= p.minimum : p.default_value > p.minimum) << p.name;
      EXPECT_LE(p.default_value, p.maximum) << p.name;
      // A time constant of a trace cannot be 0 (of facilitation it can: there is none then).
      EXPECT_EQ(p.minimum_allowed, p.unit != "ms" || p.name == "tau_fac") << p.name;
      defaults.set(p.name, p.default_value);
    }
    EXPECT_TRUE(rule.check == nullptr || rule.check(defaults).empty());
    const PlasticityVariant variant = rule.prepare(defaults, 0.1);
    EXPECT_TRUE(variant.reference != nullptr && variant.fast != nullptr);
    EXPECT_LE(variant.lowest, 0.0);
    EXPECT_GE(variant.highest, 0.0);
    const std::string text = document(rule);
    EXPECT_EQ(text.find(name + ": " + rule.summary), 0u);
    for (const ParameterInfo& p : rule.parameters) EXPECT_NE(text.find("\n  " + p.name + " "), std::string::npos) << p.name;
  }
}

}  // namespace
}  // namespace tessera::test
