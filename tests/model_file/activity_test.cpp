// Every example network is alive, at rates that have a reason.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <fstream>
#include <numbers>
#include <sstream>

#include "model_file/load.hpp"
#include "tessera/simulation.hpp"

namespace tessera {
namespace {

// Spikes per second of every population after the discarded start, for the time the model gives.
std::vector<double> rates_of(const Network& network, std::uint64_t seed) {
  SimulationOptions options;
  options.seed = seed;
  options.threads = 1;
  Simulation simulation(network, NeuronCatalogue::builtin(), options);
  if (network.discard_ms > 0.0) simulation.run(network.discard_ms);
  const SimulationReport before = simulation.report();
  simulation.run(network.time_ms - network.discard_ms);
  const SimulationReport after = simulation.report();
  std::vector<double> rates;
  for (std::size_t p = 0; p < after.populations.size(); ++p) {
    const auto spikes =
        static_cast<double>(after.populations[p].spikes - before.populations[p].spikes);
    rates.push_back(1000.0 * spikes / after.populations[p].size /
                    (network.time_ms - network.discard_ms));
  }
  return rates;
}

// Cortical neurons fire from a few tenths to some tens of spikes/s; silence and the rhythm of an
// unchecked population both lie outside.
void expect_lively(const Network& network, double lowest = 1.0, double highest = 30.0) {
  for (const std::uint64_t seed : {1, 2}) {
    const std::vector<double> rates = rates_of(network, seed);
    for (std::size_t p = 0; p < rates.size(); ++p) {
      EXPECT_GE(rates[p], lowest) << network.populations[p].name;
      EXPECT_LE(rates[p], highest) << network.populations[p].name;
    }
  }
}

std::string documented() {
  std::stringstream page;
  page << std::ifstream(TESSERA_SOURCE_DIR "/docs/model-files.md").rdbuf();
  const std::string text = page.str(), fence = "```toml\n";
  const std::size_t begin = text.find(fence) + fence.size();
  return text.substr(begin, text.find("```", begin) - begin);
}

TEST(Activity, TheDocumentedExampleFires) {
  expect_lively(test::parse(documented()));
  expect_lively(test::parse(documented(), {{"scale", "0.5"}, {"input", "true"}}));
  // A current alone drives neurons to rates of their own: 400 pA into 250 pF, 20 ms reach the
  // threshold within tau ln(32 / 17) = 13 ms, so below 1 / (13 + 2) ms = 67 spikes/s; I within
  // 10 ms ln(16) = 28 ms.
  expect_lively(test::parse(documented(), {{"scale", "0.5"}, {"drive", "current"}}), 1.0, 67.0);
}

TEST(Activity, TheSmallModelsFire) {
  for (const char* model : {"two_populations", "grid"}) {
    SCOPED_TRACE(model);
    expect_lively(test::load(std::string("small/") + model + ".toml"));
  }
}

// Written spikes at 10, 60 and 110 ms: input 0 starts the chain at neuron 0, which passes the spike
// on to 1, 2, 3 and 4; input 1 starts it at neuron 2. So 5 + 3 + 5 spikes, and no other: 200 pA for
// 20 ms lift the membrane to 8 mV (1 - exp(-2)) = 6.9 mV, then 400 pA to 16 - 9.1 exp(-2) = 14.8 of
// 15 mV.
TEST(Activity, TheRelayPassesEverySpikeOn) {
  const Network network = test::load("small/relay.toml");
  Simulation simulation(network, NeuronCatalogue::builtin(), {});
  simulation.run(network.time_ms);
  EXPECT_EQ(simulation.report().populations[1].spikes, 13u);
}

// Brunel (2000), equations 21 and 22: the rate at which a neuron fires on white noise with the mean
// and variance that the same rate causes. In the file's words, per second and mV.
double mean_field_hz(double g, double eta, double C_E, double J) {
  constexpr double tau = 0.020, t_ref = 0.002, theta = 20.0, reset = 10.0;
  const double outside = eta * theta / (J * tau);
  const auto response = [&](double rate) {
    const double mean = J * tau * (outside + C_E * rate * (1.0 - 0.25 * g));
    const double sd = J * std::sqrt(tau * (outside + C_E * rate * (1.0 + 0.25 * g * g)));
    const double from = (reset - mean) / sd, to = (theta - mean) / sd;
    constexpr int steps = 2000;
    double integral = 0.0;
    for (int i = 0; i < steps; ++i) {
      const double u = from + (to - from) * (i + 0.5) / steps;
      integral += std::exp(u * u) * (1.0 + std::erf(u)) * (to - from) / steps;
    }
    return 1.0 / (t_ref + tau * std::sqrt(std::numbers::pi) * integral);
  };
  double low = 0.01, high = 400.0;  // inhibition dominates: the response falls with the rate
  for (int i = 0; i < 60; ++i) {
    const double middle = 0.5 * (low + high);
    (response(middle) > middle ? low : high) = middle;
  }
  return low;
}

TEST(Activity, TheMeanFieldIsThatOfThePaper) {
  EXPECT_NEAR(mean_field_hz(5.0, 2.0, 1000.0, 0.1), 37.7, 1.0);  // figure 8C
}

// The example of models/balanced/README.md, with half the neurons at twice the density. Jumps of
// 0.25 and 1.5 mV are not small against 20 mV, which white noise assumes: a sixth may be missing.
TEST(Activity, TheBalancedExampleFiresAtTheMeanFieldRateFullScale) {
  const Network network =
      test::load("balanced/brunel.toml",
                 {{"N", "2500"}, {"density", "20 %"}, {"J", "0.25 mV"}, {"g", "6"}, {"eta", "1"}});
  const double expected = mean_field_hz(6.0, 1.0, 400.0, 0.25);
  for (const double rate : rates_of(network, 1)) {
    EXPECT_NEAR(rate, expected, expected / 6.0);
  }
}

}  // namespace
}  // namespace tessera
