// models/homeostatic_growth: calcium reaches its target, from below and with rates that one asks for.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>

#include "tessera/model_file.hpp"
#include "tessera/simulation.hpp"

namespace tessera::test {
namespace {

struct Rates {
  double e = 0.0, i = 0.0, calcium_e = 0.0;
  std::size_t synapses = 0;
};

Rates grown(const std::vector<ParameterOverride>& overrides) {
  const Network network =
      load_model_file(TESSERA_SOURCE_DIR "/models/homeostatic_growth/homeostatic_growth.toml", NeuronCatalogue::builtin(), overrides);
  SimulationOptions options;
  options.threads = 1;
  Simulation simulation(network, NeuronCatalogue::builtin(), options);
  const auto spikes = [&](std::size_t p) { return static_cast<double>(simulation.report().populations.at(p).spikes); };
  simulation.run(network.discard_ms);
  const double e = spikes(0), i = spikes(1);
  Rates rates;
  for (int part = 0; part < 10; ++part) {
    simulation.run((network.time_ms - network.discard_ms) / 10.0);
    if (simulation.report().rewiring.empty()) continue;
    for (const double ca : simulation.state("E", "Ca")) rates.calcium_e += ca / 10.0 / network.populations[0].size;
  }
  const double seconds = (network.time_ms - network.discard_ms) / 1000.0;
  rates.e = (spikes(0) - e) / seconds / network.populations[0].size;
  rates.i = (spikes(1) - i) / seconds / network.populations[1].size;
  if (!simulation.report().rewiring.empty()) rates.synapses = simulation.synapses("E_to_E").size();
  return rates;
}

// Linear growth is nu (1 - Ca / eps): where elements neither grow nor go on average, mean calcium is eps, and the rate is
// eps / (beta tau). What is left of the way there after 30 s, and noise, are a few per cent.
TEST(HomeostaticGrowthFullScale, CalciumReachesItsTarget) {
  const Rates usual = grown({}), slower = grown({{"rate_E", "5Hz"}, {"rate_I", "9Hz"}}), without = grown({{"grows", "false"}});
  EXPECT_NEAR(usual.e, 8.0, 0.05 * 8.0);
  EXPECT_NEAR(usual.i, 12.0, 0.05 * 12.0);
  EXPECT_NEAR(usual.calcium_e, 0.001 * 500.0 * 0.008, 0.05 * 0.004);
  EXPECT_NEAR(slower.e, 5.0, 0.05 * 5.0);
  EXPECT_NEAR(slower.i, 9.0, 0.05 * 9.0);
  EXPECT_LT(slower.synapses, usual.synapses);
  EXPECT_LT(without.e, 4.0);
}

}  // namespace
}  // namespace tessera::test
