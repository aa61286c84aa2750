// The float64 recursion of e-prop against values of other programs, and against hand calculations.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "train/eprop_cases.hpp"

namespace tessera::test {
namespace {

using namespace training::eprop;

nlohmann::json cases_in(const std::string& name) {
  std::ifstream file(std::string(TESSERA_SOURCE_DIR) + "/tests/train/eprop/" + name);
  return nlohmann::json::parse(file);
}

// Losses, gradients and weights over five iterations, as NEST 3.10 has them (to 4e-15).
TEST(EpropReference, CasesOfNest) {
  const nlohmann::json content = cases_in("eprop_cases.json");
  ASSERT_EQ(content.at("cases").size(), 4u);
  for (const auto& entry : content.at("cases")) {
    SCOPED_TRACE(entry.at("task").get<std::string>() + " " + entry.at("model").get<std::string>());
    EXPECT_LE(bellec2020_deviation(entry), 1e-9);
  }
}

// ml_genn itself calculates in float32.
TEST(EpropReference, CasesOfMlgenn) {
  const nlohmann::json content = cases_in("eprop_mlgenn_cases.json");
  ASSERT_EQ(content.size(), 4u);
  for (const auto& entry : content) {
    SCOPED_TRACE(entry.at("kind").get<std::string>() + (entry.at("alif").get<bool>() ? " alif" : " lif"));
    EXPECT_LE(mlgenn_deviation(entry, "numpy"), 1e-9);
    EXPECT_LE(mlgenn_deviation(entry, "mlgenn"), 5e-6);
  }
}

// One input, one neuron, one output, two steps: x(0) = 1, w = 0.5, v_th = 1, so v = 0.5 and 0.25 with alpha = 0.5;
// psi = 0.3 (1 - |v - 1|) = 0.15 and 0.075; z_bar = 1 and 0.5; e = 0.15 and 0.0375; with kappa = 0.25
// e_bar = 0.1125 and 0.028125 + 0.028125. No spikes: y = 0, the errors are -1 and -2.
TEST(EpropReference, HandCalculation) {
  Rule rule;
  rule.neurons.alpha = 0.5;
  rule.readout.kappa = 0.25;
  Weights w{Matrix(1, 1), Matrix(1, 1), Matrix(1, 1), {}};
  w.input(0, 0) = 0.5;
  Matrix feedback(1, 1);
  feedback(0, 0) = 2.0;
  Interval interval{Matrix(2, 1), Matrix(2, 1), Error::squared, 2};
  interval.x(0, 0) = 1.0;
  interval.target(0, 0) = 1.0;
  interval.target(1, 0) = 2.0;
  const Outcome outcome = bellec2020(rule, w, feedback, interval);
  EXPECT_TRUE(outcome.spikes.empty());
  EXPECT_DOUBLE_EQ(outcome.loss, 2.5);
  EXPECT_DOUBLE_EQ(outcome.gradient.input(0, 0), 2.0 * (-1.0 * 0.1125 - 2.0 * 0.05625));
  // Silent neurons are pulled up: c / T (0 - target) sum of e.
  rule.rate = {4.0, 0.1, 0.0};
  EXPECT_DOUBLE_EQ(bellec2020(rule, w, feedback, interval).gradient.input(0, 0),
                   outcome.gradient.input(0, 0) - 4.0 / 2.0 * 0.1 * (0.15 + 0.0375));
}

// A state that runs on: a second interval without input has what is left of the first.
TEST(EpropReference, MlgennRunsOn) {
  Rule rule;
  rule.neurons.alpha = rule.readout.kappa = 0.5;
  Weights w{Matrix(1, 1), Matrix(1, 1), Matrix(1, 1), {0.0}};
  w.output(0, 0) = 1.0;
  w.input(0, 0) = 1.5;
  Interval interval{Matrix(2, 1), Matrix(2, 1), Error::squared, 2};
  interval.x(0, 0) = 1.0;
  Mlgenn network(rule, w);
  const Outcome first = network.run(w, interval);  // the input arrives in step 1: v = 1.5
  ASSERT_EQ(first.spikes.size(), 1u);
  EXPECT_EQ(first.spikes[0], (std::array<std::uint32_t, 2>{1, 0}));
  EXPECT_EQ(first.y(1, 0), 0.0);
  interval.x = Matrix(2, 1);
  const Outcome second = network.run(w, interval);
  EXPECT_EQ(second.y(0, 0), 1.0);  // the spike of the interval before
  EXPECT_EQ(second.y(1, 0), 0.5);
}

}  // namespace
}  // namespace tessera::test
