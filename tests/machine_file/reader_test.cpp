// Machine files: what they mean, and every mistake in one pass.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "tessera/machine_description.hpp"

namespace tessera {
namespace {

std::string problems_of(const std::string& text) {
  try {
    (void)parse_machine(text, "machine.toml");
  } catch (const InputError& error) {
    std::string all;
    for (const Problem& p : error.problems()) all += p.where.to_string() + ": " + p.message + "\n";
    return all;
  }
  return "";
}

testing::AssertionResult says(const std::string& text, const std::string& part) {
  if (text.find(part) != std::string::npos) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "no '" << part << "' in:\n" << text;
}

TEST(MachineFile, AllShippedMachinesCanBeRead) {
  const std::vector<std::string> names = machine_names();
  for (const char* name : {"brainscales2", "dynapse2", "ideal_512", "ipu_gc200", "loihi1", "spinnaker1"}) {
    EXPECT_TRUE(std::find(names.begin(), names.end(), name) != names.end()) << name;
  }
  for (const std::string& name : names) {
    const MachineDescription machine = load_machine(name);
    EXPECT_EQ(machine.name, name);
    EXPECT_TRUE(validate(machine).empty()) << name;
    // The same file by its path.
    EXPECT_EQ(load_machine(std::string(TESSERA_SOURCE_DIR) + "/machines/" + name + ".toml").circuits_per_chip(),
              machine.circuits_per_chip());
  }
}

// Numbers of halco, calix and fastAndDeep, see machines/brainscales2.toml.
TEST(MachineFile, BrainScaleS2HasItsPublishedSizes) {
  const MachineDescription m = load_machine("brainscales2");
  EXPECT_EQ(m.circuits_per_chip(), 512u);
  EXPECT_EQ(m.circuits.fan_in / m.circuits.signed_rows, 128u);  // signed inputs of a circuit
  EXPECT_DOUBLE_EQ(m.events.clock_ns, 8.0);
  EXPECT_EQ(m.weights.highest, 63);
  EXPECT_EQ(m.weights.lowest, -63);
  EXPECT_DOUBLE_EQ(m.time_constants.membrane_us.lowest, 0.5);
  EXPECT_DOUBLE_EQ(m.time_constants.membrane_us.highest, 60.0);
  EXPECT_DOUBLE_EQ(m.noise.spike_time_us.distribution.b, 0.06);
  EXPECT_TRUE(m.fixed_pattern.threshold.applies());
  EXPECT_FALSE(m.fixed_pattern.leak.applies());
  EXPECT_FALSE(m.is_ideal());
  EXPECT_TRUE(load_machine("ideal_512").is_ideal());
}

// 784 signed inputs are 1,568 rows of 256: 6.1 circuits, so 7; in pairs 8. 256 inputs: 2.
TEST(MachineFile, CircuitsFollowFromRows) {
  const MachineDescription one = load_machine("brainscales2");
  EXPECT_EQ(circuits_of(one, 2 * 784), 7u);
  EXPECT_EQ(circuits_of(one, 2 * 256), 2u);
  EXPECT_EQ(circuits_of(one, 256), 1u);
  EXPECT_EQ(circuits_of(one, 0), 1u);
  EXPECT_EQ(circuits_of(one, 512 * 256), 512u);
  EXPECT_EQ(circuits_of(one, 512 * 256 + 1), 0u);
  const MachineDescription pairs = load_machine("brainscales2", {{"join_multiple", "2"}});
  EXPECT_EQ(circuits_of(pairs, 2 * 784), 8u);
  EXPECT_EQ(circuits_of(pairs, 2 * 256), 2u);
  EXPECT_EQ(circuits_of(pairs, 256), 1u);
}

TEST(MachineFile, VariationsCanBeSwitchedOffTogetherAndOneByOne) {
  const MachineDescription none = load_machine("brainscales2", {{"fixed_pattern", "false"}, {"noise", "false"}});
  EXPECT_FALSE(none.fixed_pattern.threshold.applies());
  EXPECT_FALSE(none.noise.spike_time_us.applies());
  const MachineDescription one = parse_machine(
      "[circuits]\nper_tile = 4\n[noise]\noff = [\"membrane\"]\n"
      "membrane = { distribution = \"normal\", mean = 0, sd = 0.1 }\n"
      "threshold = { distribution = \"normal\", mean = 0, sd = 0.2 }\n",
      "machine.toml");
  EXPECT_FALSE(one.noise.membrane.applies());
  EXPECT_TRUE(one.noise.threshold.applies());
}

TEST(MachineFile, UnitsAreConverted) {
  const MachineDescription m = parse_machine(
      "speedup = 10\n[circuits]\nper_tile = 4\n[events]\nclock = \"1.5 us\"\n[readout]\ninterval = \"1700 ns\"\n"
      "[time_constants]\nsynapse = [\"300 ns\", \"1 ms\"]\n[times]\nreconfiguration = \"2 s\"\nevents_per_second = \"3 kHz\"\n",
      "machine.toml");
  EXPECT_DOUBLE_EQ(m.events.clock_ns, 1500.0);
  EXPECT_DOUBLE_EQ(m.readout.interval_us, 1.7);
  EXPECT_DOUBLE_EQ(m.time_constants.synapse_us.lowest, 0.3);
  EXPECT_DOUBLE_EQ(m.time_constants.synapse_us.highest, 1000.0);
  EXPECT_DOUBLE_EQ(m.times.reconfiguration_ms, 2000.0);
  EXPECT_DOUBLE_EQ(m.times.events_per_second, 3000.0);
}

TEST(MachineFile, AllMistakesAreToldAtOnceWithTheirPlaces) {
  const std::string said = problems_of(
      "chips = 0\n"
      "spedup = 2\n"
      "[circuits]\n"
      "per_tile = 0\n"
      "fan_in = -3\n"
      "join_multiple = 2\n"
      "[events]\n"
      "clock = \"8 mV\"\n"
      "[weights]\n"
      "bits = 6\n"
      "lowest = -64\n"
      "highest = 63\n"
      "[time_constants]\n"
      "membrane = [\"60 us\", \"0.5 us\"]\n"
      "[noise]\n"
      "off = [\"threshhold\"]\n"
      "membrane = { distribution = \"normal\", mean = 0, sd = -1 }\n");
  EXPECT_TRUE(says(said, "machine.toml:1:"));
  EXPECT_TRUE(says(said, "'spedup'. Did you mean 'speedup'?"));
  EXPECT_TRUE(says(said, "(circuits.per_tile)"));
  EXPECT_TRUE(says(said, "(circuits.fan_in)"));
  EXPECT_TRUE(says(said, "(circuits.join_multiple)"));
  EXPECT_TRUE(says(said, "machine.toml:8:"));
  EXPECT_TRUE(says(said, "6 bits do not hold weights from -64 to 63"));
  EXPECT_TRUE(says(said, "must go up"));
  EXPECT_TRUE(says(said, "There is no variation 'threshhold' here. Did you mean 'threshold'?"));
  EXPECT_TRUE(says(said, "(noise.membrane"));
}

TEST(MachineFile, WhatIsNoMachineIsSaid) {
  EXPECT_TRUE(says(problems_of("[populations.a]\nsize = 1\n"), "is a model, not a machine"));
  EXPECT_TRUE(says(problems_of("name = \"x\"\n"), "The key 'circuits' is missing"));
  EXPECT_TRUE(says(problems_of("circuits = 3\n"), "must be a table"));
  EXPECT_TRUE(says(problems_of("[circuits]\nper_tile = 4\nfan_in = 3\njoin_at_most = 9\n"), "9 circuits are to be joined, but a tile has 4"));
  EXPECT_TRUE(says(problems_of("[circuits]\nper_tile = 4\n[events]\nin_per_clock = 1\n"), "need a clock"));
  EXPECT_TRUE(says(problems_of("[circuits]\nper_tile = 4\n[memory]\nbytes_per_tile = 9\n"), "needs bytes_per_neuron"));
  try {
    (void)load_machine("brainscales");
    FAIL();
  } catch (const InputError& error) {
    EXPECT_TRUE(says(error.what(), "Did you mean 'brainscales2'?"));
  }
}

}  // namespace
}  // namespace tessera
