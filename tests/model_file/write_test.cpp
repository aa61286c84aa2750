// A network written as a model file reads as the same network, number for number.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "model_file/load.hpp"
#include "tessera/model_text.hpp"
#include "tessera/simulation.hpp"

namespace tessera::test {
namespace {

void expect_same_populations(const Network& a, const Network& b) {
  ASSERT_EQ(a.populations.size(), b.populations.size());
  for (std::size_t i = 0; i < a.populations.size(); ++i) {
    const Population &p = a.populations[i], &q = b.populations[i];
    SCOPED_TRACE(p.name);
    EXPECT_EQ(p.name, q.name);
    EXPECT_EQ(p.kind, q.kind);
    EXPECT_EQ(p.size, q.size);
    EXPECT_EQ(p.model, q.model);
    EXPECT_EQ(p.parameters, q.parameters);
    EXPECT_EQ(p.grid_columns, q.grid_columns);
    EXPECT_EQ(p.extent_mm, q.extent_mm);
    EXPECT_EQ(p.periodic, q.periodic);
    EXPECT_EQ(p.inhibitory, q.inhibitory);
    EXPECT_EQ(p.mean_rate_hz, q.mean_rate_hz);
    EXPECT_EQ(p.rate_hz, q.rate_hz);
    EXPECT_EQ(p.duration_ms, q.duration_ms);
    EXPECT_EQ(p.train.size(), q.train.size());
    EXPECT_EQ(p.bump.has_value(), q.bump.has_value());
    ASSERT_EQ(p.initial.size(), q.initial.size());
    for (const auto& [state, value] : p.initial) {
      EXPECT_EQ(value.distribution, q.initial.at(state).distribution) << state;
      EXPECT_EQ(value.values, q.initial.at(state).values) << state;
    }
  }
}

void expect_same_projections(const Network& a, const Network& b) {
  ASSERT_EQ(a.projections.size(), b.projections.size());
  for (std::size_t i = 0; i < a.projections.size(); ++i) {
    const Projection &p = a.projections[i], &q = b.projections[i];
    SCOPED_TRACE(p.name);
    EXPECT_EQ(p.name, q.name);
    EXPECT_EQ(p.source, q.source);
    EXPECT_EQ(p.target, q.target);
    EXPECT_EQ(p.rule.kind, q.rule.kind);
    EXPECT_EQ(p.rule.number, q.rule.number);
    EXPECT_EQ(p.rule.probability, q.rule.probability);
    EXPECT_EQ(p.rule.sigma, q.rule.sigma);
    EXPECT_EQ(p.rule.autapses, q.rule.autapses);
    EXPECT_EQ(p.rule.multapses, q.rule.multapses);
    EXPECT_EQ(p.rule.list.size(), q.rule.list.size());
    EXPECT_EQ(p.weight, q.weight);
    EXPECT_EQ(p.delay_ms, q.delay_ms);
    EXPECT_EQ(p.delay_slope, q.delay_slope);
    ASSERT_EQ(p.plasticity.has_value(), q.plasticity.has_value());
    if (p.plasticity) {
      EXPECT_EQ(p.plasticity->rule, q.plasticity->rule);
      EXPECT_EQ(p.plasticity->parameters, q.plasticity->parameters);
      EXPECT_EQ(p.plasticity->modulator, q.plasticity->modulator);
      EXPECT_EQ(p.plasticity->axonal_delay_ms, q.plasticity->axonal_delay_ms);
    }
    ASSERT_EQ(p.rewiring.has_value(), q.rewiring.has_value());
    if (p.rewiring) {
      EXPECT_EQ(p.rewiring->rule, q.rewiring->rule);
      EXPECT_EQ(p.rewiring->parameters, q.rewiring->parameters);
      EXPECT_EQ(p.rewiring->words, q.rewiring->words);
      EXPECT_EQ(p.rewiring->interval_ms, q.rewiring->interval_ms);
      EXPECT_EQ(p.rewiring->max_indegree, q.rewiring->max_indegree);
      EXPECT_EQ(p.rewiring->max_outdegree, q.rewiring->max_outdegree);
    }
  }
}

Network round_trip(const Network& network) {
  const std::string text = model_text(network);
  const Network again = parse(text);
  expect_same_populations(network, again);
  expect_same_projections(network, again);
  EXPECT_EQ(network.stimuli.size(), again.stimuli.size());
  EXPECT_EQ(network.recorders.size(), again.recorders.size());
  EXPECT_EQ(network.seed, again.seed);
  EXPECT_EQ(network.dt_ms, again.dt_ms);
  EXPECT_EQ(network.rate_limit_hz, again.rate_limit_hz);
  EXPECT_EQ(model_text(again), text);
  return again;
}

TEST(ModelText, ModelsOfTheRepositoryComeBackNumberForNumber) {
  for (const char* file : {"microcircuit/microcircuit.toml", "balanced/balanced.toml",
                           "topographic_map/topographic_map.toml", "homeostatic_growth/homeostatic_growth.toml"}) {
    SCOPED_TRACE(file);
    round_trip(load(file));
  }
}

// Every kind of value once; the numbers have no short binary form.
constexpr const char* kEverything = R"(
name = "all \"kinds\""
dt = "0.1 ms"
seed = 7
rate_limit = "5 kHz"
[populations.E]
size = 40
grid_columns = 8
model = "iaf_psc_exp"
parameters = { tau_m = "9.7 ms" }
initial.V_m = { distribution = "lognormal", median = "-60.3 mV", sigma = 0.0123, high = "-55 mV" }
[populations.I]
size = 3
inhibitory = true
model = "iaf_psc_exp"
initial.V_m.values = ["-61.7 mV", -59.9, -58.1]
[populations.noise]
kind = "poisson"
size = 40
rate = "333.3 Hz"
start = "10.3 ms"
duration = "50 ms"
interval = "70 ms"
[populations.train]
kind = "spike_train"
size = 2
spikes = [["1.3 ms", 0], ["2.7 ms", 1]]
[projections.out]
source = "noise"
target = "E"
rule = "one_to_one"
weight = { distribution = "uniform", from = "301.1 pA", to = "402.3 pA" }
delay = "0.3 ms"
[projections."E to I"]
source = "E"
target = "I"
rule = "fixed_indegree"
number = 5
multapses = false
weight = { distribution = "normal", mean = "88.8 pA", relative_sd = 0.1, keep_sign = true }
delay = { distribution = "exponential", mean = "1.7 ms", low = "0.1 ms", high = "20 ms" }
[projections.near]
source = "E"
target = "E"
rule = "gaussian_2d"
probability = 0.7
sigma = 1.3
autapses = false
weight = { distribution = "lognormal", median = "-7.7 pA", sigma = 0.3 }
delay = { offset = "0.5 ms", slope = 0.17 }
[projections.listed]
source = "train"
target = "I"
rule = "explicit_list"
synapses = [[0, 2, "500.5 pA", "1.1 ms"], [1, 0, "3 nA", "0.2 ms"]]
[stimuli.dc]
kind = "current"
target = "I"
values = [400.1, 500.2, 600.3]
start = "3.3 ms"
[stimuli.more]
kind = "poisson"
target = "E"
rate = "7.7 kHz"
weight = "33.3 pA"
delay = "1.5 ms"
duration = "90 ms"
[[recorders]]
population = "I"
count = 3
interval = "0.5 ms"
)";

TEST(ModelText, EveryKindOfValueComesBackAndGivesTheSameSpikes) {
  const Network network = parse(kEverything), again = round_trip(network);
  const auto digest = [](const Network& n) {
    Simulation simulation(n, NeuronCatalogue::builtin(), {});
    simulation.run(150.0);
    EXPECT_GT(simulation.report().counts.spikes, 1000u);
    return simulation.report().digest;
  };
  EXPECT_EQ(digest(network), digest(again));
}

TEST(ModelText, TwoThingsOfOneNameHaveNoText) {
  Network network = parse(kEverything);
  network.stimuli.push_back(network.stimuli[0]);
  EXPECT_THROW((void)model_text(network), InputError);
}

TEST(Quantity, ConvertsWhatAModelFileWouldConvert) {
  EXPECT_EQ(quantity("1.5 s", "ms"), 1500.0);
  EXPECT_EQ(quantity("2 * 20 mV", "mV"), 40.0);
  EXPECT_EQ(quantity("250 pF / 25 nS", "ms"), 10.0);
  EXPECT_EQ(quantity("10 %", ""), 0.1);
}

TEST(Quantity, SaysWhatIsWrong) {
  const auto complaint = [](const char* text, const char* unit) {
    try {
      (void)quantity(text, unit);
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_TRUE(contains(complaint("1.5 mV", "ms"), "must be a value in ms"));
  EXPECT_TRUE(contains(complaint("1.5", "ms"), "write the unit"));
  EXPECT_TRUE(contains(complaint("1.5 msec", "ms"), "msec"));
  EXPECT_TRUE(contains(complaint("$w", "ms"), "no parameter 'w'"));
  EXPECT_TRUE(contains(complaint("", "ms"), "must be a value in ms"));
  EXPECT_TRUE(contains(complaint("true", "ms"), "must be a value in ms"));
  EXPECT_TRUE(contains(complaint("1 ms", "furlong"), "no unit 'furlong'"));
}

}  // namespace
}  // namespace tessera::test
