// Whether the input from outside reaches the threshold, against the currents and rates that do.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "tessera/drive.hpp"

#include <gtest/gtest.h>

#include "network/build_network.hpp"

namespace tessera {
namespace {

using Kind = OutsideDrive::Kind;
using test::neurons;
using test::project;
using test::two_populations;

OutsideDrive drive_of(const Network& network, const std::string& name) {
  return outside_drive(network, *network.find(name), NeuronCatalogue::builtin(), 0.0, 1000.0);
}

Stimulus current(double amplitude_pA) {
  Stimulus s;
  s.target = "A";
  s.amplitude_pA = amplitude_pA;
  return s;
}

Stimulus poisson(double rate_hz, double weight) {
  Stimulus s;
  s.kind = Stimulus::Kind::poisson;
  s.target = "A";
  s.rate_hz = rate_hz;
  s.weight = weight;
  return s;
}

TEST(OutsideDrive, NothingIsNoDrive) {
  const OutsideDrive drive = drive_of(two_populations(), "B");  // A, silent itself, projects onto B
  EXPECT_EQ(drive.kind, Kind::none);
  EXPECT_FALSE(drive.mean_reaches_threshold);
}

// A constant current I moves iaf_psc_exp to E_L + I tau_m / C_m: 15 mV need 15 * 250 / 10 = 375 pA.
TEST(OutsideDrive, ACurrentReachesTheThresholdAtTheRheobase) {
  Network network = two_populations();
  for (const double pA : {374.0, 376.0}) {
    network.stimuli = {current(pA)};
    EXPECT_EQ(drive_of(network, "A").kind, Kind::constant);
    EXPECT_EQ(drive_of(network, "A").mean_reaches_threshold, pA > 375.0) << pA;
  }
  network.stimuli = {current(200.0), current(180.0)};  // currents add up
  EXPECT_TRUE(drive_of(network, "A").mean_reaches_threshold);
  EXPECT_EQ(drive_of(network, "B").kind, Kind::none);
}

TEST(OutsideDrive, StimuliThatComeAndGoCountAtTheirStrongestMoment) {
  Network network = two_populations();
  network.stimuli = {current(200.0), current(180.0)};
  network.stimuli[0].duration_ms = 100.0;
  network.stimuli[1].start_ms = 100.0;  // never together
  EXPECT_FALSE(drive_of(network, "A").mean_reaches_threshold);
  network.stimuli[1].start_ms = 99.0;
  EXPECT_TRUE(drive_of(network, "A").mean_reaches_threshold);
  network.stimuli = {current(400.0), current(-100.0)};  // the brake is released after 50 ms
  EXPECT_FALSE(drive_of(network, "A").mean_reaches_threshold);
  network.stimuli[1].duration_ms = 50.0;
  EXPECT_TRUE(drive_of(network, "A").mean_reaches_threshold);
  network.stimuli = {current(0.0)};
  network.stimuli[0].values.assign(100, 10.0);
  network.stimuli[0].values[99] = 400.0;  // one neuron is enough
  EXPECT_TRUE(drive_of(network, "A").mean_reaches_threshold);
}

// Spikes of weight w at rate r are a mean current of w r tau_syn: 375 pA = 100 pA * 7.5 kHz * 0.5
// ms.
TEST(OutsideDrive, PoissonInputCountsWithItsMean) {
  Network network = two_populations();
  for (const double hz : {7300.0, 7700.0}) {
    network.stimuli = {poisson(hz, 100.0)};
    EXPECT_EQ(drive_of(network, "A").kind, Kind::random);
    EXPECT_EQ(drive_of(network, "A").mean_reaches_threshold, hz > 7500.0) << hz;
  }
  network.stimuli = {poisson(7700.0, 100.0), poisson(1000.0, -100.0)};  // inhibition counts
  EXPECT_FALSE(drive_of(network, "A").mean_reaches_threshold);
}

// Delta synapses: jumps J at rate r hold the membrane at J r tau_m: 15 mV = 0.1 mV * 15 kHz * 10
// ms.
TEST(OutsideDrive, TheModelDecidesWhatItsInputDoes) {
  Network network = two_populations();
  network.populations[0].model = "iaf_psc_delta";
  for (const double hz : {14000.0, 16000.0}) {
    network.stimuli = {poisson(hz, 0.1)};
    EXPECT_EQ(drive_of(network, "A").mean_reaches_threshold, hz > 15000.0) << hz;
  }
}

// 50 synapses per neuron from sources of 150 Hz with 100 pA are the 7.5 kHz from above.
TEST(OutsideDrive, SourcesCountWithRateAndInDegree) {
  Network network = two_populations();
  Population source = neurons("S", 500);
  source.model.clear();
  source.kind = Population::Kind::poisson_source;
  Projection projection = project("S", "A");
  projection.rule.number = 50;
  projection.weight = Distribution::constant(100.0);
  network.projections.push_back(projection);
  for (const double hz : {146.0, 154.0}) {
    source.rate_hz = hz;
    network.populations.resize(2);
    network.populations.push_back(source);
    EXPECT_EQ(drive_of(network, "A").kind, Kind::random);
    EXPECT_EQ(drive_of(network, "A").mean_reaches_threshold, hz > 150.0) << hz;
  }
}

TEST(OutsideDrive, OnlyWhatIsOnInTheWindowCounts) {
  Network network = two_populations();
  network.stimuli = {current(400.0)};
  network.stimuli[0].duration_ms = 100.0;
  const NeuronCatalogue models = NeuronCatalogue::builtin();
  EXPECT_TRUE(
      outside_drive(network, network.populations[0], models, 50, 200).mean_reaches_threshold);
  const OutsideDrive after = outside_drive(network, network.populations[0], models, 100, 200);
  EXPECT_EQ(after.kind, Kind::none);
  EXPECT_FALSE(after.mean_reaches_threshold);
}

}  // namespace
}  // namespace tessera
