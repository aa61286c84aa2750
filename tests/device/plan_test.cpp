// What a device's memory will hold, before anything is built.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>

#include "connectivity/weight_units.hpp"
#include "connectivity/wiring.hpp"
#include "device/networks.hpp"
#include "engine/device_memory.hpp"
#include "tessera/device_plan.hpp"
#include "tessera/errors.hpp"

namespace tessera::test {
namespace {

DevicePlan plan_of(const Network& network, const SimulationOptions& options) {
  return plan_on_device(network, NeuronCatalogue::builtin(), options);
}

std::string message_of(const std::vector<PlannedMemory>& memory, std::uint64_t free_bytes) {
  try {
    require_device_memory(memory, free_bytes);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(DevicePlan, IsWhatTheDeviceTakes) {
  Network recorded = every_rule();
  StateRecorder recorder;
  recorder.population = "E";
  recorder.variable = "V_m";
  recorder.count = 600;
  recorder.interval_ms = 0.1;
  recorded.recorders = {recorder};
  for (const Network& network : {balanced(), recorded}) {
    for (const Connectivity connectivity : {Connectivity::stored, Connectivity::procedural}) {
      const SimulationOptions options = emulated(0, 9, 96, connectivity);
      const DevicePlan plan = plan_of(network, options);
      EXPECT_TRUE(plan.obstacles.empty());
      EXPECT_EQ(plan.blocks, 9u);
      EXPECT_EQ(sum_of(plan.memory), plan.memory_bytes);
      const auto taken = static_cast<double>(simulation_of(network, options).report().device_bytes);
      EXPECT_NEAR(static_cast<double>(plan.memory_bytes), taken, 0.05 * taken) << network.name << " " << to_string(connectivity);
    }
  }
}

// Without refractoriness 100,000 neurons can spike 100,000 times a step, 8 bytes each: 256 MB hold 335 steps.
TEST(DevicePlan, LaunchesAreShortWhereTheirSpikesCouldTakeTooMuch) {
  Network network;
  network.populations = {neurons_of("A", 100000, "izhikevich")};
  EXPECT_EQ(plan_of(network, emulated(0, 100)).launch_steps, 250);
  network.populations = {neurons_of("A", 1000, "izhikevich")};
  EXPECT_EQ(plan_of(network, emulated(0, 100)).launch_steps, 1000);
}

TEST(DevicePlan, WhatDoesNotFitIsRefusedWithRoomsAndBytes) {
  const std::vector<PlannedMemory> memory = {{"connectivity", 5000000000, "rows"}, {"record", 1500000, "spikes of a launch"}};
  EXPECT_EQ(message_of(memory, 5001500000), "");
  EXPECT_EQ(message_of(memory, 0), "") << "nobody knows what is free";
  const std::string text = message_of(memory, 5001499999);
  for (const char* part : {"connectivity (rows) 5000 MB", "record (spikes of a launch) 2 MB", "in all 5002 MB", "5002 MB are free"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " in " << text;
  }
}

TEST(DevicePlan, OfAMachineKnowsWhatFitsSharedMemory) {
  const Network network = balanced();
  const Wiring wiring(network, 1);
  const WeightUnits units = choose_weight_units(wiring);
  gpu::MachineInfo machine{"a GPU", 132, 80000000000, 0, 232448};
  EXPECT_TRUE(plan_memory(wiring, units, NeuronCatalogue::builtin(), false, machine).in_shared_memory);
  machine.multiprocessors = 1;  // 1060 input slots times 60 steps alone are 254 KB
  EXPECT_FALSE(plan_memory(wiring, units, NeuronCatalogue::builtin(), false, machine).in_shared_memory);
}

TEST(DevicePlan, SaysWhatKeepsANetworkFromADevice) {
  SimulationOptions options = emulated(0);
  options.precision = Precision::exact;
  EXPECT_EQ(plan_of(balanced(), options).obstacles.size(), 1u);
  options = options_of(Connectivity::stored);
  EXPECT_EQ(plan_of(balanced(), options).device, "cpu");
}

TEST(DevicePlan, WithoutAGpuIsThatOfAUsualOne) {
  std::string why;
  if (!list_devices(why).empty()) GTEST_SKIP() << "there is a GPU here";
  SimulationOptions options = options_of(Connectivity::stored);
  options.device.kind = Device::Kind::cuda;
  const DevicePlan plan = plan_of(balanced(), options);
  EXPECT_EQ(plan.blocks, 132u);
  ASSERT_EQ(plan.notes.size(), 1u);
  EXPECT_NE(plan.notes[0].find(why), std::string::npos);
}

}  // namespace
}  // namespace tessera::test
