// Changes between two runs: what was read changes nothing when it is set; rates, amplitudes and states act as if the network
// had been described with them.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <iterator>
#include <limits>

#include "engine/networks.hpp"
#include "support/temporary_folder.hpp"

namespace tessera::test {
namespace {

std::uint64_t digest_after(Simulation& simulation, double ms) {
  simulation.run(ms);
  return simulation.report().digest;
}

Network driven() {
  Network network = balanced();
  network.stimuli.push_back(poisson("E", 300.0, 60.0));
  Population noise;
  noise.name = "noise";
  noise.kind = Population::Kind::poisson_source;
  noise.size = 100;
  noise.rate_hz = 40.0;
  network.populations.push_back(noise);
  network.projections.push_back(project("noise", "E", Kind::fixed_indegree, 10, Distribution::constant(50.0), Distribution::constant(1.0)));
  return network;
}

TEST(LiveState, SettingWhatWasReadChangesNothing) {
  for (const SimulationOptions& options : {options_of(Connectivity::stored), options_of(Connectivity::procedural, 2, 5), exact_options(2, 3)}) {
    const Network network = driven();
    Simulation untouched = simulation_of(network, options), touched = simulation_of(network, options);
    untouched.run(20.0);
    touched.run(20.0);
    for (const char* population : {"E", "I"}) {
      for (const char* variable : {"V_m", "refractory"}) touched.set_state(population, variable, touched.state(population, variable));
    }
    for (const char* current : {"I_syn_ex", "I_syn_in"}) touched.set_state("I", current, touched.state("I", current));
    touched.set_stimulus_rate("poisson_E", 300.0);
    touched.set_source_rate("noise", 40.0);
    touched.set_amplitude("current_E", std::vector<double>{380.0});
    EXPECT_EQ(digest_after(touched, 40.0), digest_after(untouched, 40.0));
    EXPECT_EQ(touched.state("E", "V_m"), untouched.state("E", "V_m"));
  }
}

// A membrane so close to rest that adding the resting potential swallows it keeps its bits.
TEST(LiveState, ValuesThatTheUnitSwallowsStay) {
  Network network;
  network.populations = {neurons_of("A", 1)};
  network.populations[0].parameters = {{"E_L", -65.0}};
  network.populations[0].initial["V_m"].distribution = Distribution::constant(-64.9);
  const TemporaryFolder folder;
  Simulation a = simulation_of(network, options_of(Connectivity::stored)), b = simulation_of(network, options_of(Connectivity::stored));
  a.run(360.0);  // 0.1 mV exp(-36) is far below the last bit of 65
  b.run(360.0);
  ASSERT_EQ(a.state("A", "V_m")[0], -65.0);
  a.set_state("A", "V_m", a.state("A", "V_m"));
  a.save_checkpoint(folder / "a");
  b.save_checkpoint(folder / "b");
  const auto bytes = [&](const char* name) {
    std::ifstream in(folder / name, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  EXPECT_TRUE(bytes("a") == bytes("b"));
}

// From V0 with a constant current: V(t) = E_L + R I + (V0 - E_L - R I) exp(-t / tau).
TEST(LiveState, AMembraneGoesOnFromWhereItWasSet) {
  Network network;
  network.populations = {neurons_of("A", 300)};
  network.populations[0].parameters = {{"tau_m", 10.0}, {"C_m", 250.0}, {"E_L", -65.0}, {"V_th", -50.0}};
  network.stimuli = {current("A", 100.0)};
  Simulation simulation = simulation_of(network, exact_options(2, 3));
  simulation.run(3.0);
  std::vector<double> start(300);
  for (std::size_t i = 0; i < start.size(); ++i) start[i] = -70.0 + 0.05 * static_cast<double>(i);
  simulation.set_state("A", "V_m", start);
  EXPECT_EQ(simulation.state("A", "V_m").front(), start.front());
  simulation.run(5.0);
  const std::vector<double> end = simulation.state("A", "V_m");
  const double rest = -65.0 + 10.0 / 250.0 * 100.0;
  for (std::size_t i = 0; i < end.size(); ++i) EXPECT_NEAR(end[i], rest + (start[i] - rest) * std::exp(-0.5), 1e-9);
}

TEST(LiveState, RefractoryNeuronsWaitForTheTimeThatWasSet) {
  Network network;
  network.rate_limit_hz = 1e9;
  network.populations = {neurons_of("A", 2)};
  network.populations[0].parameters = {{"t_ref", 20.0}};
  network.stimuli = {current("A", 1e6)};  // above the threshold after one step
  Simulation simulation = simulation_of(network, options_of(Connectivity::stored));
  simulation.set_state("A", "refractory", std::vector<double>{0.0, 1.5});
  Keeper keeper;
  simulation.run(3.0, keeper);
  ASSERT_EQ(keeper.spikes.size(), 2u);
  EXPECT_EQ(keeper.spikes[0].step, 1u);
  EXPECT_EQ(keeper.spikes[1].step, 16u);  // 15 steps later
}

// What follows is that of a network whose currents change at that time by their description.
TEST(LiveInput, AnAmplitudeIsThatOfTwoCurrentsInSuccession) {
  Network network = balanced();
  Network described = network;
  described.stimuli[0].duration_ms = 20.0;
  described.stimuli.push_back(current("E", 500.0));
  described.stimuli.back().name = "later";
  described.stimuli.back().start_ms = 20.0;
  Simulation changed = simulation_of(network, options_of(Connectivity::stored, 2, 4));
  changed.run(20.0);
  changed.set_amplitude("current_E", std::vector<double>{500.0});
  Simulation whole = simulation_of(described, options_of(Connectivity::stored));
  EXPECT_EQ(digest_after(changed, 30.0), digest_after(whole, 50.0));

  const std::vector<double> each(700, 500.0);  // the same, given one by one
  Simulation by_one = simulation_of(network, options_of(Connectivity::stored));
  by_one.run(20.0);
  by_one.set_amplitude("current_E", each);
  EXPECT_EQ(digest_after(by_one, 30.0), whole.report().digest);
}

TEST(LiveInput, RatesAtTheStartAreThoseOfTheDescription) {
  Network network = driven(), described = driven();
  described.stimuli.back().rate_hz = 900.0;
  described.populations.back().rate_hz = 5.0;
  Simulation changed = simulation_of(network, options_of(Connectivity::procedural)), whole = simulation_of(described, options_of(Connectivity::stored));
  changed.set_stimulus_rate("poisson_E", 900.0);
  changed.set_source_rate("noise", 5.0);
  EXPECT_EQ(digest_after(changed, 30.0), digest_after(whole, 30.0));
}

TEST(LiveInput, ACheckpointAfterAChangeIsThatOfTheChangedNetwork) {
  const TemporaryFolder folder;
  Network described = driven();
  described.stimuli.back().rate_hz = 900.0;
  Simulation changed = simulation_of(driven(), options_of(Connectivity::stored));
  changed.run(20.0);
  changed.set_stimulus_rate("poisson_E", 900.0);
  changed.save_checkpoint(folder / "c");
  Simulation resumed = simulation_of(described, options_of(Connectivity::procedural, 2, 3)), other = simulation_of(driven(), options_of(Connectivity::stored));
  resumed.load_checkpoint(folder / "c");
  EXPECT_EQ(digest_after(resumed, 20.0), digest_after(changed, 20.0));
  EXPECT_THROW(other.load_checkpoint(folder / "c"), InputError);
  other.set_stimulus_rate("poisson_E", 900.0);
  other.load_checkpoint(folder / "c");
  EXPECT_EQ(digest_after(other, 20.0), changed.report().digest);
}

TEST(LiveState, WhatCannotBeIsRefusedAndChangesNothing) {
  const Network network = driven();
  Simulation simulation = simulation_of(network, options_of(Connectivity::stored)), untouched = simulation_of(network, options_of(Connectivity::stored));
  simulation.run(10.0);
  untouched.run(10.0);
  const std::vector<double> good(700, -60.0);
  std::vector<double> bad = good;
  bad[699] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THROW(simulation.set_state("E", "V_m", bad), InputError);
  bad[699] = 1e300;
  EXPECT_THROW(simulation.set_state("E", "V_m", bad), InputError);
  EXPECT_THROW(simulation.set_state("E", "V_m", std::span(good).first(699)), InputError);
  EXPECT_THROW(simulation.set_state("E", "V", good), InputError);
  EXPECT_THROW(simulation.set_state("F", "V_m", good), InputError);
  EXPECT_THROW(simulation.set_state("E", "refractory", good), InputError);  // below 0
  EXPECT_THROW(simulation.set_state("E", "refractory", std::vector<double>(700, 1e6)), InputError);
  EXPECT_THROW(simulation.set_state("noise", "V_m", std::vector<double>(100, 0.0)), InputError);
  EXPECT_THROW(simulation.set_weights("E_E_fixed_total_number", std::vector<double>(28000, 1.0)), InputError);  // not kept one by one
  EXPECT_THROW(simulation.set_weights("nothing", good), InputError);
  EXPECT_THROW(simulation.set_stimulus_rate("current_E", 5.0), InputError);
  EXPECT_THROW(simulation.set_stimulus_rate("poisson_E", -1.0), InputError);
  EXPECT_THROW(simulation.set_stimulus_rate("poisson_E", 1e9), InputError);
  EXPECT_THROW(simulation.set_source_rate("E", 5.0), InputError);
  EXPECT_THROW(simulation.set_source_rate("noise", 10001.0), InputError);  // more than one spike a step
  EXPECT_THROW(simulation.set_amplitude("poisson_E", std::vector<double>{1.0}), InputError);
  EXPECT_THROW(simulation.set_amplitude("current_E", std::vector<double>{1.0, 2.0}), InputError);
  EXPECT_THROW(simulation.set_amplitude("current_E", std::vector<double>{INFINITY}), InputError);
  EXPECT_EQ(digest_after(simulation, 20.0), digest_after(untouched, 20.0));
}

TEST(LiveState, AGpuSaysThatItCannot) {
  Network network = balanced();
  network.populations[1].parameters.clear();
  SimulationOptions options = options_of(Connectivity::stored);
  options.device.kind = Device::Kind::emulated;
  Simulation simulation = simulation_of(network, options);
  EXPECT_THROW(simulation.set_state("E", "V_m", std::vector<double>(700, -60.0)), InputError);
  EXPECT_THROW(simulation.set_amplitude("current_E", std::vector<double>{1.0}), InputError);
}

}  // namespace
}  // namespace tessera::test
