// The same through real launches. Without a GPU these tests are skipped, and say so.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "device/recorded.hpp"
#include "tessera/errors.hpp"

namespace tessera::test {
namespace {

class Cuda : public testing::Test {
 protected:
  void SetUp() override {
    std::string why;
    if (list_devices(why).empty()) GTEST_SKIP() << "NOT TESTED: there is no GPU here: " << why;
  }
};

SimulationOptions on_gpu() {
  SimulationOptions options = options_of(Connectivity::stored);
  options.device.kind = Device::Kind::cuda;
  return options;
}

void expect_same_on_gpu(const Network& network, double time_ms) {
  const Outcome processor = outcome_of(network, options_of(Connectivity::stored), time_ms);
  EXPECT_GT(processor.spikes, 100u);
  for (int k = 0; k < 3; ++k) expect_same_spikes(outcome_of(network, on_gpu(), time_ms), processor, "run " + std::to_string(k));
}

TEST_F(Cuda, SpikesAreThoseOfTheProcessor) { expect_same_on_gpu(balanced(), 200.0); }

TEST_F(Cuda, RowsOfEveryRulePoissonInputAndPiecewiseCurrents) { expect_same_on_gpu(every_rule_of_neurons(), 200.0); }

TEST_F(Cuda, DrawnRowsAreTheStoredOnes) {
  for (const std::uint32_t silent : {0u, 40000u}) {
    const Network network = beside_silent(balanced(), silent);
    const Outcome processor = outcome_of(network, options_of(Connectivity::stored), 200.0);
    SimulationOptions options = on_gpu();
    options.connectivity = Connectivity::procedural;
    for (int k = 0; k < 3; ++k) {
      Outcome device = outcome_of(network, options, 200.0);
      device.synapses = processor.synapses;
      expect_same_spikes(device, processor, "run " + std::to_string(k));
    }
  }
}

TEST_F(Cuda, EverybodyAtOnce) {
  Network network = balanced();
  for (Population& p : network.populations) p.initial["V_m"].distribution = Distribution::constant(-49.0);
  expect_same_on_gpu(network, 20.0);
}

// More places than a packed word can name, and rings that no shared memory holds.
TEST_F(Cuda, RingsInGlobalMemory) {
  Network network = beside_silent(balanced(0.1, 100.0), 60000);
  network.projections[0].delay_ms = Distribution::uniform(0.1, 100.0);
  expect_same_on_gpu(network, 50.0);
}

TEST_F(Cuda, StateIsThatOfTheProcessorBitForBit) {
  const Network network = every_rule_of_neurons();
  Simulation processor = simulation_of(network, options_of(Connectivity::stored));
  Simulation device = simulation_of(network, on_gpu());
  processor.run(50.0);
  device.run(50.0);
  for (const char* population : {"E", "I", "G"}) {
    EXPECT_EQ(device.state(population, "V_m"), processor.state(population, "V_m"));
  }
}

SimulationOptions on_gpu(Connectivity connectivity) {
  SimulationOptions options = on_gpu();
  options.connectivity = connectivity;
  return options;
}

// Division, exponentials and sub-steps as on the processor.
TEST_F(Cuda, SpikesAndStateOfEveryModel) {
  for (const char* model : {"iaf_psc_delta", "iaf_psc_alpha", "izhikevich", "iaf_cond_exp", "aeif_cond_exp"}) {
    const Network network = balanced_of(model);
    expect_same_on_gpu(network, 200.0);
    Simulation processor = simulation_of(network, options_of(Connectivity::stored)), device = simulation_of(network, on_gpu());
    processor.run(30.0);
    device.run(30.0);
    EXPECT_EQ(device.state("E", "V_m"), processor.state("E", "V_m")) << model;
  }
}

TEST_F(Cuda, EveryKindOfSourceAndEveryRule) {
  for (const Network& network : {with_sources(), every_rule()}) {
    const Outcome processor = outcome_of(network, options_of(Connectivity::stored), 150.0);
    expect_same_spikes(outcome_of(network, on_gpu(), 150.0), processor, network.name);
    Outcome drawn = outcome_of(network, on_gpu(Connectivity::procedural), 150.0);
    drawn.synapses = processor.synapses;
    expect_same_spikes(drawn, processor, network.name + ", procedural");
  }
}

TEST_F(Cuda, RecordedStateAndCheckpoints) {
  Network network = every_rule();
  network.recorders = {recorder_of("E", "V_m", 700, 0.1), recorder_of("G", "I_syn", 400, 0.7)};
  Simulation processor = simulation_of(network, options_of(Connectivity::stored)), device = simulation_of(network, on_gpu());
  Keeper expected, samples;
  processor.run(130.0, expected);
  device.run(130.0, samples);
  expect_same_samples(samples, expected, 1300);
  for (const Connectivity connectivity : {Connectivity::stored, Connectivity::procedural}) {
    expect_interchangeable(every_rule(), 33.3, 20.0, on_gpu(connectivity));
  }
}

// Short ones for compute-sanitizer (scripts/gpu_check.sh).
void expect_same_for_sanitizer(Connectivity connectivity) {
  Network network = every_rule();
  network.recorders = {recorder_of("G", "V_m", 400, 0.3)};
  const Outcome processor = outcome_of(network, options_of(Connectivity::stored), 5.0);
  EXPECT_EQ(outcome_of(network, on_gpu(connectivity), 5.0).digest, processor.digest);
}
TEST_F(Cuda, Sanitize_stored) { expect_same_for_sanitizer(Connectivity::stored); }
TEST_F(Cuda, Sanitize_procedural) { expect_same_for_sanitizer(Connectivity::procedural); }

TEST_F(Cuda, ADeviceThatIsNotThere) {
  SimulationOptions options = on_gpu();
  options.device.index = 200;
  EXPECT_THROW(simulation_of(balanced(), options), InputError);
}

TEST(NoCuda, IsAMistakeWhenAskedForAndANoteOtherwise) {
  std::string why;
  if (!list_devices(why).empty()) GTEST_SKIP() << "there is a GPU here";
  EXPECT_FALSE(why.empty());
  try {
    simulation_of(balanced(), on_gpu());
    FAIL() << "nothing was thrown";
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find(why), std::string::npos) << error.what();
  }
  SimulationOptions options = on_gpu();
  options.device.kind = Device::Kind::automatic;
  EXPECT_EQ(why_on_processor(balanced(), NeuronCatalogue::builtin(), options), why);
  Simulation simulation = simulation_of(balanced(), options);
  simulation.run(1.0);
  EXPECT_EQ(simulation.report().device, "cpu");
}

}  // namespace
}  // namespace tessera::test
